/** From permitted to emitted: leases, fences, bundles, and what stops on the way. */
import { randomBytes } from "node:crypto";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBundle, readHeader, verifyChunks, verifyHeader } from "@lightferry/proto/bundle";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId, parseId } from "@lightferry/proto/ids";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sweepOnce } from "../src/egress/sweep.ts";
import { provider } from "./support/egress-keys.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";

let world: EgressWorld;
let token: string;

const submit = async (body: unknown = { n: 1 }, change: object = {}): Promise<string> => {
  const answer = await world.api.call("POST", "/v1/requests", {
    token,
    body: {
      lane: "inbound",
      service: "registration",
      grade: "G2",
      method: "POST",
      path: "/records/1",
      body,
      ...change,
    },
  });
  expect(answer.status).toBe(202);
  return answer.json.exchangeId;
};

const lease = (worker = "seal@test/1", waitMs = 0, maxItems = 1024) =>
  world.running.queue.lease({ priority: "normal", maxItems, waitMs, worker });

beforeAll(async () => {
  world = await createEgressWorld();
  await world.start();
  token = await world.token();
});
afterAll(() => world.close());
beforeEach(() => {
  world.peers.rule = () => ({});
});
afterEach(async () => {
  await world.pool.query("DELETE FROM exchange");
  await world.pool.query("UPDATE seal_stream SET lease_id = NULL");
});

