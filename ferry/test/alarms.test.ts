/** Guarantee tested: every condition of the link is alarmed once when it begins and once when it is over, and only then. */
import { GatewayError } from "@lightferry/proto/errors";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Alarms } from "../src/alarms.ts";
import type { FerryEvent } from "../src/events.ts";
import { readAlarmLimits } from "../src/rx/alarm-limits.ts";
import type { Station } from "../src/rx/station.ts";
import { LANE, place, quiet, SETTINGS, startSender, startStation } from "./fixture.ts";
import { linkRig, type RigChange } from "./link-rig.ts";

/** The monotonic clock, at whole milliseconds. */
let now = 0;
beforeEach(() => {
  now = Math.ceil(performance.now());
});
afterEach(() => vi.restoreAllMocks());

const rigged = (change: RigChange = {}) => {
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return linkRig(change);
};

/** What was recorded: code at the beginning, code behind an arrow at the end. */
async function story(rig: { alarms: Alarms; events: { all: FerryEvent[] } }): Promise<string[]> {
  await rig.alarms.recorded();
  return rig.events.all
    .filter(({ type }) => type.startsWith("gate.alarm"))
    .map(({ type, code, attributes }) =>
      type === "gate.alarm" ? `${code}` : `over ${attributes?.after}`,
    );
}

test("loss above the limit, over the window: once, and once when it has eased", async () => {
  const rig = await rigged({ limits: { lossPermille: 10, lossWindowSeconds: 10 } });
  let number = 0;
  let next = 0;
  /** A heartbeat after so many frames of which so many are lost; it settles those before the former. */
  const second = (frames: number, lost: number) => {
    // The former heartbeat was one of them.
    for (let seq = next + 1 + lost; seq < next + frames; seq += 1) rig.data(1, seq);
    next += frames;
    now += 1_000;
    number += 1;
    rig.beat(1, number, next);
  };
  second(0, 0);
  second(2_000, 0);
  second(2_000, 0);
  second(2_000, 25);
  second(2_000, 25);
  expect(await story(rig)).toEqual([]);
  second(1_000, 200);
  second(1_000, 200);
  second(1_000, 0);
  expect(await story(rig)).toEqual(["ferry.loss-high"]);
  for (let quiet = 0; quiet < 12; quiet += 1) second(1_000, 0);
  expect(await story(rig)).toEqual(["ferry.loss-high", "over ferry.loss-high"]);
  expect(rig.events.all.find(({ type }) => type === "gate.alarm")).toMatchObject({
    outcome: "error",
    lane: LANE,
    attributes: { "window-s": "10", lost: expect.any(String), percent: expect.any(String) },
  });
  expect(rig.link.state.lost).toBe(450);
  await rig.close();
});

test("a few frames of an idle link are no loss rate", async () => {
  const rig = await rigged();
  for (let number = 1; number < 60; number += 1) {
    now += 1_000;
    // Half of four frames a second are lost: beyond the limit at once, and few until it is twenty.
    rig.beat(1, number, number * 4);
    rig.data(1, number * 4 + 1);
    if (number === 10) expect(await story(rig)).toEqual([]);
  }
  expect(await story(rig)).toEqual(["ferry.loss-high"]);
  await rig.close();
});

test("what was lost while the receiver was down is counted, and no fault of the line", async () => {
  const rig = await rigged();
  rig.beat(1, 1, 0);
  rig.beat(1, 2, 1);
  await rig.link.save();
  const later = await rig.reopen();
  const beats = [500, 501, 502].map((nextFrame, index) =>
    later.beat({ epoch: 1, number: 10 + index, nextFrame, timeMs: 1 } as never),
  );
  expect(beats).toMatchObject([
    { settled: 0, fromBefore: false },
    { settled: 500, fromBefore: true },
    { settled: 1, fromBefore: false },
  ]);
  await rig.close();
});

test("what differs between the two ends is named, thing by thing", async () => {
  const expected = { frameSize: 8944, groupShards: 128, parityShards: 8, mtu: 1500 };
  const rig = await rigged({ expected });
  const told = (number: number, change: object) =>
    rig.tell(1, number, number, { settings: { ...SETTINGS, ...change } });
  const lanes = [...SETTINGS.lanes, { number: 1, lane: "outbound" }];
  told(1, { lanes, frameSize: 1473 });
  told(2, { lanes, frameSize: 1473 });
  expect(rig.alarms.active).toMatchObject([
    {
      code: "ferry.link-mismatch",
      facts: {
        lanes: "1 outbound/0 inbound",
        "frame-size": "1473/8944",
        "parity-shards": "16/8",
        mtu: "1501/1500",
      },
    },
  ]);
  await rig.close();
  const agreeing = await rigged({ expected: { frameSize: 1456, groupShards: 128, mtu: 1500 } });
  agreeing.tell(1, 1, 1, { settings: { ...SETTINGS, groupShards: 64 } });
  agreeing.tell(1, 2, 2);
  expect(await story(agreeing)).toEqual(["ferry.link-mismatch", "over ferry.link-mismatch"]);
  await agreeing.close();
});

test("lanes that no lane can be called are counted and not named, so that the alarm fits its event", async () => {
  const rig = await rigged();
  const strange = ["a".repeat(5_000), "\u001b[2J", "../x", "outbound"];
  const lanes = strange.map((lane, number) => ({ number: number + 1, lane }));
  const many = Array.from({ length: 30 }, () => ({ number: 9, lane: "b".repeat(63) }));
  rig.tell(1, 1, 1, { settings: { ...SETTINGS, lanes: [...SETTINGS.lanes, ...lanes, ...many] } });
  const [alarm] = rig.alarms.active;
  expect(alarm?.facts.lanes).toMatch(/^1 \?, 2 \?, 3 \?, 4 outbound, 9 b[ ,b9]+\/0 inbound$/);
  expect(alarm?.facts.lanes?.length).toBeLessThan(4_096);
  await rig.close();
});

