/** Guarantee tested: lanes share a link by weight and cap, urgent ones of any lane overtake, and runs spread over links as the rates say. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { BURST_BYTES, WIRE_OVERHEAD } from "../src/gate/gate.ts";
import { CATCH_UP_MS, Pacer } from "../src/gate/pacer.ts";
import { Geometry } from "../src/object.ts";
import { ShardMemory } from "../src/tx/memory.ts";
import { type LaneShare, Order, REPEAT_CLASS, type Slot } from "../src/tx/order.ts";
import type { Pass, Run } from "../src/tx/pass.ts";
import { Spread, type SpreadLink } from "../src/tx/spread.ts";

const URGENT = 0;
const NORMAL = 1;
const BULK = 2;
const FRAMES = 44;

interface Sent {
  ready: boolean;
  bytes: number;
}

/** A line that is always full: bursts as the order names them, one after another. */
function run(order: Order<Sent>, bursts: number, msPerBurst = 0): void {
  for (let burst = 0; burst < bursts; burst += 1) {
    const nowMs = burst * msPerBurst;
    const slot = order.next(nowMs);
    if (slot === undefined) continue;
    const pass = order.turn(slot);
    if (pass !== undefined) pass.bytes += BURST_BYTES;
    order.charge(slot, BURST_BYTES, FRAMES, nowMs);
  }
}

function busy(order: Order<Sent>, lane: number, serviceClass: number): Sent {
  const pass = { ready: true, bytes: 0 };
  order.add(pass, serviceClass, lane);
  return pass;
}

const weights = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 5 })
  .map((list) => list.map((weight, number): LaneShare => ({ number, weight })));

test("lanes with the same to do share a line by their weights", () => {
  fc.assert(
    fc.property(weights, fc.constantFrom(URGENT, NORMAL, BULK), (lanes, serviceClass) => {
      const order = new Order<Sent>(lanes);
      const passes = lanes.map(({ number }) => busy(order, number, serviceClass));
      const bursts = 600;
      run(order, bursts);
      const sum = lanes.reduce((total, { weight }) => total + weight, 0);
      for (const [at, { weight }] of lanes.entries()) {
        const share = (passes[at] as Sent).bytes / BURST_BYTES;
        // Within a burst for each lane.
        expect(Math.abs(share - (bursts * weight) / sum)).toBeLessThanOrEqual(lanes.length);
      }
    }),
    { numRuns: 40 },
  );
});

test("the weight of a lane holds whatever classes it sends, and its classes share what it has", () => {
  const order = new Order<Sent>([
    { number: 3, weight: 1 },
    { number: 9, weight: 3 },
  ]);
  const normal = busy(order, 3, NORMAL);
  const bulk = busy(order, 3, BULK);
  const other = busy(order, 9, REPEAT_CLASS);
  run(order, 4_200);
  const parts = [normal, bulk, other].map(({ bytes }) => Math.round(bytes / BURST_BYTES));
  expect(parts).toEqual([800, 250, 3_150]);
});

test("a burst of an urgent lane of weight 1 overtakes the bulk of one of weight 1,000", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), (before) => {
      const order = new Order<Sent>([
        { number: 0, weight: 1_000 },
        { number: 1, weight: 1 },
      ]);
      const bulk = busy(order, 0, BULK);
      run(order, before);
      expect(bulk.bytes).toBe(before * BURST_BYTES);
      const urgent = busy(order, 1, URGENT);
      // It came while a burst was on its way: the next is its own, and of ten it has eight or more.
      run(order, 10);
      expect(urgent.bytes).toBeGreaterThanOrEqual(8 * BURST_BYTES);
    }),
    { numRuns: 30 },
  );
});

