import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bufferSource, openBundle, readHeader, verifyHeader } from "../src/bundle/index.ts";
import { asGatewayError } from "../src/errors/index.ts";
import { loadProvider } from "../src/sm/index.ts";
import { type PartyName, readKeys, type VectorParty } from "../vectors/keys.ts";
import type { Vector } from "../vectors/vector.ts";
import { gather } from "./bundle-fixture.ts";
import { PATHS, useWorkers } from "./bundle-paths.ts";

const folder = new URL("../vectors/bundle/", import.meta.url);
const vectors = readdirSync(folder)
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Vector);
const provider = loadProvider();
const keys = readKeys();

const owned =
  (...parties: VectorParty[]) =>
  (nodeId: string, keyId: string) =>
    parties.find((party) => party.nodeId === nodeId && party.keyId === keyId)?.key.publicKey;

/** Reads a vector, `step` bytes at a time, to the shape of its expectation. */
async function read(vector: Vector, step: number): Promise<Vector["expect"]> {
  const { now, lane, sender, self, decryptKey, signKeyRegistered } = vector.context;
  const bytes = Buffer.from(vector.bundle, "base64");
  const items: ({ content: string } | { code: string })[] = [];
  try {
    const received = await readHeader(bufferSource(bytes, step));
    const verified = verifyHeader(provider, received, {
      now,
      lane,
      sender,
      self,
      keys: {
        signKey: signKeyRegistered ? owned(keys.sender) : () => undefined,
        policyKey: owned(keys.policy),
      },
    });
    for await (const item of openBundle(provider, verified, keys[decryptKey as PartyName].key)) {
      try {
        items.push({ content: (await gather(item.content)).toString("base64") });
      } catch (error) {
        items.push({ code: asGatewayError(error).code });
      }
    }
  } catch (error) {
    return { code: asGatewayError(error).code };
  }
  return { items };
}

describe.each(PATHS)("conformance vectors %s", (_path, workers) => {
  useWorkers(workers);

  it("are all there", () => {
    expect(vectors.length).toBeGreaterThan(140);
  });

  it("hold a bundle whose last chunk is full", async () => {
    const vector = vectors.find(({ name }) => name === "valid-full-last-chunk");
    const { header } = await readHeader(bufferSource(Buffer.from(vector?.bundle ?? "", "base64")));
    expect(header.plaintextSize).toBe(header.chunkCount * header.chunkSize);
  });

  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", async (_, vector) => {
    const size = Buffer.byteLength(vector.bundle, "base64");
    for (const step of [Math.max(size, 1), 1021, 1]) {
      expect(await read(vector, step), `${step} bytes a read`).toEqual(vector.expect);
    }
  });
});
