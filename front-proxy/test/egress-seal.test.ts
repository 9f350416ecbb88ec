/** From permitted to sealed: leases, fences, bundles, and what stops on the way. */
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBundle, readHeader, verifyChunks, verifyHeader } from "@lightferry/proto/bundle";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId, parseId } from "@lightferry/proto/ids";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { companyMs } from "../src/egress/seal-queue.ts";
import { provider } from "./support/egress-keys.ts";
import { roomFor } from "./support/lease-room.ts";
import { accepted, sendingZone, submit, token, world } from "./support/sending.ts";

const lease = (worker = "seal@test/1", waitMs = 0, maxItems = 1024) =>
  world.running.queue.lease({ priority: "normal", maxItems, waitMs, worker });

sendingZone();
afterEach(async () => {
  await world.pool.query("DELETE FROM exchange");
  await world.pool.query("UPDATE seal_stream SET lease_id = NULL");
});

describe("a lease", () => {
  it("drains what waits, oldest first, with one batch signature each", async () => {
    const ids = [];
    for (let index = 0; index < 3; index += 1) ids.push(await accepted());
    const taken = await lease();
    expect(taken).toMatchObject({
      lane: "inbound",
      stream: "inbound/node-extranet/normal",
      recipients: ["node-business"],
    });
    expect(taken.items.map((item) => formatId(item.exchangeId ?? new Uint8Array()))).toEqual(ids);
    expect(taken.items.every((item) => (item.trail ?? []).length === 2)).toBe(true);
    const trail = taken.items[0]?.trail?.map(
      (bytes) => lightferry.audit.v1.Event.decode(bytes).type,
    );
    expect(trail).toEqual(["exchange.received", "exchange.permitted"]);
  });

  it("is given to one worker at a time, and again when it has run out", async () => {
    await accepted();
    const first = await lease("seal@a/1");
    expect((await lease("seal@b/1")).leaseId).toBe("");
    await world.pool.query("UPDATE seal_stream SET lease_expires_ms = 1");
    const second = await lease("seal@b/1");
    expect(second.fence).toBe(first.fence + 1);
    expect(second.sequence).toBe(first.sequence);
    await expect(world.running.queue.commit(await commitOf(first))).rejects.toMatchObject({
      code: "seal.lease-lost",
    });
    await world.running.queue.commit(await commitOf(second));
  });

  it("comes back at once to a worker that started anew", async () => {
    await accepted();
    const first = await lease("seal@a/1");
    const again = await lease("seal@a/2");
    expect(again.leaseId).not.toBe("");
    expect(again.fence).toBe(first.fence + 1);
  });

  it("waits for work and is woken by it", async () => {
    const waiting = lease("seal@a/1", 10_000);
    const id = await accepted();
    expect(formatId((await waiting).items[0]?.exchangeId ?? new Uint8Array())).toBe(id);
  });

  it("stays below the size of a message", async () => {
    const body = "x".repeat(60_000);
    // Ten share a decision; all at once would be more than one caller may have under way.
    for (let ten = 0; ten < 9; ten += 1) {
      await Promise.all(Array.from({ length: 10 }, () => accepted(body)));
    }
    const taken = await lease();
    expect(taken.items.length).toBeGreaterThan(60);
    expect(taken.items.length).toBeLessThan(90);
  });

  it("does not commit what was cancelled meanwhile", async () => {
    const id = await accepted();
    const taken = await lease();
    await world.running.egress.desk.cancel(parseId(id), "changed my mind", "operator");
    await expect(world.running.queue.commit(await commitOf(taken))).rejects.toMatchObject({
      code: "seal.lease-lost",
    });
    expect(await world.until(id, "cancelled")).toMatchObject({ content: null, wrapped_key: null });
  });

  it("commits a file only when it lies there as announced", async () => {
    await accepted();
    const taken = await lease();
    const commit = await commitOf(taken);
    for (const change of [
      { file: "../x.lfb" },
      { size: 3 },
      { file: `${formatId(newId())}.lfb` },
    ]) {
      await expect(world.running.queue.commit({ ...commit, ...change })).rejects.toMatchObject({
        code: "outbox.file-invalid",
      });
    }
  });

  it("of what is urgent does not wait for what is normal", async () => {
    const urgent = (waitMs = 0) =>
      world.running.queue.lease({ priority: "urgent", maxItems: 1024, waitMs, worker: "seal@u/1" });
    const warn = () => accepted({ n: 1 }, { service: "warnings" });
    const idsOf = ({ items }: Lease) =>
      items.map(({ exchangeId }) => formatId(exchangeId ?? new Uint8Array()));
    const normal = await accepted();
    const held = await lease();
    const waiting = await accepted();
    // One normal bundle is being sealed and more waits: neither holds it up.
    const first = await warn();
    const taken = await urgent();
    expect(taken.stream).toBe("inbound/node-extranet/urgent");
    expect(idsOf(taken)).toEqual([first]);
    await world.running.queue.commit(await commitOf(taken));
    expect(idsOf(held)).toEqual([normal]);
    expect(await world.until(waiting, "permitted")).toMatchObject({ priority: "normal" });
    const { rows } = await world.pool.query(
      "SELECT priority, lease_order FROM outbox_bundle WHERE stream = $1",
      [taken.stream],
    );
    expect(rows).toEqual([{ priority: "urgent", lease_order: 0 }]);
    const shown = await world.api.call("GET", `/v1/exchanges/${first}`, { token });
    expect(shown.json).toMatchObject({ state: "queued", priority: "urgent" });
  });

  it("waits for company after a small one, and never with what is urgent", () => {
    expect(companyMs("normal", 1, 100)).toBeGreaterThan(0);
    expect(companyMs("normal", 1024, 100)).toBe(0);
    expect(companyMs("bulk", 1, 48 * 1_048_576)).toBe(0);
    expect(companyMs("urgent", 1, 100)).toBe(0);
  });

  it("is of no caller's choosing", async () => {
    const wish = await submit({ priority: "urgent" });
    expect([wish.status, wish.json.code]).toEqual([400, "api.bad-request"]);
    await accepted({ priority: "urgent" });
    expect((await lease()).stream).toBe("inbound/node-extranet/normal");
  });

  it("is refused for a priority that nobody knows", async () => {
    const { queue } = world.running;
    await expect(queue.lease({ priority: "soon", worker: "seal@u/1" })).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
  });

  it("refuses peers other than seal", async () => {
    await expect(
      world.running.outbox.ack({ bundleId: newId(), leaseId: "x" }),
    ).rejects.toMatchObject({ code: "outbox.lease-lost" });
  });
});