test("urgent ones of all lanes leave the others what is theirs", () => {
  const order = new Order<Sent>([
    { number: 0, weight: 1 },
    { number: 1, weight: 1 },
  ]);
  const urgent = [busy(order, 0, URGENT), busy(order, 1, URGENT)];
  const rest = [NORMAL, BULK, REPEAT_CLASS].map((serviceClass) => busy(order, 1, serviceClass));
  run(order, 1_000);
  const parts = [...urgent, ...rest].map(({ bytes }) => Math.round(bytes / BURST_BYTES / 10));
  expect(parts).toEqual([24, 24, 32, 10, 10]);
});

test("a cap is kept over any stretch of time, and what it leaves goes to the others", () => {
  const rates = fc.integer({ min: 1_000_000, max: 60_000_000 });
  fc.assert(
    fc.property(rates, fc.integer({ min: 0, max: 400 }), (rate, from) => {
      const lanes: LaneShare[] = [
        { number: 0, weight: 5, cap: new Pacer(rate) },
        { number: 1, weight: 1 },
      ];
      const order = new Order<Sent>(lanes);
      const capped = [busy(order, 0, URGENT), busy(order, 0, BULK)];
      const free = busy(order, 1, BULK);
      // 100 MB/s on the line.
      const msPerBurst = 0.64;
      run(order, from, msPerBurst);
      const bursts = 1_000;
      const before = capped.reduce((sum, { bytes }) => sum + bytes, 0);
      const freeBefore = free.bytes;
      const started = from * msPerBurst;
      for (let burst = 0; burst < bursts; burst += 1) {
        const nowMs = started + burst * msPerBurst;
        const slot = order.next(nowMs);
        if (slot === undefined) continue;
        const pass = order.turn(slot) as Sent;
        pass.bytes += BURST_BYTES;
        order.charge(slot, BURST_BYTES, FRAMES, nowMs);
      }
      const wire = (BURST_BYTES + FRAMES * WIRE_OVERHEAD) / BURST_BYTES;
      const sent = (capped.reduce((sum, { bytes }) => sum + bytes, 0) - before) * wire;
      const most = (rate * (bursts * msPerBurst + CATCH_UP_MS)) / 1_000 + BURST_BYTES * wire;
      expect(sent).toBeLessThanOrEqual(most);
      // And it has all of it: less than a burst for each is lost to rounding.
      const least = Math.min(rate * 0.9, 80e6) * ((bursts * msPerBurst) / 1_000) - 2 * BURST_BYTES;
      expect(sent).toBeGreaterThanOrEqual(least);
      expect(free.bytes - freeBefore).toBeGreaterThan(0);
    }),
    { numRuns: 25 },
  );
});

test("when only a capped lane has something, the order says how long to wait for it", () => {
  const order = new Order<Sent>([{ number: 0, weight: 1, cap: new Pacer(1_000_000) }]);
  expect(order.pauseMs(0)).toBe(Number.POSITIVE_INFINITY);
  busy(order, 0, BULK);
  expect(order.pauseMs(0)).toBeLessThanOrEqual(0);
  order.charge(order.next(0) as Slot<Sent>, 100_000, 0, 0);
  expect(order.next(50)).toBeUndefined();
  expect(order.pauseMs(50)).toBeLessThanOrEqual(50);
  expect(order.pauseMs(50)).toBeGreaterThanOrEqual(50 - CATCH_UP_MS);
  expect(order.next(100)).toBeDefined();
});

interface Went {
  readonly link: number;
  readonly runs: readonly Run[];
}

const memory = new ShardMemory(208, { groupShards: 1, parityShards: 0 });

function spreadOver(rates: readonly number[]): Spread {
  const emitter = { send: () => Promise.resolve(), wake: () => undefined };
  return new Spread(rates.map((rate): SpreadLink => ({ emitter, memory, rate })));
}

const ways = fc.record({
  rates: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }),
  groups: fc.integer({ min: 1, max: 700 }),
  most: fc.integer({ min: 1, max: 64 }),
  turn: fc.nat(1_000),
});

