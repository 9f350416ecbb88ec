/** Guarantee tested: frames and bundles that are missing are counted and named exactly, and only heartbeats move the account. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { rangesText } from "../src/ranges.ts";
import { DEFAULT_ALARM_LIMITS } from "../src/rx/alarm-limits.ts";
import { LossWindow } from "../src/rx/loss.ts";
import { Streams } from "../src/rx/streams.ts";
import { FROM, LANE } from "./fixture.ts";
import { linkRig as rig } from "./link-rig.ts";

test("the window counts each number once, whatever the order and the doubles", () => {
  fc.assert(
    fc.property(
      fc.nat(5_000_000),
      fc.array(fc.nat(400), { maxLength: 600 }),
      fc.array(fc.nat(400), { maxLength: 4 }),
      (base, seen, marks) => {
        const window = new LossWindow(base);
        for (const number of seen) window.see(base + number);
        const missing = new Set(Array.from({ length: 401 }, (_, index) => index));
        for (const number of seen) missing.delete(number);
        let from = 0;
        for (const mark of [...marks, 401].sort((a, b) => a - b)) {
          const expected = [...missing].filter((number) => number >= from && number < mark).length;
          expect(window.settle(base + mark).count).toBe(expected);
          from = Math.max(from, mark);
        }
        expect(window.base).toBe(base + 401);
        expect(window.see(base)).toBe("late");
      },
    ),
  );
});

test("numbers beyond the window are not counted, and a long silence is", () => {
  const window = new LossWindow(0);
  expect(window.see(2 ** 52)).toBe("beyond");
  window.see(5);
  expect(window.settle(10_000_000)).toEqual({
    count: 9_999_999,
    ranges: [
      [0, 4],
      [6, 9_999_999],
    ],
  });
});

test("ranges are named with both ends", () => {
  expect(
    rangesText([
      [1, 1],
      [4, 9],
    ]),
  ).toBe("1,4-9");
});

test("a gap of a stream is reported once, one heartbeat later, and closes when it arrives", () => {
  const streams = new Streams();
  for (const sequence of [1, 2, 5]) streams.arrived("s", sequence);
  expect(streams.passed("s", { sequence: 6, underWay: 0 })).toBeUndefined();
  expect(streams.passed("s", { sequence: 6, underWay: 0 })).toEqual({
    stream: "s",
    missing: "3-4,6",
    count: 3,
  });
  expect(streams.passed("s", { sequence: 6, underWay: 0 })).toBeUndefined();
  streams.arrived("s", 4);
  expect(streams.open()).toMatchObject([{ stream: "s", missing: "3,6", count: 2 }]);
  streams.arrived("s", 3);
  streams.arrived("s", 6);
  expect(streams.open()).toEqual([]);
  expect(streams.positions()).toEqual({ s: [[1, 6]] });
});

test("what a ferry that lives has under way is no gap, whatever others have passed", () => {
  const streams = new Streams();
  const tell = (link: number, sequence: number, underWay: number, nowMs: number) =>
    streams.passed("s", { sequence, underWay }, link, nowMs)?.missing;
  streams.arrived("s", 1);
  // 2 takes long at the ferry of link 1, while link 0 has passed 5, of which 4 is lost.
  expect(tell(0, 5, 0, 0)).toBeUndefined();
  expect(tell(1, 0, 2, 10)).toBeUndefined();
  expect(tell(0, 5, 0, 500)).toBeUndefined();
  streams.arrived("s", 3);
  expect(tell(1, 2, 0, 510)).toBeUndefined();
  // It has left a moment ago: that is no time to arrive.
  expect(tell(0, 5, 0, 1_000)).toBeUndefined();
  streams.arrived("s", 2);
  expect(tell(1, 2, 0, 1_010)).toBeUndefined();
  expect(tell(0, 5, 0, 1_500)).toBe("4-5");
});

test("what a ferry had under way that fell silent is a gap", () => {
  const streams = new Streams();
  expect(streams.passed("s", { sequence: 0, underWay: 1 }, 1, 0)).toBeUndefined();
  expect(streams.passed("s", { sequence: 2, underWay: 0 }, 0, 2_000)).toBeUndefined();
  expect(streams.passed("s", { sequence: 2, underWay: 0 }, 0, 2_500)).toBeUndefined();
  expect(streams.passed("s", { sequence: 2, underWay: 0 }, 0, 3_100)?.missing).toBe("1-2");
});

test("whatever arrives in whatever order, the open gaps are what did not", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 }), (arrivals) => {
      const streams = new Streams();
      for (const sequence of arrivals) streams.arrived("s", sequence);
      streams.passed("s", { sequence: 60, underWay: 0 });
      streams.passed("s", { sequence: 60, underWay: 0 });
      const missing = 60 - new Set(arrivals).size;
      expect(streams.open()[0]?.count ?? 0).toBe(missing);
    }),
  );
});

test("losses of an epoch are settled from its first frame, reordering is none", async () => {
  const { link, beat, data, close } = await rig();
  beat(3, 1, 0);
  for (const seq of [2, 1, 4]) data(3, seq);
  beat(3, 2, 5);
  expect(link.state.lost).toBe(0);
  data(3, 3); // late by one heartbeat, still no loss
  beat(3, 3, 10);
  expect(link.state.lost).toBe(0);
  beat(3, 4, 11);
  expect(link.state).toMatchObject({ lost: 4, settledTo: 10, settled: 10 });
  // A new epoch counts from zero; what came of it before its heartbeat counts.
  data(4, 0);
  data(4, 2);
  beat(4, 1, 3);
  beat(4, 2, 4);
  expect(link.state).toMatchObject({ epoch: 4, lost: 5, settledTo: 3 });
  await close();
});

test("frames without a signature never move the account", async () => {
  const { link, data, close } = await rig();
  for (const [epoch, seq] of [
    [9, 5],
    [8, 1],
    [2 ** 50, 2 ** 50],
  ] as const)
    data(epoch, seq);
  expect(link.state).toMatchObject({ epoch: 0, lost: 0, settledTo: 0 });
  await close();
});

test("frames that name ever other epochs cost no window each, and do not outlast a heartbeat", async () => {
  const { link, beat, data, close } = await rig();
  beat(1, 1, 0);
  const made = vi.spyOn(globalThis, "Uint32Array");
  for (let epoch = 2; epoch < 2_000; epoch += 1) link.see(epoch, 0);
  expect(made.mock.calls.length).toBeLessThan(16);
  made.mockRestore();
  beat(1, 2, 1);
  data(2, 0);
  beat(2, 1, 1);
  beat(2, 2, 2);
  // Frame 0 of epoch 1 never came; that of epoch 2 came before its heartbeat and counts.
  expect(link.state).toMatchObject({ epoch: 2, settledTo: 1, lost: 0 });
  await close();
});

test("after a restart of the receiver what was sent meanwhile is missing", async () => {
  const { link, beat, data, reopen, close } = await rig();
  beat(1, 1, 0);
  data(1, 1);
  beat(1, 2, 2);
  beat(1, 3, 3);
  await link.save();
  const later = await reopen();
  expect(later.state).toMatchObject({ epoch: 1, settledTo: 2, lost: 0 });
  const message = (number: number, nextFrame: number) =>
    ({ epoch: 1, number, nextFrame, timeMs: 1 }) as never;
  expect(later.beat(message(3, 3))).toBe("repeated");
  later.beat(message(8, 50));
  later.see(1, 50);
  later.beat(message(9, 52));
  expect(later.state).toMatchObject({ lost: 48, settledTo: 50 });
  await close();
});

test("silence is alarmed once and its end too; bundle and frame gaps become events", async () => {
  // Whole milliseconds: a sum of fractions is not exact, and the limit is looked at to the millisecond.
  let now = Math.ceil(performance.now());
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  try {
    const { events, alarms, receiver, watch, beat, close } = await rig();
    beat(1, 1, 0);
    now += DEFAULT_ALARM_LIMITS.heartbeatMs;
    watch.pulse();
    watch.pulse();
    expect(watch.silent).toBe(false);
    now += 1;
    // Held up itself: it looks once more at what came meanwhile.
    watch.pulse();
    expect(watch.silent).toBe(false);
    watch.pulse();
    watch.pulse();
    await alarms.recorded();
    expect(events.of("gate.heartbeat-missed")).toHaveLength(1);
    beat(1, 2, 7, 4);
    await alarms.recorded();
    expect(events.of("gate.heartbeat-restored")).toHaveLength(1);
    now += 500;
    beat(1, 3, 8, 4);
    expect(events.of("gate.gap").map((event) => event.attributes)).toEqual([
      { bundles: "4", missing: "1-4", stream: `${LANE}/${FROM}/normal` },
    ]);
    now += 10_000;
    receiver.tick();
    expect(events.of("gate.gap").at(-1)?.attributes).toEqual({
      epoch: "1",
      frames: "6",
      link: "0",
      ranges: "1-6",
    });
    await close();
  } finally {
    clock.mockRestore();
  }
});

test("the sender's time is taken from its heartbeats", async () => {
  const { link, beat, close } = await rig();
  expect(Math.abs(link.senderNow() - Date.now())).toBeLessThan(100);
  beat(1, 1, 0);
  expect(Math.abs(link.senderNow() - Date.now() - 5_000)).toBeLessThan(1_000);
  await close();
});
