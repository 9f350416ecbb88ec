/** When decryption keys end, and that their end is on record: all with a clock of the test's own. */
import { readdir, rm } from "node:fs/promises";
import { newId } from "@lightferry/proto/ids";
import { KeyRing, ringKeyIds, ringKeyPath } from "@lightferry/proto/keystore";
import type { LaneEntry } from "@lightferry/proto/registry";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { endOfKey, overlapMs } from "../src/ingress/keys/end-of-key.ts";
import { KeyRetirement } from "../src/ingress/keys/retire.ts";
import { DAY_MS } from "./support/ingress-keys.ts";
import { deliverTo, receivingZone, registrationAt, target, world } from "./support/receiving.ts";

const NODE = "node-business";
/** What the world's configuration says; its lane's expiry of 7 days and a day is shorter. */
const OVERLAP_MS = 30 * DAY_MS;

let ring: KeyRing;
let dir: string;

receivingZone();
beforeEach(() => {
  const { pki } = world.keys.trust;
  dir = pki.ringDir(NODE, "encrypt");
  ring = KeyRing.open({
    dir,
    unlock: { file: pki.unlockPath(NODE, "encrypt") },
    use: "node-encrypt",
    mode: "demo",
  });
});
afterEach(() => ring.close());

/** @returns the id of the new key. */
function rotate(notBeforeMs: number): string {
  const keyId = world.keys.trust.pki.rotate(NODE, "encrypt", { notBeforeMs });
  world.keys.trust.renew();
  ring.refresh();
  return keyId;
}

const keyEvents = () =>
  world.events
    .filter(({ type }) => type.startsWith("key."))
    .map(({ type, attributes }) => `${type} ${attributes.find((a) => a.name === "key")?.value}`);

const start = () => world.start(registrationAt(target));

it("a key goes when its successor has been in force for the overlap, intent and outcome journalled", async () => {
  const retirement = new KeyRetirement({ context: world.context, ring });
  const old = world.keys.trust.pki.keyId(NODE, "encrypt");
  const succeeded = Math.floor(Date.now() / 1_000) * 1_000;
  const fresh = rotate(succeeded);
  await retirement.round(succeeded + OVERLAP_MS - 1);
  expect(ring.keyIds().sort()).toEqual([old, fresh].sort());
  await retirement.round(succeeded + OVERLAP_MS);
  expect(ring.keyIds()).toEqual([fresh]);
  expect(ringKeyIds(dir)).toEqual([fresh]);
  await expect.poll(keyEvents).toEqual([`key.destroying ${old}`, `key.destroyed ${old}`]);
  // The one in force stays, however long.
  await retirement.round(succeeded + 100 * OVERLAP_MS);
  expect(ring.keyIds()).toEqual([fresh]);
});

it("a bundle that waits to be opened keeps its key; afterwards the overlap counts from that bundle", async () => {
  await start();
  world.policyDown = true;
  const bundle = await world.seal([{ content: Buffer.from("x") }]);
  const madeMs = Date.now();
  rotate(Date.now() - DAY_MS);
  expect(await world.deliver(bundle.request)).toEqual({ status: "accepted" });
  const retirement = new KeyRetirement({ context: world.context, ring });
  await retirement.round(madeMs + 400 * DAY_MS);
  expect(ring.keyIds()).toHaveLength(2);
  world.policyDown = false;
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
  // Its sender used the old key a day after the new one had begun.
  await retirement.round(madeMs - DAY_MS + OVERLAP_MS + 5_000);
  expect(ring.keyIds()).toHaveLength(2);
  await retirement.round(madeMs + OVERLAP_MS + 5_000);
  expect(ring.keyIds()).toHaveLength(1);
});

it("what was sealed for a destroyed key cannot be opened any more, and is not waited for", async () => {
  await start();
  const late = await world.seal([{ content: Buffer.from("x") }]);
  rotate(Date.now() - DAY_MS);
  const retirement = new KeyRetirement({ context: world.context, ring });
  await retirement.round(Date.now() + OVERLAP_MS);
  expect(ring.keyIds()).toHaveLength(1);
  // The running receiving side has a ring of its own, which hears of it with the next change.
  world.keys.trust.renew();
  expect(await world.deliver(late.request)).toEqual({ status: "accepted" });
  const state = "SELECT code FROM inbox_bundle WHERE bundle_id = $1";
  await expect
    .poll(async () => (await world.pool.query(state, [late.request.bundleId])).rows[0]?.code)
    .toBe("bundle.unknown-decrypt-key");
  await deliverTo(world, await world.seal([{ content: Buffer.from("y") }], { sequence: 2 }));
});

