/** Guarantee tested: wrong clocks lose nothing, are measured and are alarmed as what they are, and as nothing else. */
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ErrorCode } from "@lightferry/proto/errors";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClockDoubt } from "../src/rx/clock-doubt.ts";
import { DEFAULT_ROOM_LIMITS } from "../src/rx/room.ts";
import type { Station } from "../src/rx/station.ts";
import { OwnClock } from "../src/tx/own-clock.ts";
import type { Sender } from "../src/tx/sender.ts";
import {
  digestOf,
  directory,
  eventually,
  type Place,
  place,
  startSender,
  startStation,
} from "./fixture.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let at: Place;
let station: Station | undefined;
let sender: Sender | undefined;
/** How far the clock of each end is from the true time. */
const off = { sender: 0, receiver: 0 };
const clocks = {
  sender: () => Date.now() + off.sender,
  receiver: () => Date.now() + off.receiver,
};
beforeEach(() => {
  at = place();
  off.sender = 0;
  off.receiver = 0;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await sender?.close();
  await station?.close();
  sender = undefined;
  station = undefined;
  at.remove();
});

async function startBoth(rate = 20e6): Promise<void> {
  const started = await startStation(
    ...[at, 0, () => directory, DEFAULT_ROOM_LIMITS, clocks.receiver],
  );
  station = started.station;
  sender = await startSender(at, started.port, {
    ...{ clock: clocks.sender, rate },
    // What a busy machine dropped comes again within the time of a test.
    secondPassMs: 2_000,
  });
}

/** Sealed by the sender's clock, for so short a time that the other clock would find it expired, or from the future. */
const seal = (bytes: number, livesMs = HOUR) =>
  at.seal(randomBytes(bytes), "normal", { nowMs: clocks.sender(), livesMs });

const link = () =>
  station?.status() as { heartbeat: { clockOffsetMs: number }; alarms: { code: string }[] };

/** What was alarmed or refused at either end, by code where there is one; the numbers of this file's other tests are gaps to each. */
const complaints = () =>
  [...at.rxEvents.all, ...at.txEvents.all]
    .filter(({ type }) => type !== "gate.gap")
    .filter(({ outcome, type }) => outcome !== "ok" || type === "gate.alarm-over")
    .map(({ type, code }) => code ?? type);

test.each([
  ["the sender's clock two hours behind", { sender: -2 * HOUR }],
  ["the sender's clock two hours ahead", { sender: 2 * HOUR }],
  ["the receiver's clock a day behind", { receiver: -DAY }],
  ["the receiver's clock a day ahead", { receiver: DAY }],
])("%s: all arrives, the offset is shown, 时钟异常 and no other alarm", async (_name, wrong) => {
  Object.assign(off, wrong);
  await startBoth();
  const bundles = [await seal(400_000), await seal(1_000), await seal(2_000_000)];
  for (const bundle of bundles) at.outbox.put(bundle);
  await at.inbox.until(bundles.length);
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  const offset = off.sender - off.receiver;
  expect(Math.abs(link().heartbeat.clockOffsetMs - offset)).toBeLessThan(5_000);
  expect(link().alarms).toMatchObject([{ code: "ferry.clock-drift" }]);
  // The inbox is told the sender's time, and so judges as the ferry does.
  for (const { senderTime } of at.inbox.delivered) {
    expect(Math.abs((senderTime?.nowMs ?? 0) - clocks.sender())).toBeLessThan(60_000);
  }
  expect(complaints()).toEqual(["ferry.clock-drift"]);
});

test("the sender's clock is set back while it sends: what it sealed before is sent and taken all the same", async () => {
  off.sender = 2 * HOUR;
  await startBoth(3e6);
  const [under, waiting] = [await seal(3_000_000), await seal(50_000)];
  at.outbox.put(under);
  await eventually(() => sender?.status()).toMatchObject({ passes: [{ pass: 1 }] });
  await eventually(() => link().alarms).toMatchObject([{ code: "ferry.clock-drift" }]);
  // Right again, in the middle of a pass: both bundles are two hours from the future now.
  off.sender = 0;
  await at.inbox.until(1);
  at.outbox.put(waiting);
  const after = await seal(60_000, 7 * DAY);
  at.outbox.put(after);
  await at.inbox.until(3);
  for (const bundle of [under, waiting, after]) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  await eventually(() => link().alarms).toEqual([]);
  expect(Math.abs(link().heartbeat.clockOffsetMs)).toBeLessThan(5_000);
  const latest = Math.max(...at.inbox.delivered.map(({ senderTime }) => senderTime?.latestMs ?? 0));
  expect(latest).toBeGreaterThan(Date.now() + HOUR);
  await eventually(complaints).toEqual(["ferry.clock-drift", "gate.alarm-over"]);
});

test("what is sealed after the clock was set back has not expired by what the last heartbeat said", async () => {
  off.sender = 2 * HOUR;
  await startBoth();
  await eventually(() => link().alarms).toMatchObject([{ code: "ferry.clock-drift" }]);
  off.sender = 0;
  // It comes before the heartbeat that says so, most of the time.
  const bundle = await seal(1_000);
  at.outbox.put(bundle);
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  expect(at.rxEvents.of("bundle.refused")).toEqual([]);
});

