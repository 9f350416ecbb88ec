/** Guarantee tested: every class has room of its own, is in one open poll at most, and is asked for as soon as it has some. */
import { randomBytes } from "node:crypto";
import type { lightferry } from "@lightferry/proto/gen";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_CODE } from "../src/object.ts";
import { GATE_LIMITS, leaseBundles } from "../src/tx/outbox.ts";
import { LEASE_CLASSES, leaseClassOf, type Place, Places } from "../src/tx/places.ts";
import { Sender } from "../src/tx/sender.ts";
import { directory, eventually, FROM, keys, LANE, linkOf, place, quiet, TO } from "./fixture.ts";
import { Outbox } from "./outbox.ts";
import { RecordingGate } from "./tx-gate.ts";

type Request = lightferry.ferry.v1.LeaseRequest.$Properties;

/** Of each class three small ones, one of them of any size. */
const SMALL = LEASE_CLASSES.map(() => ({ bundles: 3, anySize: 1, bytes: 100, held: 5 }));
const classesOf = (request: Request) => LEASE_CLASSES.filter((name) => request[name]);

/** A loop over an outbox in memory, with what it took by class and whether a class was ever asked for twice at once. */
function looping(limits = SMALL) {
  const outbox = new Outbox();
  const places = new Places(limits);
  const stop = new AbortController();
  const polls = new Map<string, number>();
  const taken: { readonly sequence: number; readonly leaseClass: number; readonly place: Place }[] =
    [];
  let twice = 0;
  const running = leaseBundles({
    ...{ lane: LANE, worker: "w", places, log: quiet, signal: stop.signal },
    lease: async (request, call) => {
      for (const name of classesOf(request)) {
        if ((polls.get(name) ?? 0) > 0) twice += 1;
        polls.set(name, (polls.get(name) ?? 0) + 1);
      }
      return await outbox.lease(request, call).finally(() => {
        for (const name of classesOf(request)) polls.set(name, (polls.get(name) ?? 0) - 1);
      });
    },
    take: (lease) => {
      const leaseClass = leaseClassOf(lease);
      const at = places.take(leaseClass, lease.size ?? 0);
      taken.push({ sequence: lease.sequence ?? 0, leaseClass, place: at });
    },
    failed: () => undefined,
  });
  let sequence = 0;
  const put = (priority: string, size = 1, more: object = {}): number => {
    sequence += 1;
    const bundleId = Buffer.from(String(sequence));
    outbox.put({ ...{ bundleId, size, priority, sequence }, stream: `${LANE}/n/x`, ...more });
    return sequence;
  };
  const numbers = (leaseClass: number) =>
    taken.filter((one) => one.leaseClass === leaseClass).map((one) => one.sequence);
  const close = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  /** Classes that are in a poll now. */
  const open = () => LEASE_CLASSES.filter((name) => (polls.get(name) ?? 0) > 0);
  return { outbox, places, taken, put, numbers, open, close, twice: () => twice };
}

test("with the places of one class full the others are leased at once, and it again as soon as one is free", async () => {
  const loop = looping();
  const bulk = Array.from({ length: 5 }, () => loop.put("bulk"));
  await eventually(() => loop.numbers(2)).toEqual(bulk.slice(0, 3));
  const urgent = loop.put("urgent");
  const repair = loop.put("bulk", 1, { repair: true });
  const further = loop.put("urgent", 1, { passesDone: 1 });
  await eventually(() => loop.numbers(0)).toEqual([urgent]);
  await eventually(() => loop.numbers(3)).toEqual([repair, further]);
  await eventually(loop.open).toEqual(["urgent", "normal", "repeated"]);
  // A poll for the others stays open; this one does not wait for it.
  const before = loop.outbox.requests.length;
  loop.taken[0]?.place.passed();
  await eventually(() => loop.numbers(2)).toEqual(bulk.slice(0, 4));
  expect(loop.outbox.requests.slice(before).map(classesOf)).toContainEqual(["bulk"]);
  expect(loop.twice()).toBe(0);
  await loop.close();
});

