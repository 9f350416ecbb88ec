/** Receiving under changing trust: keys that rotate, keys withdrawn, and what came along to be trusted. */

import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readHeader } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import { newId } from "@lightferry/proto/ids";
import { ringKeyPath } from "@lightferry/proto/keystore";
import { silentLogger } from "@lightferry/proto/service";
import { beforeEach, expect, it } from "vitest";
import { prepareDirs } from "../src/ingress/inbox/files.ts";
import { sweep } from "../src/ingress/sweep.ts";
import { TrustImports } from "../src/ingress/trust-imports.ts";
import { Spool } from "../src/payload/spool.ts";
import { assertKeysStand } from "../src/trust/directory.ts";
import { DAY_MS } from "./support/ingress-keys.ts";
import { type Delivered, flipBit } from "./support/ingress-seal.ts";
import type { World } from "./support/ingress-world.ts";
import { deliverTo, receivingZone, registrationAt, target, world } from "./support/receiving.ts";
import { TestTrust } from "./support/test-trust.ts";

let trust: TestTrust;

receivingZone();
beforeEach(async () => {
  trust = world.keys.trust;
  await world.start(registrationAt(target));
});

const STREAM = "inbound/node-extranet/normal";
const sealed = (sequence: number, change = {}) =>
  world.seal([{ content: Buffer.from(`content ${sequence}`) }], { sequence, ...change });

const delivered = (bundle: Delivered) => deliverTo(world, bundle);

const attribute = (event: World["events"][number] | undefined, wanted: string) =>
  event?.attributes.find(({ name }) => name === wanted)?.value;

const stateOf = async (bundle: Delivered) => {
  const { rows } = await world.pool.query(
    "SELECT state, code FROM inbox_bundle WHERE bundle_id = $1",
    [bundle.request.bundleId],
  );
  return [rows[0]?.state, rows[0]?.code];
};

it("bundles for the old and for the new decryption key open side by side, without a restart", async () => {
  const old = await sealed(1);
  trust.pki.rotate("node-business", "encrypt", { notBeforeMs: Date.now() - 1_000 });
  trust.renew();
  const fresh = await sealed(2);
  const keyOf = async ({ path }: Delivered) => (await readHeader(path)).header.recipients[0]?.keyId;
  expect(await keyOf(old)).not.toBe(await keyOf(fresh));
  await delivered(fresh);
  await delivered(old);
});

it.each([
  ["sign", "certificate.revoked"],
  ["policy", "certificate.denied"],
] as const)(
  "a %s key that is withdrawn: quarantined, named, kept; the stream goes on",
  async (use, code) => {
    const { pki } = trust;
    const bundle = await sealed(1);
    const keyId = pki.keyId("node-extranet", use);
    if (code === "certificate.revoked") {
      pki.revoke(keyId, "keyCompromise");
      trust.renew();
    } else trust.deny(keyId);
    expect(await world.deliver(bundle.request)).toEqual({ status: "quarantined", code });
    const find = () =>
      world.events.find((event) => event.type === "bundle.refused" && event.code === code);
    await expect.poll(find).toBeDefined();
    expect(attribute(find(), "stream")).toBe(STREAM);
    expect(attribute(find(), "sequence")).toBe("1");
    const kept = await readdir(join(world.dirs.inbox, "quarantine"));
    expect(kept).toHaveLength(1);

    pki.rotate("node-extranet", use, { notBeforeMs: Date.now() - 1_000 });
    trust.renew();
    await delivered(await sealed(2));
    // Kept for a person, however long that takes.
    const dirs = await prepareDirs(world.dirs.arrivals, world.dirs.inbox);
    const staging = await Spool.open(dirs.staging, { highWaterBytes: 1e9, reserveBytes: 0 });
    await sweep({ pool: world.pool }, dirs, staging, Date.now() + 400 * DAY_MS);
    expect(await readdir(join(world.dirs.inbox, "quarantine"))).toEqual(kept);
  },
);

it("a key denied between acceptance and opening stops the opening, and its bundle is kept", async () => {
  world.policyDown = true;
  const bundle = await sealed(1);
  expect(await world.deliver(bundle.request)).toEqual({ status: "accepted" });
  trust.deny(trust.pki.keyId("node-extranet", "sign"));
  world.policyDown = false;
  await expect.poll(() => stateOf(bundle)).toEqual(["quarantined", "certificate.denied"]);
  expect(await world.ingress().findDelivery(bundle.exchangeIds[0] ?? newId())).toBeUndefined();
  const dirs = await prepareDirs(world.dirs.arrivals, world.dirs.inbox);
  const staging = await Spool.open(dirs.staging, { highWaterBytes: 1e9, reserveBytes: 0 });
  await sweep({ pool: world.pool }, dirs, staging, Date.now() + 400 * DAY_MS);
  expect((await readdir(dirs.inbox)).filter((name) => name.endsWith(".lfb"))).toHaveLength(1);
  // The denial was a mistake: nothing was lost by it.
  trust.lift(trust.pki.keyId("node-extranet", "sign"));
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
});

