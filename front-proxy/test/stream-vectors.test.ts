/** Guarantee tested: an inbox says of each bundle of proto/vectors/streams what the specification wants. */
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bufferSource, readHeader } from "@lightferry/proto/bundle";
import { formatId } from "@lightferry/proto/ids";
import type { TrustStore } from "@lightferry/proto/trust";
import { afterEach, expect, it, vi } from "vitest";
import type { StreamVector } from "../../proto/vectors/vector.ts";
import { provider } from "./support/ingress-keys.ts";
import { createWorld, type World } from "./support/ingress-world.ts";

const KIT = new URL("../../proto/vectors/", import.meta.url);
const vectors = readdirSync(new URL("streams/", KIT)).map(
  (name) => JSON.parse(readFileSync(new URL(`streams/${name}`, KIT), "utf8")) as StreamVector,
);
const { parties } = JSON.parse(readFileSync(new URL("keys.json", KIT), "utf8")) as {
  parties: Record<string, { nodeId: string; keyId: string; publicKey: string }>;
};

let world: World | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await world?.close();
});

/** The published keys stand in for certificates; all else of the store is the test installation's. */
function publishedKeys(store: TrustStore): TrustStore {
  const of = (name: string) => (nodeId: string, keyId: string) => {
    const party = parties[name];
    if (party?.nodeId !== nodeId || party.keyId !== keyId) return undefined;
    return provider.checkPublicKey(Buffer.from(party.publicKey, "hex"));
  };
  const directory = { ...store.keyDirectory(), signKey: of("sender"), policyKey: of("policy") };
  return new Proxy(store, {
    get(target, name) {
      if (name === "keyDirectory") return () => directory;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", async (_, vector) => {
  vi.useFakeTimers({ now: vector.context.now, toFake: ["Date"] });
  world = await createWorld();
  const { trust } = world.keys;
  const published = publishedKeys(trust.current());
  Object.assign(world.context, {
    trust: { current: () => published, changed: trust.changed.bind(trust) },
  });
  await world.start({});
  for (const [step, { bundle, expect: wanted }] of vector.deliveries.entries()) {
    const bytes = Buffer.from(vector.bundles[bundle] ?? "", "base64");
    const { header, headerBytes } = await readHeader(bufferSource(bytes));
    const file = `${formatId(header.bundleId)}.lfb`;
    await writeFile(join(world.dirs.arrivals, file), bytes);
    const answer = await world.deliver({
      bundleId: header.bundleId,
      headerDigest: provider.sm3(headerBytes),
      file,
      size: bytes.length,
      lane: vector.context.lane,
      receivedMs: vector.context.now,
    });
    const said = "code" in answer ? { code: answer.code } : answer.status;
    expect(said, `delivery ${step}`).toEqual(wanted);
  }
});
