/** Guarantee tested: room is promised once, given back, and what found none is told by name, once in ten seconds. */
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Room, readRoomLimits } from "../src/rx/room.ts";
import { Events, quiet } from "./world.ts";

const MEBIBYTE = 2 ** 20;

let dir: string;
let events: Events;
let alarms: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lf-room-"));
  events = new Events();
  alarms = [];
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

const free = () => {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
};
function open(reserveBytes: number, alarmPercent = 1): Promise<Room> {
  return Room.open({
    directories: [dir, tmpdir()],
    limits: { alarmPercent, reserveBytes },
    alarms: {
      raise: (code) => alarms.push(`+${code}`),
      clear: (code) => alarms.push(`-${code}`),
    },
    events,
    log: quiet,
  });
}
const figures = (room: Room) =>
  room.status() as { promisedBytes: number; leftOut: { objects: number; bytes: number } };

test("what is promised to one object is not there for another, until it is let go", async () => {
  // Other programs write to this disk too: half of it is far from any edge.
  const half = Math.floor(free() / 2);
  const room = await open(MEBIBYTE);
  expect(room.fits(half)).toBe(true);
  const [one, other] = [{}, {}];
  let left = half;
  room.hold(one, () => left);
  expect(room.fits(half)).toBe(false);
  expect(room.fits(MEBIBYTE)).toBe(true);
  // It has written most of it: that is on the disk, and measured there.
  left = 1_000;
  await room.look();
  expect(figures(room).promisedBytes).toBe(1_000);
  room.hold(other, () => 500);
  expect(figures(room).promisedBytes).toBe(1_500);
  room.letGo(one);
  room.letGo(one);
  expect(figures(room).promisedBytes).toBe(500);
  await room.close();
});

test("the reserve is promised to nobody, and running short of it is alarmed", async () => {
  const room = await open(free() * 2);
  expect(room.fits(1)).toBe(false);
  expect(alarms).toEqual(["+ferry.space-low"]);
  await room.close();
});

test("objects left out are counted each, and named by one event a lane in ten seconds", async () => {
  const room = await open(MEBIBYTE);
  let now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const bundle = (n: number) => n.toString(16).padStart(32, "0");
  for (let n = 0; n < 50; n += 1) room.leaveOut({ lane: "a", bundleId: bundle(n), size: 10 });
  room.leaveOut({ lane: "b", bundleId: bundle(99), size: 7 });
  expect(events.all).toHaveLength(1);
  now += 9_000;
  await room.look();
  expect(events.all).toHaveLength(1);
  now += 1_000;
  await room.look();
  const told = events.all.map(({ type, lane, attributes }) => [
    type,
    lane,
    attributes?.count,
    attributes?.bytes,
  ]);
  expect(told).toEqual([
    ["gate.object-left-out", "a", "1", "10"],
    ["gate.object-left-out", "a", "49", "490"],
    ["gate.object-left-out", "b", "1", "7"],
  ]);
  expect(events.all[1]?.attributes?.bundles?.split(",")).toHaveLength(32);
  expect(figures(room).leftOut).toEqual({ objects: 51, bytes: 507 });
  expect(alarms.filter((alarm) => alarm === "+ferry.space-full")).toHaveLength(51);
  // Quiet for ten seconds, and there is room: over.
  expect(alarms.at(-1)).toBe("-ferry.space-full");
  await room.close();
});

test("a disk that cannot be measured keeps its last figure", async () => {
  const room = await open(MEBIBYTE);
  rmSync(dir, { recursive: true });
  await room.look();
  expect(room.fits(MEBIBYTE)).toBe(true);
  dir = mkdtempSync(join(tmpdir(), "lf-room-"));
  await room.close();
});

test("settings of the room are within their limits", () => {
  expect(readRoomLimits({})).toEqual({ alarmPercent: 20, reserveBytes: 256 * MEBIBYTE });
  expect(readRoomLimits({ space: { alarmPercent: 5, reserveBytes: MEBIBYTE } })).toEqual({
    alarmPercent: 5,
    reserveBytes: MEBIBYTE,
  });
  for (const space of [
    { alarmPercent: 0 },
    { alarmPercent: 91 },
    { reserveBytes: 1 },
    { reserve: 1 },
  ]) {
    expect(() => readRoomLimits({ space })).toThrow(
      expect.objectContaining({ code: "config.invalid" }),
    );
  }
});