test("an alarm that no journal takes keeps none behind it from being told", async () => {
  const told: unknown[] = [];
  const record = async (events: readonly FerryEvent[]) => {
    if (events.some(({ code }) => code === "ferry.link-mismatch")) {
      throw new GatewayError("event.invalid");
    }
    told.push(...events.map(({ code }) => code));
  };
  const alarms = new Alarms({ events: { record }, lane: LANE, log: quiet });
  alarms.raise("ferry.link-mismatch", {});
  alarms.raise("ferry.loss-high", {});
  await alarms.recorded();
  expect(told).toEqual(["ferry.loss-high"]);
});

test("what this end was not told is not compared", async () => {
  const rig = await rigged();
  rig.tell(1, 1, 1, { settings: { ...SETTINGS, frameSize: 700, groupShards: 3, parityShards: 0 } });
  expect(rig.alarms.active).toEqual([]);
  await rig.close();
});

test("clocks that differ are alarmed whichever of them is set, and either way", async () => {
  let ours = 1_800_000_000_000;
  const rig = await rigged({ clock: () => ours });
  const beat = (number: number, theirs: number) => rig.tell(1, number, number, { timeMs: theirs });
  beat(1, ours + 29_000);
  beat(2, ours - 29_000);
  expect(await story(rig)).toEqual([]);
  beat(3, ours - 7_200_000);
  beat(4, ours - 7_200_000);
  expect(rig.alarms.active[0]?.facts).toEqual({ "limit-ms": "30000", "offset-ms": "-7200000" });
  // Set right at the other end; between four fifths of the limit and the limit nothing flutters.
  beat(5, ours - 27_000);
  expect(rig.alarms.has("ferry.clock-drift")).toBe(true);
  beat(6, ours);
  // Our own clock jumps between two heartbeats.
  ours += 86_400_000;
  rig.receiver.tick();
  expect(await story(rig)).toEqual([
    "ferry.clock-drift",
    "over ferry.clock-drift",
    "ferry.clock-drift",
  ]);
  await rig.close();
});

test("an overrun of the socket is alarmed, and over when none came for a while", async () => {
  const rig = await rigged({ limits: { overrunQuietSeconds: 60 } });
  const tick = (overruns: number, seconds: number) => {
    now += seconds * 1_000;
    rig.received.overruns = overruns;
    rig.receiver.tick();
  };
  tick(0, 1);
  tick(7, 1);
  tick(9, 59);
  tick(9, 59);
  expect(await story(rig)).toEqual(["ferry.receive-overrun"]);
  tick(9, 1);
  expect(await story(rig)).toEqual(["ferry.receive-overrun", "over ferry.receive-overrun"]);
  const [began] = rig.events.all;
  expect(began?.attributes).toEqual({ "buffer-bytes": "65536", datagrams: "7" });
  await rig.close();
});

test("an alarm waits for a full journal; what it lasted is not forgotten meanwhile", async () => {
  const recorded: FerryEvent[] = [];
  let full = true;
  const events = {
    record: async (more: FerryEvent[]) => {
      if (full) throw new Error("full");
      recorded.push(...more);
    },
  };
  const alarms = new Alarms({ events, lane: LANE, log: quiet });
  alarms.raise("ferry.loss-high", { lost: "30" });
  alarms.raise("ferry.loss-high", { lost: "31" });
  alarms.clear("ferry.loss-high");
  alarms.clear("ferry.loss-high");
  full = false;
  await alarms.recorded();
  expect(recorded.map(({ type, code }) => [type, code])).toEqual([
    ["gate.alarm", "ferry.loss-high"],
    ["gate.alarm-over", undefined],
  ]);
  expect(alarms.counts.get("ferry.loss-high")).toBe(1);
  await alarms.close();
});

test("limits are settings, and a misspelt one is refused", () => {
  const alarms = { heartbeatMilliseconds: 1_500, lossPermille: 50, clockSeconds: 5 };
  expect(readAlarmLimits({ alarms })).toMatchObject({
    ...{ heartbeatMs: 1_500, lossPermille: 50, lossWindowSeconds: 60, clockSeconds: 5 },
  });
  expect(() => readAlarmLimits({ alarms: { heartbeatMilliseconds: 2_900 } })).toThrow("alarms.");
  expect(() => readAlarmLimits({ alarms: { loss: 5 } })).toThrow("alarms.loss");
});

test("a sender that dies is alarmed within three seconds, and not before it died", async () => {
  const at = place();
  let station: Station | undefined;
  try {
    const recorded = new Promise<number>((resolve) => {
      const { record } = at.rxEvents;
      at.rxEvents.record = async (events) => {
        await record(events);
        if (events.some(({ type }) => type === "gate.heartbeat-missed")) resolve(performance.now());
      };
    });
    const started = await startStation(at);
    station = started.station;
    const sender = await startSender(at, started.port);
    await vi.waitFor(
      () => expect(station?.status()).toMatchObject({ epoch: 1, heartbeat: { silent: false } }),
      { timeout: 20_000 },
    );
    await sender.close();
    const died = performance.now();
    expect(at.rxEvents.of("gate.heartbeat-missed")).toEqual([]);
    expect((await recorded) - died).toBeLessThan(3_000);
    expect(at.rxEvents.of("gate.heartbeat-missed")).toMatchObject([
      { outcome: "error", code: "ferry.heartbeat-missed", lane: LANE },
    ]);
  } finally {
    await station?.close();
    at.remove();
  }
});