describe("a lease", () => {
  it("drains what waits, oldest first, with one batch signature each", async () => {
    const ids = [];
    for (let index = 0; index < 3; index += 1) ids.push(await submit());
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
    await submit();
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
    await submit();
    const first = await lease("seal@a/1");
    const again = await lease("seal@a/2");
    expect(again.leaseId).not.toBe("");
    expect(again.fence).toBe(first.fence + 1);
  });

  it("waits for work and is woken by it", async () => {
    const waiting = lease("seal@a/1", 10_000);
    const id = await submit();
    expect(formatId((await waiting).items[0]?.exchangeId ?? new Uint8Array())).toBe(id);
  });

  it("stays below the size of a message", async () => {
    for (let index = 0; index < 90; index += 1) await submit("x".repeat(60_000));
    const taken = await lease();
    expect(taken.items.length).toBeGreaterThan(60);
    expect(taken.items.length).toBeLessThan(90);
  });

  it("does not commit what was cancelled meanwhile", async () => {
    const id = await submit();
    const taken = await lease();
    await world.running.egress.desk.cancel(parseId(id), "changed my mind", "operator");
    await expect(world.running.queue.commit(await commitOf(taken))).rejects.toMatchObject({
      code: "seal.lease-lost",
    });
    expect(await world.until(id, "cancelled")).toMatchObject({ content: null, wrapped_key: null });
  });

  it("commits a file only when it lies there as announced", async () => {
    await submit();
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
    world.running.outbox.lease({ lane: "inbound", worker, max: 8, waitMs });

  it("makes bundles that the far side can verify and open; then they are emitted", async () => {
    const ids = [await submit({ parcel: 1 }), await submit("x".repeat(100_000))];
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
    await world.until(await submit(), "queued");
    await world.until(await submit(), "queued");
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
      submit("original", { purpose: "forged" }),
      submit("fine"),
    ]);
    expect(await world.until(bad, "failed")).toMatchObject({ code: "bundle.content-mismatch" });
    await world.until(good, "queued");
  });

  it("stops an item that does not open under its key, and seals the others", async () => {
    await hold();
    const [bad, good] = await Promise.all([submit(), submit()]);
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
    const id = await submit("honest");
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

describe("the outbox", () => {
  const leaseBundles = (worker: string, waitMs = 5_000) =>
    world.running.outbox.lease({ lane: "inbound", worker, max: 1, waitMs });
  const clear = () => world.pool.query("DELETE FROM outbox_bundle");

  it("gives a bundle again when its lease has run out, or to the same ferry restarted", async () => {
    await clear();
    await world.until(await submit(), "queued");
    const [first] = (await leaseBundles("ferry@a/1")).bundles;
    expect((await leaseBundles("ferry@b/1", 0)).bundles).toEqual([]);
    const [again] = (await leaseBundles("ferry@a/2")).bundles;
    expect(again?.bundleId).toEqual(first?.bundleId);
    await world.pool.query("UPDATE outbox_bundle SET lease_expires_ms = 1");
    const [other] = (await leaseBundles("ferry@b/1")).bundles;
    expect(other?.bundleId).toEqual(first?.bundleId);
    await expect(
      world.running.outbox.ack({
        bundleId: first?.bundleId ?? null,
        leaseId: first?.leaseId ?? null,
        passesDone: 1,
      }),
    ).rejects.toMatchObject({ code: "outbox.lease-lost" });
  });

  it("stops the exchanges of a bundle that the ferry refuses", async () => {
    await clear();
    const id = await submit();
    await world.until(id, "queued");
    const [bundle] = (await leaseBundles("ferry@a/1")).bundles;
    await world.running.outbox.ack({
      bundleId: bundle?.bundleId ?? null,
      leaseId: bundle?.leaseId ?? null,
      refuseCode: "bundle.signature-invalid",
    });
    expect(await world.until(id, "failed")).toMatchObject({ code: "bundle.signature-invalid" });
    await expect
      .poll(() => world.peers.events.some((event) => event.type === "bundle.refused"))
      .toBe(true);
    expect(await world.running.egress.desk.retry(parseId(id), "operator")).toBe("received");
    await world.until(id, "queued");
  });

  it("decides and seals anew what expired on its way", async () => {
    await clear();
    const id = await submit();
    const before = await world.until(id, "queued");
    const [bundle] = (await leaseBundles("ferry@a/1")).bundles;
    await world.running.outbox.ack({
      bundleId: bundle?.bundleId ?? null,
      leaseId: bundle?.leaseId ?? null,
      refuseCode: "bundle.expired",
    });
    await sweepOnce(world.running.context, world.running.egress.sweep);
    const after = await world.until(id, "queued");
    expect(after.bundle_id).not.toBe(before.bundle_id);
    expect((after.timeline as [number, string][]).map(([, state]) => state)).toEqual([
      ...["received", "permitted", "sealed", "queued"],
      ...["expired", "received", "permitted", "sealed", "queued"],
    ]);
  });

  it("keeps files until retention is over, and drops what no row names at start", async () => {
    await clear();
    const id = await submit();
    await world.until(id, "queued");
    const [bundle] = (await leaseBundles("ferry@a/1")).bundles;
    const ack = { bundleId: bundle?.bundleId ?? null, leaseId: bundle?.leaseId ?? null };
    await world.running.outbox.ack({ ...ack, passesDone: 2, finished: true });
    const files = () => readdir(join(world.dir, "outbox"));
    await sweepOnce(world.running.context, world.running.egress.sweep);
    expect(await files()).toContain(bundle?.file);
    await world.pool.query("UPDATE outbox_bundle SET finished_ms = 1");
    await sweepOnce(world.running.context, world.running.egress.sweep);
    expect(await files()).not.toContain(bundle?.file);

    const orphan = `${formatId(newId())}.lfb`;
    await writeFile(join(world.dir, "outbox", orphan), "sealed, never committed");
    const { outbox } = world.running.egress.sweep;
    await outbox.removeOrphans(3_600_000);
    expect(await files()).toContain(orphan);
    await utimes(join(world.dir, "outbox", orphan), 1, 1);
    await outbox.removeOrphans(3_600_000);
    expect(await files()).not.toContain(orphan);
  });

  it("keeps what failed for a while, so that a person may retry it; then its content goes", async () => {
    const id = await submit();
    await world.pool.query("UPDATE exchange SET state = 'failed', updated_ms = 1 WHERE id = $1", [
      id,
    ]);
    await sweepOnce(world.running.context, world.running.egress.sweep);
    expect(await world.until(id, "failed")).toMatchObject({ wrapped_key: null, material: null });
  });

  it("names the person who cancelled or retried", async () => {
    const id = await submit();
    await world.until(id, "queued");
    await world.pool.query("UPDATE exchange SET state = 'failed' WHERE id = $1", [id]);
    await world.running.egress.desk.retry(parseId(id), "officer-wang");
    await expect
      .poll(
        () =>
          world.peers.events.find(
            (event) => event.type === "exchange.retried" && event.actor === "officer-wang",
          )?.attributes,
      )
      .toMatchObject([{ name: "caller", value: "city" }, { name: "reason" }]);
    await expect(
      world.running.egress.desk.cancel(newId(), "", "officer-wang"),
    ).rejects.toMatchObject({ code: "exchange.not-found" });
  });
});