it("what was refused under a denial is judged anew when that is lifted, as of its arrival", async () => {
  const keyId = trust.pki.keyId("node-extranet", "sign");
  const [late, damaged, good] = [await sealed(1), await sealed(2), await sealed(3)];
  await flipBit(damaged.path, -1);
  trust.deny(keyId);
  for (const bundle of [late, damaged, good]) {
    expect((await world.deliver(bundle.request)).status).toBe("quarantined");
  }
  await world.pool.query("UPDATE quarantined_bundle SET judged_ms = $2 WHERE bundle_id = $1", [
    late.request.bundleId,
    Date.now() + 30 * DAY_MS,
  ]);
  // Still denied: a change of something else moves nothing.
  trust.renew();
  expect(await readdir(join(world.dirs.inbox, "quarantine"))).toHaveLength(3);
  trust.lift(keyId);
  await world.until(good.exchangeIds[0] ?? newId(), "delivered");
  for (const code of ["bundle.chunk-digest", "bundle.expired"]) {
    await expect.poll(() => world.events.some((event) => event.code === code)).toBe(true);
  }
  await expect
    .poll(async () => (await readdir(join(world.dirs.inbox, "quarantine"))).length)
    .toBe(2);
});

it("a header that was verified is held to its keys once more, the policy key as well", async () => {
  const { header } = await readHeader((await sealed(1)).path);
  const now = () => trust.current().keyDirectory();
  expect(() => assertKeysStand(now(), header)).not.toThrow();
  for (const use of ["sign", "policy"] as const) {
    const keyId = trust.pki.keyId("node-extranet", use);
    trust.deny(keyId);
    expect(() => assertKeysStand(now(), header)).toThrow("certificate.denied");
    trust.lift(keyId);
  }
});

it("a bundle for a key of ours that is not in its folder waits for it", async () => {
  const { pki } = trust;
  const dir = pki.ringDir("node-business", "encrypt");
  const keyId = pki.rotate("node-business", "encrypt", { notBeforeMs: Date.now() - 1_000 });
  const away = join(pki.dir, "away");
  await mkdir(away);
  const [here, there] = [ringKeyPath(dir, keyId), join(away, "key")];
  const bundle = await sealed(1);
  await rename(here, there);
  trust.renew();
  expect(await world.deliver(bundle.request)).toEqual({ status: "accepted" });
  await expect
    .poll(() => world.events.some((event) => event.code === "inbox.key-missing"))
    .toBe(true);
  expect(await stateOf(bundle)).toEqual(["accepted", null]);
  await rename(there, here);
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
});

it("a bundle for a key that was never ours is refused", async () => {
  const recipients = [
    {
      nodeId: "node-business",
      keyId: "0".repeat(32),
      publicKey: trust.pki.key("node-business", "policy").publicKey,
    },
  ];
  const bundle = await sealed(1, { recipients });
  expect(await world.deliver(bundle.request)).toEqual({ status: "accepted" });
  await expect.poll(() => stateOf(bundle)).toEqual(["quarantined", "bundle.unknown-decrypt-key"]);
});

it("a policy key that is not known yet holds the import back; the exchange is not to blame", async () => {
  const { pki } = trust;
  // Policy signs with it already; its certificate has not reached this program.
  pki.rotate("node-business", "policy", { notBeforeMs: Date.now() - 1_000 });
  const bundle = await sealed(1);
  expect(await world.deliver(bundle.request)).toEqual({ status: "accepted" });
  await expect
    .poll(() => world.events.some((event) => event.code === "policy.answer-invalid"))
    .toBe(true);
  trust.renew();
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
});

it("trust items ride along, are handed to policy once, and delivery does not wait for that", async () => {
  const items = trust.current().ownTrustItems("extranet", Date.now());
  trust.importFault = new GatewayError("rpc.unavailable");
  await delivered(await sealed(1, { trust: items }));
  expect(trust.imports).toEqual([]);
  trust.importFault = undefined;
  await expect.poll(() => trust.imports.length).toBe(1);
  expect(trust.imports[0]).toMatchObject({ source: "bundle" });
  expect(trust.imports[0]?.items).toHaveLength(items.length);
  await delivered(await sealed(2, { trust: items }));
  const list = trust.pki.publish("extranet");
  await delivered(await sealed(3, { trust: [...items, list] }));
  await expect.poll(() => trust.imports.length).toBe(2);
  expect(trust.imports[1]?.items?.map((item) => Buffer.compare(item, list))).toEqual([0]);
});

