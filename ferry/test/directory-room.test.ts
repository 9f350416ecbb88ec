/** Guarantee tested: what a receiver of an appliance's files has no room for waits in the folder, is told, and is lost to nobody. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { opened, partsOf } from "./directory-parts.ts";
import { directoryStation, folders } from "./directory-world.ts";
import { eventually, type Place, place } from "./fixture.ts";
import { idOf, queue } from "./media-world.ts";

let at: Place;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
  at.remove();
});

function put(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folders(at).pickUp, name), bytes);
}

async function receiving(change: Parameters<typeof directoryStation>[1] = {}) {
  const station = await directoryStation(at, { pollMs: 50, ...change });
  closing.push(() => station.close());
  return station;
}

async function allHere(bundles: Parameters<typeof partsOf>[1]): Promise<void> {
  await at.inbox.until(bundles.length);
  expect(at.inbox.delivered.map(idOf).sort()).toEqual(bundles.map(idOf).sort());
}

/** Parts of two shipments of which an unfinished one leaves no room for the other below {@link TIGHT}. */
async function twoShipments() {
  const bundles = [...(await queue(at, 180_000)), ...(await queue(at, 170_000))];
  const parts = await partsOf(at, bundles);
  const shipments = Map.groupBy(parts, (bytes) =>
    Buffer.from(opened(bytes).part?.facts.shipmentId ?? []).toString("hex"),
  );
  expect(shipments.size).toBe(2);
  const [one, two] = [...shipments.values()] as [[Buffer], [Buffer]];
  return { bundles, one, two };
}

const TIGHT = { maxPartialBytes: 400_000 };

test("what unfinished shipments may take is bounded: the rest waits in the folder", async () => {
  const { bundles, one, two } = await twoShipments();
  const station = await receiving(TIGHT);
  put("one", one[0]);
  await eventually(() => station.status().objects).toBe(1);
  put("two", two[0]);
  await eventually(() => at.rxEvents.of("service.impaired")).toMatchObject([
    { code: "directory.no-room" },
  ]);
  expect(readdirSync(folders(at).pickUp)).toEqual(["two"]);
  for (const [index, bytes] of [...one, ...two].entries()) put(`P${index}`, bytes);
  await allHere(bundles);
  await eventually(() => at.rxEvents.of("service.restored").length).toBe(1);
});

test("one of which nothing came for ten minutes gives way, where that makes room", async () => {
  const { bundles, one, two } = await twoShipments();
  const station = await receiving(TIGHT);
  put("one", one[0]);
  await eventually(() => station.status().objects).toBe(1);
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + 700_000);
  put("two", two[0]);
  await eventually(() => at.rxEvents.of("gate.object-incomplete")).toMatchObject([
    { attributes: { why: "room" } },
  ]);
  for (const [index, bytes] of [...two, ...one].entries()) put(`P${index}`, bytes);
  await allHere(bundles);
});

test("… and stays where the other would not fit in its place either", async () => {
  const { one, two } = await twoShipments();
  const first = await receiving();
  put("one", one[0]);
  await eventually(() => first.status().objects).toBe(1);
  await closing.pop()?.();
  const now = performance.now.bind(performance);
  const station = await receiving({ roomLimits: { alarmPercent: 90, reserveBytes: 2 ** 50 } });
  vi.spyOn(performance, "now").mockImplementation(() => now() + 700_000);
  put("two", two[0]);
  await eventually(() => at.rxEvents.of("service.impaired")).toMatchObject([
    { code: "directory.no-room" },
  ]);
  expect(station.status().objects).toBe(1);
  expect(at.rxEvents.of("gate.object-incomplete")).toEqual([]);
});

test("a disk that runs short is told, and what finds no room waits in the folder", async () => {
  const bundles = await queue(at, 300);
  const [file = Buffer.alloc(0)] = await partsOf(at, bundles);
  // More than any disk of a test has.
  const roomLimits = { alarmPercent: 90, reserveBytes: 2 ** 50 };
  const station = await receiving({ roomLimits });
  put("a", file);
  await eventually(() => at.rxEvents.of("service.impaired")).toMatchObject([
    { code: "directory.no-room" },
  ]);
  expect(at.rxEvents.of("gate.alarm")).toMatchObject([{ code: "ferry.space-low" }]);
  expect(station.status().space.alarms).toMatchObject([{ code: "ferry.space-low" }]);
  expect(readdirSync(folders(at).pickUp)).toEqual(["a"]);
  await closing.pop()?.();
  await receiving();
  await allHere(bundles);
});
