/** Seal under changing trust: rotation, revoked deciders, lists that are too old, what bundles bring of trust. */
import { join } from "node:path";
import { openBundle, readHeader, verifyHeader } from "@lightferry/proto/bundle";
import { TrustStore } from "@lightferry/proto/trust";
import { beforeAll, beforeEach, expect, it } from "vitest";
import { sweepOnce } from "../src/egress/sweep.ts";
import { Announcements } from "../src/seal/announcements.ts";
import { sealLease } from "../src/seal/seal-lease.ts";
import { checkpointKeyId } from "../src/seal/signing.ts";
import type { Worker } from "../src/seal/worker.ts";
import { provider } from "./support/egress-keys.ts";
import { expectEvent } from "./support/refusal.ts";
import { accepted, sendingZone, world } from "./support/sending.ts";
import type { TestTrust } from "./support/test-trust.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let trust: TestTrust;
let worker: Worker;

sendingZone();
beforeAll(async () => {
  trust = world.keys.trust;
  worker = await world.sealer();
});
beforeEach(() => {
  world.sealClock = Date.now;
});

/** The bundle that the exchange went into, as a far side sees it that has nothing but the root. */
async function bundleOf(id: string) {
  await world.until(id, "queued");
  const { rows } = await world.pool.query(
    `SELECT o.file FROM outbox_bundle o JOIN exchange e USING (bundle_id) WHERE e.id = $1`,
    [id],
  );
  const received = await readHeader(join(world.dir, "outbox", rows[0].file));
  const { root, mode, set } = trust.pki;
  const nothing = { version: 1, revocationLists: set.revocationLists ?? [] };
  const stranger = TrustStore.build(provider, { root, set: nothing, mode });
  const now = received.header.createdMs;
  const verified = verifyHeader(provider, received, { now, keys: stranger.keyDirectory() });
  const items: Uint8Array[] = [];
  const onTrust = (found: readonly Uint8Array[]) => void items.push(...found);
  const key = trust.pki.key("node-business", "encrypt", now);
  for await (const item of openBundle(provider, verified, key, { onTrust })) {
    for await (const _ of item.content);
  }
  return { header: verified.header, trust: items };
}

const impaired = (type: string, code: string) =>
  world.peers.events.filter(
    (event) =>
      event.type === type &&
      (event.code === code || event.attributes.some(({ value }) => value === code)),
  ).length;

/** Keeps the seal program from leasing while a test changes what it trusts. */
const hold = () =>
  world.pool.query("UPDATE seal_stream SET lease_id = gen_random_uuid(), lease_expires_ms = 9e15");
const release = () => world.pool.query("UPDATE seal_stream SET lease_id = NULL");

it("signs with the newest certificate that has begun, without a restart, and presents its chain", async () => {
  const { pki } = trust;
  const first = pki.keyId("node-extranet", "sign");
  const before = await bundleOf(await accepted());
  expect(before.header.signKeyId).toBe(first);
  // The sealer's chain, the policy key's, one issuer: nothing twice.
  expect(before.header.certificates).toHaveLength(3);

  const begins = Date.now() + HOUR_MS;
  const second = pki.rotate("node-extranet", "sign", { notBeforeMs: begins });
  trust.renew();
  expect((await bundleOf(await accepted())).header.signKeyId).toBe(first);
  world.sealClock = () => begins + 1_000;
  expect((await bundleOf(await accepted())).header.signKeyId).toBe(second);
});

