/** Guarantee tested: every number that the sender has and that is not here is named once, alarmed once, and called unrepairable only when the sender has it no more; a restart forgets none of it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FerryEventType } from "../src/events.ts";
import type { Page } from "../src/inventory.ts";
import { type Range, RangeSet } from "../src/ranges.ts";
import { missingPath, readMissing } from "../src/repair/missing.ts";
import { DoneLog } from "../src/rx/done.ts";
import { Gaps } from "../src/rx/gaps.ts";
import { Events, eventually, FROM, LANE, quiet } from "./fixture.ts";
import { numbersOf, range } from "./number-ranges.ts";

const STREAM = `${LANE}/${FROM}/normal`;

let dir: string;
let now = 0;
let rig: Awaited<ReturnType<typeof open>>;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "lf-gaps-"));
  now = 0;
  rig = await open(new Events());
});
afterEach(async () => {
  await rig.close();
  rmSync(dir, { recursive: true });
});

async function open(events: Events) {
  const done = await DoneLog.open(join(dir, "done.log"));
  const opening = await Gaps.opening({
    ...{ path: missingPath(dir, LANE), lane: LANE, sender: FROM, done, events, log: quiet },
    ...{ senderOffsetMs: () => 7_000, now: () => now },
  });
  const gaps = opening(() => []);
  let sequence = 0;
  return {
    done,
    gaps,
    events,
    /** A page arrives. */
    page: (held: readonly Range[], change: Partial<Page> & { epoch?: number } = {}) => {
      const { epoch = 1, ...rest } = change;
      if (change.number === undefined) sequence += 1;
      return gaps.page(epoch, {
        ...{ number: sequence, page: 0, last: true, full: false, passDelayMs: 10_000 },
        held: new Map(held.length === 0 ? [] : [[STREAM, held]]),
        givenUp: new Map(),
        ...rest,
      });
    },
    /** Heartbeats say a position, half a second apart. */
    heard: (sequence: number) => {
      for (let twice = 0; twice < 2; twice += 1) {
        gaps.positions([{ stream: STREAM, sequence }]);
        now += 500;
      }
    },
    /** Time goes by, a second at a time. */
    pass: (ms: number) => {
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + 1_000);
        gaps.tick();
      }
    },
    arrived: (sequence: number) =>
      done.add({ objectId: sequence, bundleId: `b${sequence}`, stream: STREAM, sequence }),
    told: (type: FerryEventType) =>
      events.of(type).map(({ attributes }) => `${attributes?.bundles}: ${attributes?.missing}`),
    rows: () => done.streams.open().map(({ missing, state }) => `${state} ${missing}`),
    close: async () => {
      await gaps.close();
      await done.close();
    },
  };
}

async function restart(): Promise<void> {
  await rig.close();
  rig = await open(rig.events);
}

test("what is held and not here is named once, a moment later; what arrives meanwhile never", async () => {
  rig.page([[1, 5]]);
  await rig.arrived(2);
  expect(rig.told("gate.gap")).toEqual([]);
  await rig.arrived(4);
  rig.pass(1_000);
  expect(rig.told("gate.gap")).toEqual(["3: 1,3,5"]);
  rig.page([[1, 6]]);
  rig.pass(5_000);
  expect(rig.told("gate.gap")).toEqual(["3: 1,3,5", "1: 6"]);
  await rig.arrived(3);
  expect(rig.rows()).toEqual(["open 1,5-6"]);
  for (const number of [1, 5, 6]) await rig.arrived(number);
  expect(rig.rows()).toEqual([]);
});

test("however many are missing, each is named: in as many events as it takes", () => {
  rig.page(Array.from({ length: 250 }, (_, index): Range => [2 * index + 1, 2 * index + 1]));
  rig.pass(2_000);
  const named = rig.events.of("gate.gap").map(({ attributes }) => attributes?.missing ?? "");
  expect(named).toHaveLength(3);
  expect(named.join(",").split(",").map(Number)).toEqual(
    Array.from({ length: 250 }, (_, index) => 2 * index + 1),
  );
});

test("a gap that a heartbeat named is not named again by an inventory", () => {
  rig.gaps.positions([{ stream: "outbound/x/normal", sequence: 9 }]);
  // Another link says it at once: that is no second word.
  rig.gaps.positions([{ stream: STREAM, sequence: 4 }], 0);
  rig.gaps.positions([{ stream: STREAM, sequence: 4 }], 1);
  expect(rig.told("gate.gap")).toEqual([]);
  rig.gaps.positions([{ stream: STREAM, sequence: 4 }], 0);
  expect(rig.told("gate.gap")).toEqual(["4: 1-4"]);
  rig.page([[1, 4]]);
  rig.pass(3_000);
  expect(rig.told("gate.gap")).toHaveLength(1);
});