test("of large ones as many as are read at a time, of small ones as many as fit; what waits for its next pass is bounded apart", async () => {
  const loop = looping();
  const large = [loop.put("normal", 1_000), loop.put("normal", 1_000)];
  await eventually(() => loop.numbers(1)).toEqual(large.slice(0, 1));
  const urgent = loop.put("urgent", 1_000);
  await eventually(() => loop.numbers(0)).toEqual([urgent]);
  for (const { place: at } of loop.taken) at.passed();
  await eventually(() => loop.numbers(1)).toEqual(large);
  loop.taken.at(-1)?.place.left();
  // Four more, whose first passes are over: with the two others the class is full, and free again by what leaves.
  for (let more = 0; more < 6; more += 1) loop.put("normal");
  await eventually(() => {
    for (const { place: at } of loop.taken) at.passed();
    return loop.numbers(1).length;
  }).toBe(6);
  expect(loop.places.room(1)).toBeUndefined();
  expect(loop.places.room(0)).toEqual({ bundles: 3, anySize: 1, bytes: 100 });
  loop.taken[0]?.place.left();
  await eventually(() => loop.numbers(1)).toHaveLength(7);
  await loop.close();
});

test("whatever comes and goes, no limit is passed and nothing stays behind", async () => {
  const step = fc.oneof(
    fc.record({ priority: fc.constantFrom("urgent", "normal", "bulk"), size: fc.nat(150) }),
    fc.record({ passed: fc.nat() }),
    fc.record({ left: fc.nat() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const loop = looping();
      let puts = 0;
      for (const one of steps) {
        if ("priority" in one) {
          loop.put(one.priority, one.size);
          puts += 1;
        } else if ("passed" in one) {
          loop.taken[one.passed % Math.max(1, loop.taken.length)]?.place.passed();
        } else loop.taken[one.left % Math.max(1, loop.taken.length)]?.place.left();
        await new Promise((resolve) => setImmediate(resolve));
        expect(loop.places.sending).toBeLessThanOrEqual(9);
      }
      while (loop.taken.length < puts) {
        for (const { place: at } of loop.taken) at.left();
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const { place: at } of loop.taken) at.left();
      expect(new Set(loop.taken.map(({ sequence }) => sequence)).size).toBe(puts);
      for (const one of LEASE_CLASSES.keys()) {
        expect(loop.places.room(one)).toEqual({ bundles: 3, anySize: 1, bytes: 100 });
      }
      expect(loop.twice()).toBe(0);
      await loop.close();
    }),
    { numRuns: 40 },
  );
});

test("an urgent bundle is leased while every place of bulk is taken by bundles that the line does not take", async () => {
  const at = place();
  const gate = new RecordingGate();
  gate.limit = 0;
  const sender = await Sender.start({
    lanes: [{ name: LANE, number: 0, weight: 1, outboxDir: at.outboxDir }],
    links: [{ number: 0, gate, rateBytesPerSecond: 1, frameSize: 1456 }],
    ...{ node: FROM, stateDir: at.txState, code: DEFAULT_CODE },
    ...{ secondPassMs: 10, signer: linkOf(keys.ferry), keys: () => directory },
    ...{ outbox: at.outbox, events: at.txEvents, log: quiet, receiverOf: () => TO },
  });
  const places = GATE_LIMITS[2]?.bundles ?? 0;
  // Those that are opened are real, and stay under way; the others wait behind them.
  const reals = GATE_LIMITS[2]?.anySize ?? 0;
  for (let number = 0; number < reals; number += 1) {
    at.outbox.put(await at.seal(randomBytes(100), "bulk"));
  }
  const stream = `${LANE}/n/bulk`;
  for (let number = reals; number <= places; number += 1) {
    const bundleId = Buffer.from(String(number).padStart(16, "0"));
    at.outbox.put({ ...{ bundleId, stream, priority: "bulk" }, size: 100, sequence: number });
  }
  const status = () => sender.status();
  await eventually(status).toMatchObject({
    bundles: { sending: places, held: places, refused: 0 },
  });
  const urgent = await at.seal(randomBytes(100), "urgent");
  at.outbox.put(urgent);
  await eventually(status).toMatchObject({
    bundles: { sending: places + 1, held: places + 1, refused: 0 },
  });
  const closing = sender.close();
  gate.ring();
  await closing;
  at.remove();
});