it("announces this zone's certificates and list at once, after a change, and every minute", async () => {
  const now = Date.now();
  const announcements = new Announcements("extranet");
  const due = (stream: string, atMs: number) =>
    announcements.due(stream, trust.current(), atMs).length > 0;
  expect(due("a", now)).toBe(true);
  // That bundle was given up: the next one says it.
  expect(due("a", now)).toBe(true);
  announcements.said("a", trust.current().version, now);
  expect([due("a", now + 59_999), due("b", now), due("a", now + 60_000)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(due("a", now - 1)).toBe(true);
  announcements.said("a", trust.current().version, now);
  trust.renew();
  expect(due("a", now + 1)).toBe(true);

  await bundleOf(await accepted());
  expect((await bundleOf(await accepted())).trust).toEqual([]);
  const list = trust.pki.publish("extranet");
  trust.renew();
  const { trust: carried } = await bundleOf(await accepted());
  expect(carried.some((item) => Buffer.compare(item, list) === 0)).toBe(true);
  expect(carried).toHaveLength(trust.current().ownTrustItems("extranet", Date.now()).length);
});

it("an outdated list stops the lane, loses nothing, is told once, and a newer list lets it go on", async () => {
  const outdated = "trust.list-outdated";
  trust.pki.publish("business", { thisUpdateMs: Date.now() - 31 * DAY_MS });
  trust.renew();
  world.peers.rule = () => ({ validMs: 1 });
  const expired = await accepted();
  world.peers.rule = () => ({});
  const waiting = await accepted();
  await expect.poll(() => impaired("service.impaired", outdated)).toBe(1);
  const { context, egress } = world.running;
  // More rounds than decisions that an exchange is given.
  for (let round = 0; round < 5; round += 1) await sweepOnce(context, egress.sweep);
  const states = "SELECT state FROM exchange WHERE id = ANY($1::uuid[])";
  const { rows } = await world.pool.query(states, [[expired, waiting]]);
  expect(rows.map(({ state }) => state)).toEqual(["permitted", "permitted"]);

  trust.pki.publish("business");
  trust.renew();
  await world.until(waiting, "queued");
  // Its permit ran out meanwhile: it is decided anew.
  await sweepOnce(context, egress.sweep);
  await sweepOnce(context, egress.sweep);
  await world.until(expired, "queued");
  await expect.poll(() => impaired("service.restored", outdated)).toBe(1);
  expect(impaired("service.impaired", outdated)).toBe(1);
});

it("seal itself refuses what the queue should not have given out, and the items wait", async () => {
  await hold();
  const id = await accepted();
  // The successor of the worker that holds the stream, and only it, may take it over.
  await world.pool.query("UPDATE seal_stream SET lease_worker = 'held@test/1'");
  const lease = await world.running.queue.lease({
    priority: "normal",
    maxItems: 8,
    // The sealer's own loop may be looking at the stream at this very moment.
    waitMs: 5_000,
    worker: "held@test/2",
  });
  expect(lease.items).toHaveLength(1);
  trust.pki.publish("extranet", { thisUpdateMs: Date.now() - 31 * DAY_MS });
  trust.renew();
  await expect(sealLease(worker.tools, lease)).rejects.toMatchObject({
    code: "trust.list-outdated",
  });
  await world.running.queue.fail({ leaseId: lease.leaseId, items: [] });
  await world.until(id, "permitted");
  trust.pki.publish("extranet");
  trust.renew();
  await world.until(id, "queued");
});

it("waits while the receiving node has no valid encryption certificate, then seals to the new one", async () => {
  const { pki } = trust;
  pki.revoke(pki.keyId("node-business", "encrypt"), "superseded");
  trust.renew();
  const id = await accepted();
  await expect.poll(() => impaired("service.impaired", "seal.recipient-unknown")).toBe(1);
  await world.until(id, "permitted");
  const fresh = pki.rotate("node-business", "encrypt", { notBeforeMs: Date.now() - 1_000 });
  trust.renew();
  const { header } = await bundleOf(id);
  expect(header.recipients.map(({ keyId }) => keyId)).toEqual([fresh]);
});

it("what a policy key decided that was revoked since is decided anew, under the new key", async () => {
  const { pki } = trust;
  const old = pki.keyId("node-extranet", "policy");
  await hold();
  const id = await accepted();
  await world.until(id, "permitted");
  pki.revoke(old, "keyCompromise");
  const fresh = pki.rotate("node-extranet", "policy", { notBeforeMs: Date.now() - 1_000 });
  trust.renew();
  await release();
  await expectEvent(world.peers.events, "exchange.expired", "certificate.revoked");
  await sweepOnce(world.running.context, world.running.egress.sweep);
  const { header } = await bundleOf(id);
  expect(header.verdictBatches.map(({ keyId }) => keyId)).toEqual([fresh]);
});

it("reads the audit key of a checkpoint from its note, and nothing from anything else", () => {
  const blob = Buffer.concat([Buffer.alloc(16, 7), Buffer.alloc(64)]).toString("base64");
  const note = `lightferry/audit/n\n1\nx\nlogged 1\n\n— lightferry/audit/n ${blob}\n`;
  expect(checkpointKeyId(Buffer.from(note))).toBe("07".repeat(16));
  for (const other of ["", "note", note.slice(0, -1), note.replace(blob, "AAAA")]) {
    expect(checkpointKeyId(Buffer.from(other))).toBeUndefined();
  }
});