test("two pass delays after an inventory named it, a gap is alarmed once", async () => {
  rig.page([[1, 3]]);
  rig.pass(15_000);
  await rig.arrived(2);
  // Named every minute; the clock runs from the first time.
  rig.page([[1, 3]]);
  rig.pass(4_000);
  expect(rig.told("gate.gap-unrepaired")).toEqual([]);
  rig.pass(1_000);
  expect(rig.told("gate.gap-unrepaired")).toEqual(["2: 1,3"]);
  expect(rig.rows()).toEqual(["unrepaired 1,3"]);
  rig.page([[1, 3]]);
  rig.pass(60_000);
  expect(rig.told("gate.gap-unrepaired")).toHaveLength(1);
});

test("positions that the sender gave up are no gaps, also after a restart", async () => {
  rig.page([[1, 6]], {
    givenUp: new Map([[STREAM, [[3, 4]]]]),
    held: new Map([[STREAM, [[1, 2]]]]),
  });
  rig.pass(2_000);
  expect(rig.told("gate.gap")).toEqual(["2: 1-2"]);
  rig.heard(5);
  expect(rig.rows()).toEqual(["open 1-2,5"]);
  await restart();
  rig.heard(5);
  expect(rig.rows()).toEqual(["open 1-2,5"]);
  expect(rig.told("gate.gap")).toEqual(["2: 1-2", "1: 5"]);
});

test("what was held and is not in a whole full inventory any more is unrepairable, once", () => {
  rig.page([[1, 5]]);
  rig.pass(2_000);
  // Only what is recent: that it names nothing else says nothing.
  rig.page([[5, 5]]);
  expect(rig.rows()).toEqual(["open 1-5"]);
  // A page is lost on the way.
  rig.page([[4, 4]], { full: true, number: 7, page: 0, last: false });
  rig.page([[5, 5]], { full: true, number: 7, page: 2, last: true });
  expect(rig.told("gate.gap-unrepairable")).toEqual([]);
  rig.page([[3, 4]], { full: true, number: 8, page: 0, last: false });
  expect(rig.told("gate.gap-unrepairable")).toEqual([]);
  rig.page([[5, 5]], { full: true, number: 8, page: 1, last: true });
  expect(rig.told("gate.gap-unrepairable")).toEqual(["2: 1-2"]);
  expect(rig.rows()).toEqual(["open 3-5", "unrepairable 1-2"]);
  rig.page([[3, 5]], { full: true, number: 9 });
  expect(rig.told("gate.gap-unrepairable")).toHaveLength(1);
  // Nobody need ask for it any more.
  expect(rig.done.streams.wanted()).toEqual(new Map([[STREAM, [[3, 5]]]]));
  // A restored outbox has it again.
  rig.page([[1, 5]], { number: 10 });
  expect(rig.rows()).toEqual(["open 1-5"]);
});

test("a number that waits for its first pass while a later one has left is not unrepairable", async () => {
  rig.heard(9);
  for (let number = 1; number <= 9; number += 1)
    if (number !== 4 && number !== 6) await rig.arrived(number);
  rig.page(
    [
      [1, 3],
      [5, 5],
      [7, 9],
    ],
    { full: true },
  );
  rig.pass(15_000);
  // On demand, half a minute later: too soon to say.
  rig.page(
    [
      [1, 3],
      [5, 5],
      [7, 9],
    ],
    { full: true },
  );
  expect(rig.rows()).toEqual(["open 4,6"]);
  await rig.arrived(4);
  rig.pass(10_000);
  expect(rig.told("gate.gap-unrepairable")).toEqual([]);
  rig.page(
    [
      [1, 5],
      [7, 9],
    ],
    { full: true },
  );
  expect(rig.told("gate.gap-unrepairable")).toEqual(["1: 6"]);
});

test("a page is taken once, an older inventory never, also after a restart; ferries are told apart", async () => {
  expect(rig.page([[1, 1]], { number: 5 })).toBeUndefined();
  expect(rig.page([[1, 9]], { number: 5 })).toBe("repeated");
  expect(rig.page([[1, 9]], { number: 4, full: true })).toBe("repeated");
  rig.pass(2_000);
  await restart();
  expect(rig.page([[1, 9]], { number: 4 })).toBe("repeated");
  expect(rig.page([[2, 2]], { number: 1, epoch: 2 })).toBeUndefined();
  expect(rig.page([[1, 9]], { number: 9, epoch: 1 })).toBe("repeated");
  expect(rig.page([[3, 3]], { number: 1, epoch: 3 * 2 ** 17 + 1 })).toBeUndefined();
  rig.pass(2_000);
  expect(rig.told("gate.gap")).toEqual(["1: 1", "1: 2", "1: 3"]);
});