test("every group goes by exactly one link, in runs no longer than a block, and by another one in the next pass", () => {
  fc.assert(
    fc.property(ways, ({ rates, groups, most, turn }) => {
      const spread = spreadOver(rates);
      const linkOf = (pass: number): number[] => {
        const of: number[] = [];
        const parts = spread.byLink([{ first: 0, count: groups }], most, turn, pass);
        for (const [link, runs] of parts) {
          for (const { first, count } of runs) {
            expect(count).toBeLessThanOrEqual(most);
            for (let group = first; group < first + count; group += 1) {
              expect(of[group]).toBeUndefined();
              of[group] = link;
            }
          }
        }
        expect(of).toHaveLength(groups);
        return of;
      };
      const first = linkOf(0);
      const second = linkOf(1);
      const elsewhere = first.every((link, group) => link !== second[group]);
      expect(elsewhere).toBe(rates.length > 1);
    }),
    { numRuns: 60 },
  );
});

test("links of one rate have the same of an object, in blocks as long as these come round; one link has blocks and a rest", () => {
  fc.assert(
    fc.property(ways, ({ groups, most, turn }) => {
      for (const count of [1, 2, 3, 4]) {
        const rates = Array.from({ length: count }, () => 5);
        const parts = spreadOver(rates).byLink([{ first: 0, count: groups }], most, turn, 0);
        const had = rates.map((_, link) =>
          (parts.get(link) ?? []).reduce((sum, run) => sum + run.count, 0),
        );
        expect(Math.max(...had) - Math.min(...had)).toBeLessThanOrEqual(1);
        const lengths = [...parts.values()]
          .flat()
          .toSorted((one, other) => one.first - other.first)
          .map((run) => run.count);
        const whole = Math.floor(groups / (count * most)) * count;
        expect(new Set(lengths.slice(0, whole))).toEqual(new Set(whole === 0 ? [] : [most]));
        const rest = lengths.slice(whole);
        expect(rest.length).toBeLessThanOrEqual(count);
        if (rest.length > 0) expect(Math.max(...rest) - Math.min(...rest)).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 60 },
  );
});

test("short objects are given to the links in proportion to their rates", () => {
  const spread = spreadOver([100, 50, 25]);
  const had = [0, 0, 0];
  for (let object = 0; object < 700; object += 1) {
    const [[link] = [0]] = [...spread.byLink([{ first: 0, count: 1 }], 64, object, 0)];
    had[link] = (had[link] ?? 0) + 1;
  }
  expect(had).toEqual([400, 200, 100]);
});

test("what stops one part of a pass stops them all", async () => {
  const stopped: number[] = [];
  const went: Went[] = [];
  const waiting: (() => void)[] = [];
  const links = [0, 1, 2].map((link): SpreadLink => {
    const send = async (pass: unknown): Promise<void> => {
      if (link === 1) throw new RangeError("file");
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        (pass as { link: number }).link = link;
      });
    };
    return { emitter: { send, wake: () => undefined }, memory, rate: 1 };
  });
  const spread = new Spread(links);
  const geometry = new Geometry(3 * 128 * 1_408, 1_408);
  const passOn = (_: SpreadLink, part: { readonly runs: readonly Run[] }): Pass => {
    const pass = { link: -1, stop: () => undefined as unknown };
    pass.stop = () => {
      stopped.push(pass.link);
      for (const resolve of waiting.splice(0)) resolve();
    };
    went.push({ link: went.length, runs: part.runs });
    return pass as unknown as Pass;
  };
  const sending = spread.send({ objectId: 2 ** 32, geometry }, 0, [], passOn);
  await expect(sending).rejects.toThrow("file");
  expect(went.flatMap(({ runs }) => runs)).toEqual([
    { first: 0, count: 1 },
    { first: 1, count: 1 },
    { first: 2, count: 1 },
  ]);
  expect(stopped.toSorted()).toEqual([-1, 0, 2]);
});
