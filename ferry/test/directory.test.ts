/** Guarantee tested: what is leased crosses an appliance whole and once, however it treats the files. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HARSHEST } from "./appliance.ts";
import {
  appliance,
  directorySender,
  directoryStation,
  folders,
  HARSH_PROFILE,
  SMALL_PROFILE,
} from "./directory-world.ts";
import { digestOf, eventually, LANE, type Place, place } from "./fixture.ts";
import { idOf, type Leased, queue } from "./media-world.ts";
import { roomFor } from "./outbox.ts";

let at: Place;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0).reverse()) await close();
  at.remove();
});

/** Closed after the test, the last first. */
async function open<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
  const opened = await opening;
  closing.push(() => opened.close());
  return opened;
}

function ferried(habits: Parameters<typeof appliance>[1] = {}) {
  const made = appliance(at, habits);
  closing.push(() => made.stop());
  return made;
}

async function arrived(bundles: readonly Leased[]): Promise<void> {
  await at.inbox.until(bundles.length);
  expect(at.inbox.delivered.map(idOf).sort()).toEqual(bundles.map(idOf).sort());
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
}

/** Renames are not seen, as by most. */
const PLAIN = { ...SMALL_PROFILE, renames: false };

describe("there", () => {
  test("bundles cross whole; both sides say what crossed; nothing is left lying", async () => {
    const between = ferried({ renames: true });
    const bundles = await queue(at, 100, 500_000, 5_000);
    const tx = await open(directorySender(at, { ...SMALL_PROFILE, filesPerFolder: 4 }));
    // Renamed files are whole when they are seen; late ones are no loss, however busy the machine is.
    const rx = await open(directoryStation(at, { settleMs: 100, delayMs: 60_000 }));
    await arrived(bundles);
    await eventually(() => at.outbox.acks.filter(({ finished }) => finished).length).toBe(3);
    expect(at.outbox.acks.filter(({ passesDone }) => passesDone === 1)).toHaveLength(3);
    expect(at.txEvents.of("bundle.emitted").map(idOf).sort()).toEqual(bundles.map(idOf).sort());
    expect(at.rxEvents.of("bundle.arrived")).toHaveLength(3);
    await eventually(() => tx.status()).toMatchObject({
      ...{ role: "tx", driver: "directory", lane: LANE },
      bundles: { emitted: 3, finished: 3, refused: 0, sending: 0, held: 0 },
    });
    await eventually(() => rx.status()).toMatchObject({
      ...{ role: "rx", driver: "directory", rejected: {}, gaps: [], objects: 0, heldBytes: 0 },
      accounted: { lost: 0 },
      bundles: { arrived: 3, delivered: 3, waiting: 0 },
      heartbeat: { silent: false },
    });
    await tx.close();
    await between.idle();
    await eventually(() => readdirSync(folders(at).pickUp)).toEqual([]);
    expect(between.faults).toEqual([]);
    expect(at.arrivals()).toEqual([]);
    expect(at.inbox.answers).toEqual(["accepted", "accepted", "accepted"]);
  });

  test("the harshest appliance: 8.3, 1 MiB, flat, no renames, out of order, late, twice, torn, at a set pace", async () => {
    const lost = new Set([2, 9]);
    const between = ferried({ ...HARSHEST, torn: 0.05, loses: (number) => lost.has(number) });
    const bundles = await queue(at, 6_000_000, 100, 40_000, 900_000, 2_000);
    const filesPerMinute = 3_000;
    const profile = { ...HARSH_PROFILE, filesPerMinute };
    const begun = performance.now();
    await open(directorySender(at, profile));
    const rx = await open(directoryStation(at));
    await arrived(bundles);
    expect(between.faults).toEqual([]);
    const took = (between.takenAt.at(-1) ?? 0) - begun;
    // A file may be noticed later than it lay there, never sooner.
    expect(between.takenAt.length).toBeLessThanOrEqual((took / 60_000) * filesPerMinute + 5);
    await eventually(() => rx.status()).toMatchObject({
      accounted: { lost: expect.any(Number) },
      bundles: { delivered: 5 },
      files: { foreign: expect.any(Number) },
    });
    // The appliance's own files were counted and left alone.
    await eventually(() => readdirSync(folders(at).pickUp).length).toBeGreaterThan(0);
    for (const name of readdirSync(folders(at).pickUp)) expect(name).toMatch(/^~TMP|^[A-Z0-9]{8}/);
    expect(new Set(at.inbox.answers)).toEqual(new Set(["accepted"]));
  });
});