test("a restart says nothing twice and lets no alarm fall away", async () => {
  rig.page([[1, 4]]);
  rig.pass(21_000);
  rig.page([[1, 6]]);
  rig.pass(2_000);
  rig.page([[3, 6]], { full: true });
  rig.pass(1_000);
  const said = rig.events.all.length;
  await restart();
  expect(rig.rows()).toEqual(["open 5-6", "unrepaired 3-4", "unrepairable 1-2"]);
  rig.page([[3, 6]], { number: 9 });
  rig.pass(19_000);
  expect(rig.events.all).toHaveLength(said);
  rig.pass(2_000);
  expect(rig.told("gate.gap-unrepaired")).toEqual(["4: 1-4", "2: 5-6"]);
});

test("the file for tickets says what is missing, by whose clock, and is no other lane's", async () => {
  rig.page([
    [1, 2],
    [9, 9],
  ]);
  rig.pass(2_000);
  await restart();
  const path = missingPath(dir, LANE);
  const missing = JSON.parse(readFileSync(path, "utf8")) as object;
  expect(missing).toMatchObject({
    ...{ lane: LANE, sender: FROM, inventories: [[1, 1]], senderOffsetMs: 7_000, objects: [] },
    streams: {
      [STREAM]: {
        open: [
          [1, 2],
          [9, 9],
        ],
        unrepairable: [],
      },
    },
  });
  await rig.close();
  const expected = { lane: LANE, sender: FROM };
  for (const change of [{ lane: "outbound" }, { sender: "x" }, { passDelayMs: -1 }]) {
    writeFileSync(path, JSON.stringify({ ...missing, ...change }));
    await expect(readMissing(path, expected)).rejects.toMatchObject({
      code: "ferry.state-corrupt",
    });
  }
  writeFileSync(path, JSON.stringify(missing));
  rig = await open(rig.events);
});

test("a gap that closes leaves the file for tickets, too", async () => {
  const missing = () => JSON.parse(readFileSync(missingPath(dir, LANE), "utf8")) as object;
  rig.page([[1, 2]]);
  rig.pass(2_000);
  await eventually(missing).toMatchObject({ streams: { [STREAM]: { open: [[1, 2]] } } });
  await rig.arrived(1);
  rig.pass(2_000);
  await eventually(missing).toMatchObject({ streams: { [STREAM]: { open: [[2, 2]] } } });
  await rig.arrived(2);
  rig.pass(2_000);
  await eventually(missing).toHaveProperty("streams", {});
});

test("whatever inventories say, in whatever order and over restarts: named once, alarmed once, and only what the last full one lacks is unrepairable", async () => {
  const small = fc
    .array(range, { minLength: 1, maxLength: 4 })
    .map((of) => new RangeSet(of).ranges);
  const step = fc.oneof(
    fc.record({ what: fc.constantFrom("held", "full", "givenUp"), ranges: small }),
    fc.record({ what: fc.constant("arrived"), ranges: small }),
    fc.record({ what: fc.constantFrom("wait", "restart"), ranges: small }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await rig.close();
      rmSync(dir, { recursive: true });
      mkdirSync(dir);
      rig = await open(new Events());
      const [held, here] = [new Set<number>(), new Set<number>()];
      let full: readonly Range[] = [];
      let number = 0;
      for (const { what, ranges } of steps) {
        number += 1;
        if (what === "held" || what === "full") {
          rig.page(ranges, { number, full: what === "full" });
          for (const one of numbersOf(ranges)) held.add(one);
          full = what === "full" ? ranges : [...full, ...ranges];
        } else if (what === "givenUp") {
          rig.page([], { number, givenUp: new Map([[STREAM, ranges]]) });
          for (const one of numbersOf(ranges)) here.add(one);
        } else if (what === "arrived") {
          for (const one of numbersOf(ranges)) {
            await rig.arrived(one);
            here.add(one);
          }
        } else if (what === "wait") {
          rig.pass(23_000);
        } else {
          // What was named a moment ago and not said yet is said after the next inventory.
          rig.pass(2_000);
          await restart();
        }
      }
      rig.pass(2_000);
      const lacking = [...held].filter((one) => !here.has(one)).sort((a, b) => a - b);
      const kept = rig.done.streams.gaps()[STREAM];
      expect(numbersOf(kept?.open ?? [])).toEqual(lacking);
      const still = new Set(numbersOf(full));
      expect(numbersOf(kept?.unrepairable ?? []).filter((one) => still.has(one))).toEqual([]);
      for (const type of ["gate.gap", "gate.gap-unrepaired"] as const) {
        const said = rig.events.of(type).flatMap(({ attributes }) =>
          (attributes?.missing ?? "").split(",").flatMap((part) => {
            const [first = 0, last = first] = part.split("-").map(Number);
            return numbersOf([[first, last]]);
          }),
        );
        expect(said).toHaveLength(new Set(said).size);
      }
    }),
    { numRuns: 20 },
  );
});