test("the sender's clock is set an hour back from the right time: alarmed, and nothing held", async () => {
  await startBoth();
  const before = await seal(100_000);
  await eventually(() => station?.status()).toMatchObject({ epoch: 1 });
  off.sender = -HOUR;
  at.outbox.put(before);
  const after = await seal(100_000, 7 * DAY);
  at.outbox.put(after);
  await at.inbox.until(2);
  await eventually(() => link().alarms).toMatchObject([{ code: "ferry.clock-drift" }]);
  expect(complaints()).toEqual(["ferry.clock-drift"]);
});

test("a sender that was restarted behind what was sealed holds it, and sends it when the clock is right", async () => {
  off.sender = 2 * HOUR;
  const bundle = await seal(50_000, 7 * DAY);
  off.sender = 0;
  let leases = 0;
  const { lease } = at.outbox;
  at.outbox.lease = async (...asked) => {
    const answer = await lease(...asked);
    leases += answer.bundles?.length ?? 0;
    return answer;
  };
  await startBoth();
  at.outbox.put(bundle);
  await eventually(() => leases).toBe(1);
  await eventually(() => sender?.status()).toMatchObject({ bundles: { held: 0, refused: 0 } });
  expect(at.inbox.delivered).toEqual([]);
  off.sender = 2 * HOUR;
  await eventually(() => {
    // The time of the lease has run out.
    at.outbox.leaseAgain();
    return at.inbox.delivered.length;
  }).toBe(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  expect(at.outbox.acks.filter(({ refuseCode }) => refuseCode)).toEqual([]);
  expect(at.txEvents.of("bundle.refused")).toEqual([]);
});

test("what has expired by our own clock waits for the sender's heartbeat after a restart", async () => {
  off.receiver = DAY;
  await startBoth();
  at.inbox.down = true;
  const bundle = await seal(100_000);
  at.outbox.put(bundle);
  await at.inbox.untilRefused(1);
  await station?.close();
  await sender?.close();
  at.inbox.down = false;
  const started = await startStation(
    ...[at, 0, () => directory, DEFAULT_ROOM_LIMITS, clocks.receiver],
  );
  station = started.station;
  // By its own clock it expired a day ago; no heartbeat has told another yet.
  await eventually(() => at.rxEvents.of("service.impaired").length).toBeGreaterThan(0);
  expect(at.inbox.delivered).toEqual([]);
  sender = await startSender(at, started.port, { clock: clocks.sender, secondPassMs: 2_000 });
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  expect(at.rxEvents.of("bundle.refused")).toEqual([]);
});

test("what lies in quarantine and has expired by our own clock alone is delivered when a heartbeat tells the time", async () => {
  off.receiver = DAY;
  const bundle = await seal(100_000);
  const folder = join(at.rxLane, "quarantine");
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(at.outboxDir, bundle.file ?? ""), join(folder, bundle.file ?? ""));
  const started = await startStation(
    ...[at, 0, () => directory, DEFAULT_ROOM_LIMITS, clocks.receiver],
  );
  station = started.station;
  // Its key counts by now, but nobody has told the time yet.
  await station.settled();
  expect(readdirSync(folder)).toEqual([bundle.file]);
  sender = await startSender(at, started.port, { clock: clocks.sender });
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  expect(at.rxEvents.of("bundle.arrived")).toMatchObject([{ attributes: { after: "quarantine" } }]);
});

test("what has expired is refused by a heartbeat that was made after it came, and no sooner", () => {
  let ageMs = 100;
  let now = 5_000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  let told = true;
  const doubt = new ClockDoubt({
    senderTime: () => (told ? { nowMs: 0, latestMs: 0, ageMs } : undefined),
    clock: () => 0,
  });
  const holds = (id: string, code: ErrorCode, judging = doubt.begin()) =>
    doubt.holds(id, code, judging, { createdMs: 0, expiresMs: 0 });
  expect(holds("a", "bundle.from-future")).toBe(true);
  expect(holds("a", "bundle.signature-invalid")).toBe(false);
  expect(holds("a", "bundle.expired")).toBe(true);
  now += 300;
  ageMs += 300;
  expect(holds("a", "bundle.expired")).toBe(true);
  told = false;
  const before = doubt.begin();
  expect(holds("a", "bundle.expired")).toBe(true);
  told = true;
  ageMs = 50;
  // It came while the file was read: the bundle was found expired by the times of before.
  expect(holds("a", "bundle.expired", before)).toBe(true);
  expect(holds("a", "bundle.expired")).toBe(false);
  expect(holds("b", "bundle.expired")).toBe(true);
  doubt.over("a");
  expect(holds("a", "bundle.expired")).toBe(true);
});

test("a sender's own clock remembers the latest time it showed, within what is believed", () => {
  let now = 1_800_000_000_000;
  const clock = new OwnClock(() => now);
  expect(clock.times()).toEqual({ now, latest: now });
  now -= 2 * HOUR;
  expect(clock.times()).toEqual({ now, latest: now + 2 * HOUR });
  now -= 10 * DAY;
  expect(clock.times().latest).toBe(now + 26 * HOUR);
});