type Lease = Awaited<ReturnType<typeof lease>>;

/** A commit whose file exists, as far as the front-proxy can tell. */
async function commitOf(taken: Lease) {
  const bundleId = newId();
  const file = `${formatId(bundleId)}.lfb`;
  await writeFile(join(world.dir, "outbox", file), "sealed");
  return {
    leaseId: taken.leaseId,
    fence: taken.fence,
    bundleId,
    file,
    size: 6,
    headerDigest: provider.sm3(bundleId),
    stream: taken.stream,
    sequence: taken.sequence,
    exchangeIds: taken.items.map((item) => item.exchangeId ?? new Uint8Array()),
    expiresMs: Date.now() + 1_000_000,
    itemRoot: new Uint8Array(32),
  };
}

/** Keeps the seal program from leasing, while a test tampers. */
const hold = () =>
  world.pool.query("UPDATE seal_stream SET lease_id = gen_random_uuid(), lease_expires_ms = 9e15");
const release = () => world.pool.query("UPDATE seal_stream SET lease_id = NULL");

describe("the seal program", () => {
  beforeAll(async () => {
    await world.pool.query("DELETE FROM outbox_bundle");
    await world.pool.query("DELETE FROM seal_stream");
    await world.sealer();
  });

  const leaseBundles = (worker = "ferry@test/1", waitMs = 5_000) =>
    world.running.outbox.lease({ lane: "inbound", worker, waitMs, ...roomFor(8) });

  it("makes bundles that the far side can verify and open; then they are emitted", async () => {
    const ids = [await accepted({ parcel: 1 }), await accepted("x".repeat(100_000))];
    for (const id of ids) await world.until(id, "queued");
    const { bundles } = await leaseBundles();
    const opened = new Map<string, string>();
    for (const bundle of bundles) {
      const path = join(world.dir, "outbox", bundle.file ?? "");
      const verified = verifyHeader(provider, await readHeader(path), {
        now: Date.now(),
        lane: "inbound",
        keys: world.keys.trust.current().keyDirectory(),
        self: "node-business",
      });
      await verifyChunks(provider, verified);
      for await (const item of openBundle(provider, verified, world.keys.decrypt())) {
        const parts = [];
        for await (const part of item.content) parts.push(Buffer.from(part));
        opened.set(formatId(item.entry.exchangeId), Buffer.concat(parts).toString());
        const types = item.trail.map((bytes) => lightferry.audit.v1.Event.decode(bytes).type);
        expect(types).toEqual(["exchange.received", "exchange.permitted", "exchange.sealed"]);
      }
    }
    expect(opened.get(ids[0] ?? "")).toBe('{"parcel":1}');
    expect(opened.get(ids[1] ?? "")).toBe("x".repeat(100_000));

    for (const { bundleId, leaseId } of bundles) {
      await world.running.outbox.ack({
        bundleId: bundleId ?? null,
        leaseId: leaseId ?? null,
        passesDone: 1,
      });
    }
    for (const id of ids) await world.until(id, "emitted");
    const found = await world.api.call("GET", `/v1/exchanges/${ids[0]}`, { token });
    expect(found.json).toMatchObject({ state: "emitted", unconfirmed: true });
    expect(found.json.stateNote.zh).toContain("对端未知");
    expect(found.json.timeline.map((step: { state: string }) => step.state)).toEqual([
      "received",
      "permitted",
      "sealed",
      "queued",
      "emitted",
    ]);
    expect(await world.until(ids[1] ?? "", "emitted")).toMatchObject({ wrapped_key: null });
    expect(await readdir(join(world.dir, "spool"))).not.toContain(`${ids[1]}.payload`);

    for (const { bundleId, leaseId } of bundles) {
      await world.running.outbox.ack({
        bundleId: bundleId ?? null,
        leaseId: leaseId ?? null,
        passesDone: 2,
        finished: true,
      });
    }
    expect((await leaseBundles("ferry@test/1", 0)).bundles).toEqual([]);
  });

  it("seals an upload from its segments; once it is emitted they and their keys are gone", async () => {
    const body = randomBytes(700_000);
    const begun = await world.api.call(
      "POST",
      "/v1/files?lane=inbound&service=maps&grade=G2&filename=a.bin",
      { token, headers: { "upload-length": String(body.length) } },
    );
    const id = begun.json.exchangeId;
    for (const [from, to] of [
      [0, 300_000],
      [300_000, body.length],
    ] as const) {
      await world.api.call("PATCH", `/v1/files/${id}`, {
        token,
        headers: { "upload-offset": String(from), "content-type": "application/octet-stream" },
        body: body.subarray(from, to),
      });
    }
    await world.until(id, "queued");
    const kept = async () =>
      (await readdir(join(world.dir, "spool"))).filter((name) => name.startsWith(id)).sort();
    expect(await kept()).toEqual([`${id}.0.segment`, `${id}.1.segment`]);
    const { bundles } = await leaseBundles();
    const [bundle] = bundles;
    const path = join(world.dir, "outbox", bundle?.file ?? "");
    const verified = verifyHeader(provider, await readHeader(path), {
      now: Date.now(),
      lane: "inbound",
      keys: world.keys.trust.current().keyDirectory(),
      self: "node-business",
    });
    const parts = [];
    for await (const item of openBundle(provider, verified, world.keys.decrypt())) {
      for await (const part of item.content) parts.push(Buffer.from(part));
    }
    expect(Buffer.concat(parts).equals(body)).toBe(true);
    const ack = { bundleId: bundle?.bundleId ?? null, leaseId: bundle?.leaseId ?? null };
    await world.running.outbox.ack({ ...ack, passesDone: 2, finished: true });
    await world.until(id, "emitted");
    expect(await kept()).toEqual([]);
    const segments = "SELECT 1 FROM upload_segment WHERE upload_id = $1";
    expect((await world.pool.query(segments, [id])).rows).toEqual([]);
  });

  it("chains the bundles of a stream", async () => {
    await world.until(await accepted(), "queued");
    await world.until(await accepted(), "queued");
    const { rows } = await world.pool.query(
      "SELECT sequence, file, header_digest FROM outbox_bundle WHERE priority = 'normal' ORDER BY sequence",
    );
    expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, index) => index + 1));
    const last = await readHeader(join(world.dir, "outbox", rows.at(-1).file));
    const { header } = verifyHeader(provider, last, {
      now: Date.now(),
      keys: world.keys.trust.current().keyDirectory(),
    });
    expect(Buffer.compare(header.previousDigest, rows.at(-2).header_digest)).toBe(0);
  });

  it("stops an item whose content is not what was permitted, and seals the others", async () => {
    world.peers.rule = (submission) =>
      submission.purpose === "forged" ? { forged: Buffer.from("something else") } : {};
    const [bad, good] = await Promise.all([
      accepted("original", { purpose: "forged" }),
      accepted("fine"),
    ]);
    expect(await world.until(bad, "failed")).toMatchObject({ code: "bundle.content-mismatch" });
    await world.until(good, "queued");
  });

  it("stops an item that does not open under its key, and seals the others", async () => {
    await hold();
    const [bad, good] = await Promise.all([accepted(), accepted()]);
    await world.pool.query("UPDATE exchange SET material = $2 WHERE id = $1", [
      bad,
      Buffer.alloc(200),
    ]);
    await release();
    expect(await world.until(bad, "failed")).toMatchObject({ code: "sm.decrypt-failed" });
    await world.until(good, "queued");
  });

  it("stops an item whose stored content was swapped", async () => {
    world.peers.rule = () => ({});
    // Hold sealing still while the content is exchanged for another of the same exchange key.
    await hold();
    const id = await accepted("honest");
    const { rows } = await world.pool.query(
      "SELECT wrapped_key, material FROM exchange WHERE id = $1",
      [id],
    );
    const payloadKey = world.running.context.vault.unwrap(rows[0].wrapped_key, parseId(id));
    const { SealMaterial } = lightferry.seal.v1;
    const material = SealMaterial.decode(payloadKey.openBytes(rows[0].material));
    material.content = Buffer.from("forged");
    await world.pool.query("UPDATE exchange SET material = $2 WHERE id = $1", [
      id,
      Buffer.from(payloadKey.sealBytes(SealMaterial.encode(material).finish())),
    ]);
    await release();
    expect(await world.until(id, "failed")).toMatchObject({ code: "bundle.content-mismatch" });
    await expect
      .poll(() => world.peers.events.some((event) => event.code === "bundle.content-mismatch"))
      .toBe(true);
  });
});