it("a crash between the file and its outcome is made good at the next start", async () => {
  const old = world.keys.trust.pki.keyId(NODE, "encrypt");
  rotate(Date.now() - DAY_MS);
  await world.pool.query(
    "INSERT INTO ended_key (key_id, state, begun_ms) VALUES ($1, 'destroying', 1)",
    [old],
  );
  await rm(ringKeyPath(dir, old));
  ring.refresh();
  await new KeyRetirement({ context: world.context, ring }).round(Date.now());
  await expect.poll(keyEvents).toEqual([`key.destroyed ${old}`]);
  const { rows } = await world.pool.query("SELECT state FROM ended_key");
  expect(rows).toEqual([{ state: "destroyed" }]);
});

it("a file that cannot be destroyed is told once and tried again, its intent journalled once", async () => {
  const old = world.keys.trust.pki.keyId(NODE, "encrypt");
  const fresh = rotate(Date.now() - DAY_MS);
  const retirement = new KeyRetirement({ context: world.context, ring });
  const destroy = ring.destroy.bind(ring);
  ring.destroy = () => {
    throw Object.assign(new Error("read-only"), { code: "EROFS" });
  };
  const later = Date.now() + 2 * OVERLAP_MS;
  await retirement.round(later);
  await retirement.round(later);
  expect((await readdir(dir)).sort()).toEqual([old, fresh].map((id) => `${id}.key.json`).sort());
  ring.destroy = destroy;
  await retirement.round(later);
  expect(ringKeyIds(dir)).toEqual([fresh]);
  await expect.poll(keyEvents).toEqual([`key.destroying ${old}`, `key.destroyed ${old}`]);
  const impaired = world.events.filter(({ type }) => type === "service.impaired");
  expect(impaired).toHaveLength(1);
});

it("a key that is in force again, because its successor ended first, stays", async () => {
  const { trust } = world.keys;
  const { pki } = trust;
  const old = pki.keyId(NODE, "encrypt");
  const now = Date.now();
  pki.rotate(NODE, "encrypt", { notBeforeMs: now - 90 * DAY_MS, notAfterMs: now - 45 * DAY_MS });
  trust.renew();
  ring.refresh();
  await new KeyRetirement({ context: world.context, ring }).round(now);
  expect(ring.keyIds()).toEqual([old]);
});

it("says once that the key of the newest certificate is not here; one that was put there is taken up", async () => {
  const { trust } = world.keys;
  const retirement = new KeyRetirement({ context: world.context, ring });
  const keyId = trust.pki.rotate(NODE, "encrypt", { notBeforeMs: Date.now() - 1_000 });
  const empty = KeyRing.open({
    dir: trust.pki.ringDir(NODE, "ferry"),
    unlock: { file: trust.pki.unlockPath(NODE, "ferry") },
    use: "ferry-sign",
    mode: "demo",
  });
  trust.renew();
  const lacking = new KeyRetirement({ context: world.context, ring: empty });
  await lacking.round(Date.now());
  await lacking.round(Date.now());
  empty.close();
  await expect
    .poll(() => world.events.filter(({ code }) => code === "inbox.key-missing").length)
    .toBe(1);
  await retirement.round(Date.now());
  expect(ring.has(keyId)).toBe(true);
});

it("an end is never before the certificate's own successor, revocation or last day says so", () => {
  const { pki } = world.keys.trust;
  const first = pki.keyId(NODE, "encrypt");
  const second = pki.rotate(NODE, "encrypt", { notBeforeMs: 1e12, notAfterMs: 2e12 });
  const facts = { zone: "business", node: NODE, has: () => true, lastUsedMs: undefined };
  const end = (keyId: string, change = {}) => endOfKey(pki.store, { ...facts, keyId, ...change });
  expect(end(first)).toBe(1e12);
  expect(end(second)).toBe(2e12);
  expect(end("0".repeat(32))).toBeUndefined();
  // A successor whose private key is lost succeeds nobody.
  expect(end(first, { has: (keyId: string) => keyId === first })).toBe(Date.UTC(2100, 0, 1));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3e12 }), (lastUsedMs) => {
      expect(end(first, { lastUsedMs })).toBe(Math.max(1e12, lastUsedMs));
      expect(end(second, { lastUsedMs })).toBe(2e12);
    }),
  );
  pki.revoke(second, "superseded", 1.5e12);
  expect(end(second)).toBe(1.5e12);
  // Revoked, it succeeds nobody.
  expect(end(first)).toBe(Date.UTC(2100, 0, 1));
});

it("the overlap is the longest way to this node and a day, at least what is configured", () => {
  const lane = (to: string, days: number) => ({ to, expirySeconds: days * 86_400 }) as LaneEntry;
  const lanes = [lane("business", 10), lane("business", 40), lane("extranet", 90)];
  const days = (least: number) =>
    overlapMs(lanes, "business", { encryptKeyOverlapDays: least }) / DAY_MS;
  expect([days(30), days(41), days(60)]).toEqual([41, 41, 60]);
  expect(overlapMs([], "business", { encryptKeyOverlapDays: 1 })).toBe(DAY_MS);
});
