/**
 * Guarantee tested: by a clock of the test's own, in which only the line and the making of parity take time: while objects
 * wait a line is never without frames but for the first block, lanes have what their weights say, and links end together.
 */
import { afterEach, expect, test, vi } from "vitest";
import { ErasureGroup } from "../src/erasure/coder.ts";
import { FRAME_HEADER } from "../src/frame.ts";
import { summedMemory } from "../src/frame-sum/index.ts";
import { BURST_BYTES, type GateSender } from "../src/gate/gate.ts";
import { type Code, Geometry, objectIdOf } from "../src/object.ts";
import type { BundleFile } from "../src/tx/bundle-file.ts";
import { BurstWriter } from "../src/tx/burst.ts";
import { BlockTurns, Encoding } from "../src/tx/encoding.ts";
import { ShardMemory } from "../src/tx/memory.ts";
import { type LaneShare, Order } from "../src/tx/order.ts";
import { Pass } from "../src/tx/pass.ts";
import { ObjectSource } from "../src/tx/source.ts";
import { Spread, type SpreadLink } from "../src/tx/spread.ts";
import { keys, linkOf } from "./world.ts";

const SHARD = 1_408;
const FRAME = SHARD + FRAME_HEADER;
/** A quarter of the usual one: as much of everything beside the ring, in a quarter of the time. */
const CODE: Code = { groupShards: 32, parityShards: 4 };
const GROUP = SHARD * CODE.groupShards;
const BLOCK = 64 * GROUP;
/** Bytes per millisecond: of the frames of a line of 500 Mb/s. */
const RATE = 60_000;
/** Frames of a full group, on the line. */
const GROUP_MS = (36 * FRAME) / RATE;
/** Of the gate: what lies between the order and the line. */
const RING_BYTES = 4 * BURST_BYTES;
const BULK = 2;
/** Milliseconds that no rounding takes away. */
const A_LITTLE = 1e-6;

/** A line, and who may send next on it. */
class Line {
  readonly order: Order<Pass>;
  /** Bytes of each lane so far. */
  readonly sent: number[] = [];
  /** Milliseconds without a frame, from the first one to the last. */
  idleMs = 0;
  /** When the last frame has left. */
  freeAt: number | undefined;
  readonly #clock: Clock;
  readonly #burst: BurstWriter;

  constructor(clock: Clock, lanes: readonly LaneShare[]) {
    this.#clock = clock;
    this.order = new Order(lanes);
    const room = new Uint8Array(summedMemory(BURST_BYTES));
    const gate: Pick<GateSender, "room" | "commit"> = {
      room: () => room,
      commit: (bytes) => this.#leaves(bytes),
    };
    this.#burst = new BurstWriter(gate as GateSender, FRAME);
  }