it("a checkpoint is witnessed with the certificates of its header", async () => {
  const checkpoint = { note: Buffer.from("note"), oldSize: 0, consistency: [] };
  await delivered(await sealed(1, { checkpoint }));
  await expect.poll(() => world.witnessed.length).toBe(1);
  expect(world.witnessed[0]?.certificates?.map((der) => Buffer.from(der))).toEqual(
    trust
      .current()
      .chain(trust.pki.keyId("node-extranet", "sign"))
      .concat(trust.current().chain(trust.pki.keyId("node-extranet", "policy")).slice(0, 1))
      .map((der) => Buffer.from(der)),
  );
});

/** What is handed to policy, without a bundle around it. */
async function imports(
  answer: (items: readonly Uint8Array[]) => string,
  judging: () => Promise<unknown> = async () => undefined,
) {
  const sent: Uint8Array[] = [];
  const source = await TestTrust.make();
  const context = {
    trust: source,
    trustService: {
      importTrust: async ({ items = [] }: { items?: Uint8Array[] }) => {
        const status = answer(items);
        await judging();
        if (status === "away") throw new GatewayError("rpc.unavailable");
        sent.push(...items);
        return { results: items.map(() => ({ status })) };
      },
    },
    shell: { log: silentLogger(), journal: { record: async () => [] }, closing: undefined },
  };
  const under = new TrustImports(context as unknown as World["context"], { faultPauseMs: 5 });
  const close = async () => {
    await under.stop();
    await source.pki.cleanup();
  };
  return { under, sent, source, close };
}

it("what waits for policy is bounded, the newest is kept", async () => {
  let answer = "away";
  const { under, sent, close } = await imports(() => answer);
  const items = Array.from({ length: 1_000 }, () => randomBytes(32));
  for (let at = 0; at < items.length; at += 10) under.offer(newId(), items.slice(at, at + 10));
  under.offer(
    newId(),
    Array.from({ length: 63 }, () => randomBytes(65_536)),
  );
  answer = "new";
  const bytes = () => sent.reduce((sum, item) => sum + item.length, 0);
  await expect.poll(bytes).toBeGreaterThanOrEqual(63 * 65_536);
  await close();
  expect(sent.length).toBeLessThanOrEqual(256);
  expect(sent.some((item) => Buffer.compare(item, items[0] ?? item) === 0)).toBe(false);
});

it("a call that policy cannot take keeps no other items back", async () => {
  const [poison, good] = [randomBytes(40), randomBytes(40)];
  const { under, sent, close } = await imports((items) =>
    items.some((item) => Buffer.compare(item, poison) === 0) ? "away" : "new",
  );
  under.offer(newId(), [poison]);
  under.offer(newId(), [good]);
  await expect.poll(() => sent.map((item) => Buffer.compare(item, good))).toEqual([0]);
  await close();
});

it("what policy refused is offered again only after trust has changed", async () => {
  const { under, sent, source, close } = await imports(() => "refused");
  const [item, marker, last] = [randomBytes(40), randomBytes(40), randomBytes(40)];
  under.offer(newId(), [item]);
  await expect.poll(() => sent.length).toBe(1);
  under.offer(newId(), [item, marker]);
  await expect.poll(() => sent.length).toBe(2);
  source.renew();
  under.offer(newId(), [item, last]);
  await expect.poll(() => sent.length).toBe(4);
  await close();
});

it("junk that policy takes long to refuse gets a tenth of its time", async () => {
  const calls: { readonly begun: number; readonly ended: number }[] = [];
  const { under, sent, close } = await imports(
    () => "refused",
    async () => {
      const begun = performance.now();
      await delay(20);
      calls.push({ begun, ended: performance.now() });
    },
  );
  for (let count = 0; count < 3; count += 1) under.offer(newId(), [randomBytes(40)]);
  await expect.poll(() => sent.length).toBe(3);
  await close();
  for (const [at, { begun, ended }] of calls.slice(0, -1).entries()) {
    const rest = (calls[at + 1]?.begun ?? 0) - ended;
    // Timers round to a millisecond.
    expect(rest).toBeGreaterThan((ended - begun) * 9 - 5);
  }
});