describe("what may go wrong on the way", () => {
  test("more files lost than parity makes up for: the next pass brings them, and the loss is told to the file", async () => {
    const lost = new Set([4, 5, 6, 7]);
    const between = ferried({ loses: (number) => lost.has(number) });
    const bundles = await queue(at, 180_000, 1_000);
    const tx = await open(directorySender(at, PLAIN));
    const rx = await open(directoryStation(at, { delayMs: 60_000 }));
    await arrived(bundles);
    await tx.close();
    // All that it put there has come: of what is missing now more time brings nothing.
    const { drop, pickUp } = folders(at);
    await eventually(() => readdirSync(drop).length + readdirSync(pickUp).length).toBe(0);
    await between.idle();
    await eventually(() => readdirSync(pickUp)).toEqual([]);
    expect(rx.status().accounted.lost).toBe(0);
    const now = performance.now.bind(performance);
    let ahead = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + ahead);
    await eventually(() => {
      ahead += 60_000;
      return rx.status().accounted.lost;
    }).toBe(4);
    const told = at.rxEvents.of("gate.gap").filter(({ attributes }) => attributes?.files);
    const files = told.reduce((sum, { attributes }) => sum + Number(attributes?.files), 0);
    expect(files).toBe(4);
    expect(between.faults).toEqual([]);
  });

  test("a sender that is no more is told, and its return; so is a folder that nobody empties", async () => {
    const rx = await open(directoryStation(at, { delayMs: 50 }));
    const between = ferried();
    const profile = { ...PLAIN, maxWaitingFiles: 2 };
    const tx = await open(directorySender(at, profile));
    const silent = () => rx.status().heartbeat.silent;
    const events = (type: "tx" | "rx") => (type === "tx" ? at.txEvents : at.rxEvents).all.at(-1);
    await eventually(() => rx.status().heartbeat.secondsAgo).not.toBeNull();
    await between.stop();
    // On a busy machine either may have been told and over before: what counts is how it ends.
    await eventually(() => events("tx")).toMatchObject({
      ...{ type: "service.impaired", code: "directory.target-full", lane: LANE },
    });
    expect(readdirSync(folders(at).drop)).toHaveLength(2);
    await eventually(silent).toBe(true);
    await eventually(() => events("rx")).toMatchObject({
      ...{ type: "gate.heartbeat-missed", code: "ferry.heartbeat-missed", lane: LANE },
    });
    ferried();
    await eventually(() => at.txEvents.of("service.restored").length).toBeGreaterThan(0);
    await eventually(() => at.rxEvents.of("gate.heartbeat-restored").length).toBeGreaterThan(0);
    await eventually(silent).toBe(false);
    expect(tx.status().bundles.emitted).toBe(0);
  });

  test("both halves stopped in the middle and started again: the group that was over is not sent again", async () => {
    const bundles = await queue(at, 900_000);
    const { drop } = folders(at);
    const profile = { ...PLAIN, passes: 1, filesPerMinute: 2_400 };
    // One heartbeat at the start and no more: files are counted.
    const quietly = { heartbeatMs: 3_600_000 };
    const first = await directorySender(at, profile, quietly);
    await eventually(() => readdirSync(drop).length).toBeGreaterThan(8);
    await first.close();
    const sent = readdirSync(drop).length;
    const between = ferried();
    const rx = await directoryStation(at);
    await eventually(() => rx.status().objects).toBe(1);
    await rx.close();
    await open(directorySender(at, { ...profile, filesPerMinute: 0 }, quietly));
    await open(directoryStation(at));
    await arrived(bundles);
    // 16 data parts of four groups and their parity: what was over is not there twice.
    await between.idle();
    expect(between.takenAt.length).toBeLessThan(sent + 24);
  });

  test("a bundle that does not verify is refused to the outbox; an urgent one overtakes bulk", async () => {
    const bulk = await at.seal(randomBytes(800_000), "bulk");
    const bad = await at.seal(randomBytes(500));
    const urgent = await at.seal(randomBytes(500), "urgent");
    at.outbox.put(bulk);
    const path = join(at.outboxDir, bad.file ?? "");
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    writeFileSync(path, bytes);
    const between = ferried();
    await open(directorySender(at, { ...PLAIN, filesPerMinute: 1_500 }));
    await open(directoryStation(at));
    await eventually(() => between.takenAt.length).toBeGreaterThan(1);
    at.outbox.put(bad);
    at.outbox.put(urgent);
    await arrived([bulk, urgent]);
    expect(at.inbox.delivered.map(idOf)).toEqual([idOf(urgent), idOf(bulk)]);
    const refused = at.outbox.acks.filter(({ refuseCode }) => refuseCode);
    expect(refused.map(idOf)).toEqual([idOf(bad)]);
    expect(at.txEvents.of("bundle.refused").map(idOf)).toEqual([idOf(bad)]);
  });

  test("inventories name what is missing and close what will never come; what is recalled comes", async () => {
    const [one, two, three] = await queue(at, 300, 400, 500);
    const [first, second, third] = [one as Leased, two as Leased, three as Leased];
    const taken = await at.outbox.lease({ lane: LANE, worker: "another", ...roomFor(3) });
    for (const bundle of taken.bundles ?? []) {
      if (idOf(bundle) === idOf(third)) at.outbox.put(third);
    }
    at.outbox.kept.set(idOf(second), second);
    ferried();
    const inventory = { recentMs: 200, windowMs: 60_000, fullMs: 200 };
    await open(directorySender(at, { ...PLAIN, passes: 1 }, { inventory }));
    const rx = await open(directoryStation(at, { delayMs: 50 }));
    await arrived([third]);
    const missing = () => rx.status().gaps.reduce((sum, { count }) => sum + count, 0);
    const before = Math.min(first.sequence ?? 0, second.sequence ?? 0) - 1;
    await eventually(missing).toBe(before + 2);
    // The numbers of other tests were never this receiver's.
    at.outbox.givenUp.push(first);
    await eventually(missing).toBe(before + 1);
    at.outbox.put({ ...second, passesDone: 1, repair: true });
    await arrived([third, second]);
    await eventually(missing).toBe(before);
    expect(rx.status().rejected).toEqual({});
  });

  test("a sender's clock two hours wrong and set back, a receiver's a day off: nothing lost, the difference shown", async () => {
    const hour = 3_600_000;
    const off = { sender: 2 * hour, receiver: -24 * hour };
    const sealed = (bytes: number) =>
      at.seal(randomBytes(bytes), "normal", { nowMs: Date.now() + off.sender, livesMs: hour });
    ferried();
    const first = await sealed(60_000);
    at.outbox.put(first);
    await open(directorySender(at, PLAIN, { clock: () => Date.now() + off.sender }));
    const rx = await open(
      directoryStation(at, { delayMs: 100, clock: () => Date.now() + off.receiver }),
    );
    await arrived([first]);
    await eventually(() => rx.status().alarms.map(({ code }) => code)).toEqual([
      "ferry.clock-drift",
    ]);
    expect(rx.status().heartbeat.clockOffsetMs).toBeGreaterThan(25.9 * hour);
    off.receiver = 0;
    off.sender = -2 * hour;
    const second = await sealed(60_000);
    at.outbox.put(second);
    await arrived([first, second]);
    await eventually(() => rx.status().heartbeat.clockOffsetMs).toBeLessThan(-1.9 * hour);
    off.sender = 0;
    await eventually(() => rx.status().alarms).toEqual([]);
    expect(at.rxEvents.of("bundle.refused")).toEqual([]);
  });
});