  #leaves(bytes: number): void {
    const { now } = this.#clock;
    const from = this.freeAt ?? now;
    this.idleMs += Math.max(0, now - from);
    this.freeAt = Math.max(now, from) + bytes / RATE;
  }

  /** Milliseconds until the ring takes a burst. */
  get fullForMs(): number {
    const most = (RING_BYTES - BURST_BYTES) / RATE;
    return (this.freeAt ?? this.#clock.now) - this.#clock.now - most;
  }

  /** Fills the ring. @returns whether anything went into it */
  fill(): boolean {
    let some = false;
    while (this.fullForMs <= 0) {
      const slot = this.order.next(this.#clock.now);
      if (slot === undefined) break;
      this.#burst.begin();
      while (this.#burst.open) {
        const pass = this.order.turn(slot);
        if (pass === undefined) break;
        pass.write(this.#burst);
      }
      const bytes = this.#burst.end();
      this.sent[slot.lane] = (this.sent[slot.lane] ?? 0) + bytes;
      this.order.charge(slot, bytes, 0, this.#clock.now);
      some = true;
    }
    return some;
  }
}

interface Clock {
  now: number;
}

class World {
  readonly clock: Clock = { now: 0 };
  readonly lines: readonly Line[];
  readonly #lanes: readonly LaneShare[];
  readonly #encoding = new Encoding(() => this.clock.now);
  readonly #spreads: readonly Spread[];
  readonly #turns: readonly BlockTurns[];
  #objects = 0;

  /** @param encodeMs of a group */
  constructor(lines: number, lanes: readonly LaneShare[], encodeMs: number) {
    vi.spyOn(ErasureGroup.prototype, "encode").mockImplementation(() => {
      this.clock.now += encodeMs;
    });
    this.#lanes = lanes;
    this.lines = Array.from({ length: lines }, () => new Line(this.clock, lanes));
    this.#turns = lanes.map(() => new BlockTurns());
    this.#spreads = lanes.map(
      ({ number }) => new Spread(this.lines.map((line) => linkOn(line, number))),
    );
  }

  /** Sends an object; resolves when its last frame is in the ring. */
  async send(lane: number, size: number): Promise<void> {
    const at = this.#lanes.findIndex(({ number }) => number === lane);
    this.#objects += 1;
    const facts = {
      ...{ objectId: objectIdOf(1, this.#objects), sender: "n", lane: "l" },
      ...{ bundleId: new Uint8Array(16), headerDigest: new Uint8Array(32) },
      geometry: new Geometry(size, SHARD, CODE),
      proof: { headSize: 64, headDigest: new Uint8Array(32), chunkBytes: 5_000 },
    };
    const file = { fill: async () => undefined } as unknown as BundleFile;
    const source = new ObjectSource(facts, file, this.#encoding, this.#turns[at]);
    const context = { epoch: 1, frameSize: FRAME, signer: linkOf(keys.ferry), lane };
    const kind = { channel: BULK, serviceClass: BULK, repeat: false };
    await (this.#spreads[at] as Spread).send(
      facts,
      0,
      [],
      ({ emitter: { wake }, memory }, part) =>
        new Pass(source, kind, { ...context, memory, wake }, part),
    );
  }

  /** Lets time go by until it is over. @param look after each step */
  async until(over: Promise<unknown>, look: () => void = () => undefined): Promise<void> {
    let going = true;
    const end = over.finally(() => {
      going = false;
    });
    let stuck = 0;
    while (going) {
      const { now } = this.clock;
      await new Promise((resolve) => setImmediate(resolve));
      const some = this.lines.map((line) => line.fill()).includes(true);
      look();
      stuck = some || this.clock.now > now ? 0 : stuck + 1;
      if (stuck === 0) continue;
      // Nobody makes parity: the lines have their time.
      const wait = Math.min(...this.lines.map(({ fullForMs }) => fullForMs).filter((ms) => ms > 0));
      if (Number.isFinite(wait)) this.clock.now += wait + A_LITTLE;
      else if (stuck > 100) expect.fail("nothing is ready, and nothing is being made");
    }
    await end;
  }
}

function linkOn({ order }: Line, lane: number): SpreadLink {
  const send = async (pass: Pass): Promise<void> => {
    order.add(pass, BULK, lane);
    await pass.run().finally(() => order.remove(pass));
  };
  const emitter = { send, wake: () => undefined } as SpreadLink["emitter"];
  return { emitter, rate: RATE, memory: new ShardMemory(SHARD, CODE) };
}

afterEach(() => {
  vi.restoreAllMocks();
});

const ALONE: readonly LaneShare[] = [{ number: 0, weight: 1 }];

test.each([
  { lines: 1, objects: 3, encode: 0.25, size: 3 * BLOCK - 5 * GROUP },
  { lines: 1, objects: 2, encode: 0.3, size: 2 * BLOCK + 63 * GROUP },
  { lines: 2, objects: 1, encode: 0.25, size: 5 * BLOCK + GROUP },
  { lines: 2, objects: 3, encode: 0.2, size: 4 * BLOCK - 30 * GROUP },
  { lines: 4, objects: 1, encode: 0.15, size: 10 * BLOCK },
  { lines: 4, objects: 2, encode: 0.06, size: 9 * BLOCK - 100 },
])(
  "$objects objects side by side on $lines lines: none is ever without frames, and all end together",
  async ({ lines, objects, encode, size }) => {
    const world = new World(lines, ALONE, encode * GROUP_MS);
    await world.until(Promise.all(Array.from({ length: objects }, () => world.send(0, size))));
    const ends = world.lines.map(({ freeAt }) => freeAt as number);
    for (const { idleMs } of world.lines) expect(idleMs).toBeLessThan(GROUP_MS);
    // They begin with one prepared block after the other; what each has of an object differs by a group or so.
    const prepareMs = 64 * encode * GROUP_MS;
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(lines * (prepareMs + GROUP_MS));
  },
);

test("two lanes that both have several objects share a full line by their weights, to the end of one of them", async () => {
  const lanes = [
    { number: 0, weight: 3 },
    { number: 5, weight: 1 },
  ];
  const world = new World(1, lanes, 0.2 * GROUP_MS);
  const [line] = world.lines as [Line];
  const size = 3 * BLOCK;
  const seen: (readonly [heavy: number, light: number])[] = [];
  const look = () => seen.push([line.sent[0] ?? 0, line.sent[5] ?? 0]);
  const heavy = Promise.all([0, 1, 2].map(() => world.send(0, size)));
  const light = Promise.all([0, 1, 2].map(() => world.send(5, size)));
  await world.until(heavy, look);
  // From when both are at work, and from the middle on, to the end of the heavy one.
  const begun = seen.findIndex(([one, other]) => one > BLOCK && other > BLOCK / 3);
  const [ofHeavy, ofLight] = seen.at(-1) as (typeof seen)[number];
  const shares = [begun, Math.floor((begun + seen.length) / 2)].map((at) => {
    const [one, other] = seen[at] as (typeof seen)[number];
    return (ofHeavy - one) / (ofLight - other);
  });
  for (const share of shares) {
    expect(share).toBeGreaterThan(2.9);
    expect(share).toBeLessThan(3.1);
  }
  await world.until(light);
  expect(line.idleMs).toBeLessThan(GROUP_MS);
});
