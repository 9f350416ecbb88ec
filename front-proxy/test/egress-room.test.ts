/** Back-pressure: new submissions are put off while spool, outbox or disk are full; what is in goes on. */
import { statfs } from "node:fs/promises";
import { formatId, newId } from "@lightferry/proto/ids";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { sweepOnce } from "../src/egress/sweep.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";
import { roomFor } from "./support/lease-room.ts";
import { expectProblem } from "./support/refusal.ts";

let world: EgressWorld;
let token: string;

const LIMITS = {
  spoolHighWaterBytes: 1e9,
  uploadShareBytes: 5e8,
  spoolReserveBytes: 0,
  outboxRetentionSeconds: undefined,
};

const submit = (body: unknown = "x") =>
  world.api.call("POST", "/v1/requests", {
    token,
    body: {
      ...{ lane: "inbound", service: "registration", grade: "G2" },
      ...{ method: "POST", path: "/records/1", body },
    },
  });
const upload = (length: number) =>
  world.api.call("POST", "/v1/files?lane=inbound&service=maps&grade=G2&filename=a.bin", {
    token,
    headers: { "upload-length": String(length) },
  });
const sweep = () => sweepOnce(world.running.context, world.running.egress.sweep);
const events = (type: string, code: string) =>
  world.peers.events.filter(
    (event) =>
      event.type === type &&
      event.attributes?.some(({ name, value }) => name === "work" && value?.startsWith("accept")) &&
      (event.code === code || event.attributes?.some(({ value }) => value === code)),
  ).length;

beforeAll(async () => {
  world = await createEgressWorld();
  await world.start();
  token = await world.token();
  await world.sealer();
});
afterAll(() => world.close());
afterEach(() => vi.restoreAllMocks());

/** Sends everything that waits, as ferry tx does. */
async function ferry(): Promise<void> {
  for (;;) {
    const ask = { lane: "inbound", worker: "ferry@test/1", waitMs: 0, ...roomFor(8) };
    const { bundles } = await world.running.outbox.lease(ask);
    if (bundles.length === 0) return;
    for (const { bundleId, leaseId } of bundles) {
      const done = { passesDone: 2, finished: true };
      await world.running.outbox.ack({
        bundleId: bundleId ?? null,
        leaseId: leaseId ?? null,
        ...done,
      });
    }
  }
}

it("puts new work off when files kept for repair reach the mark, and takes it again below nine tenths", async () => {
  const first = await submit("y".repeat(50_000));
  await world.until(first.json.exchangeId, "queued");
  const { rows } = await world.pool.query("SELECT sum(size)::bigint AS n FROM outbox_bundle");
  const held = Number(rows[0].n);
  expect(world.running.egress.sweep.outbox.bytes).toBe(held);
  // Counted anew by the restart, not forgotten.
  await world.restart({ limits: { ...LIMITS, sendingHighWaterBytes: held + 1_000 } });
  await world.sealer();
  expect(world.running.egress.sweep.outbox.bytes).toBe(held);
  const full = await submit("z".repeat(2_000));
  expectProblem(full, "spool.full");
  expect(Number(full.headers["retry-after"])).toBeGreaterThan(0);
  // Small enough in itself: but it must not flutter about the mark.
  expectProblem(await submit("z"), "spool.full");
  expectProblem(await upload(1), "spool.full");
  const { rows: stored } = await world.pool.query(
    "SELECT (SELECT count(*) FROM exchange) + (SELECT count(*) FROM upload) AS n",
  );
  expect(Number(stored[0].n)).toBe(1);
  await expect.poll(() => events("service.impaired", "spool.full")).toBe(1);

  // Emission goes on. It frees no room: the file stays for repair.
  await ferry();
  await world.until(first.json.exchangeId, "emitted");
  await sweep();
  expectProblem(await submit("z"), "spool.full");
  await world.pool.query("UPDATE outbox_bundle SET finished_ms = 1");
  await sweep();
  await expect.poll(() => events("service.restored", "spool.full")).toBe(1);
  expect((await submit("z")).status).toBe(202);
  expect(events("service.impaired", "spool.full")).toBe(1);
});

it("refuses alone what is too large for what is left", async () => {
  await world.restart({ limits: { ...LIMITS, sendingHighWaterBytes: 200_000 } });
  expectProblem(await upload(1_000_000), "spool.full");
  expect((await upload(10)).status).toBe(201);
});

it("tells when room will have come, by the rate at which it came", async () => {
  await world.restart({ limits: { ...LIMITS, sendingHighWaterBytes: 1_000_000 } });
  const { room, sweep: parts } = world.running.egress;
  let freed = 0;
  let now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => now);
  vi.spyOn(parts.outbox, "freedBytes", "get").mockImplementation(() => freed);
  vi.spyOn(parts.outbox, "bytes", "get").mockReturnValue(1_000_000);
  await room.look();
  expect(room.retryAfterSeconds()).toBe(10);
  const after = async (seconds: number, bytes: number) => {
    now += seconds * 1_000;
    freed += bytes;
    await room.look();
    return room.retryAfterSeconds();
  };
  // A tenth of the mark is too much: 100,000 bytes at 5,000 a second.
  expect(await after(60, 300_000)).toBeCloseTo(20, -1);
  expect(await after(60, 300_000)).toBeCloseTo(20, -1);
  expect(await after(60, 60_000_000)).toBe(5);
  // The line has stood still for longer than the rate looks back.
  await after(250, 0);
  expect(await after(60, 0)).toBe(600);
});

it("never fills the disk: room for a bundle is kept beside what is not sealed yet", async () => {
  const { bavail, bsize } = await statfs(world.dir);
  const free = bavail * bsize;
  const marks = { spoolHighWaterBytes: 2 ** 52, sendingHighWaterBytes: 2 ** 52 };
  await world.restart({ limits: { ...LIMITS, ...marks } });
  // Half of what is free is spoken for: by content that lies there and will lie there sealed, too.
  await world.pool.query(
    `INSERT INTO upload (id, caller, lane, service, client_address, durable, created_ms, updated_ms,
       wrapped_key, submission) VALUES ($1, 'city', 'inbound', 'maps', '', $2, $3, $3, '', '')`,
    [formatId(newId()), Math.floor(free / 2), Date.now()],
  );
  const { room } = world.running.egress;
  await room.look();
  await expect(room.assertRoom(Math.floor(free * 0.3))).rejects.toMatchObject({
    code: "spool.disk-full",
  });
  await room.assertRoom(Math.floor(free * 0.2));
  // Counted at once, before anything of it is seen in the database.
  await expect(room.assertRoom(Math.floor(free * 0.2))).rejects.toMatchObject({
    code: "spool.disk-full",
  });
  await world.pool.query("DELETE FROM upload");
});

it("closes at the disk's floor and opens with a margin, once each", async () => {
  await world.restart({ limits: { ...LIMITS, spoolReserveBytes: 2 ** 50 } });
  expectProblem(await submit(), "spool.disk-full");
  expectProblem(await submit(), "spool.disk-full");
  await expect.poll(() => events("service.impaired", "spool.disk-full")).toBe(1);
  await sweep();
  expect(events("service.restored", "spool.disk-full")).toBe(0);
  const { config } = world.running.context;
  (config.limits as { spoolReserveBytes: number }).spoolReserveBytes = 0;
  await sweep();
  await expect.poll(() => events("service.restored", "spool.disk-full")).toBe(1);
});
