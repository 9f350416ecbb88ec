/** Guarantee tested: what is leased crosses an appliance whole and once, however it treats the files. */
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

let at: Place;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  at = place();
});
afterEach(async () => {
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

describe("there", () => {
  test("bundles cross whole; both sides say what crossed; nothing is left lying", async () => {
    const between = ferried({ renames: true });
    const bundles = await queue(at, 100, 700_000, 5_000);
    const tx = await open(directorySender(at, SMALL_PROFILE));
    const rx = await open(directoryStation(at));
    await arrived(bundles);
    await eventually(() => at.outbox.acks.filter(({ finished }) => finished).length).toBe(3);
    expect(at.outbox.acks.filter(({ passesDone }) => passesDone === 1)).toHaveLength(3);
    expect(at.txEvents.of("bundle.emitted").map(idOf).sort()).toEqual(bundles.map(idOf).sort());
    expect(at.rxEvents.of("bundle.arrived")).toHaveLength(3);
    expect(tx.status()).toMatchObject({
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
    await open(directorySender(at, profile));
    const rx = await open(directoryStation(at));
    await arrived(bundles);
    expect(between.faults).toEqual([]);
    const [first = 0] = between.takenAt;
    const took = (between.takenAt.at(-1) ?? 0) - first;
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
