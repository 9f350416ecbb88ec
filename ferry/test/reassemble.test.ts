/** Guarantee tested: whatever is lost, doubled, spoiled or out of order, an object is whole byte for byte or names what it lacks. */
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import {
  decodeFrame,
  emptyHeader,
  encodeFrame,
  FRAME_HEADER,
  FRAME_TYPE,
  type FrameHeader,
} from "../src/frame.ts";
import { objectIdOf } from "../src/object.ts";
import { type Body, Line, type LineOptions, madeUp, Receiving } from "./frames.ts";
import { pki } from "./world.ts";

afterAll(() => pki.cleanup());
let rx: Receiving;
beforeEach(() => {
  rx = new Receiving();
});
afterEach(() => rx.close());

/** The chunks that bundles have. */
const CHUNK = 256 * 1024 + 16;
const MEGABYTES_14 = [...Array<number>(53).fill(CHUNK), 90_001];

function headerOf(frame: Uint8Array): FrameHeader {
  const header = emptyHeader();
  expect(decodeFrame(frame, header)).toBeUndefined();
  return header;
}

/** The same frame with another content and a right checksum. */
function spoiled(frame: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(frame);
  const at = FRAME_HEADER + ((copy.length - FRAME_HEADER) >> 1);
  copy[at] = (copy[at] as number) ^ 0x55;
  encodeFrame(copy, 0, headerOf(frame), copy.length - FRAME_HEADER);
  return copy;
}

const isShard = (frame: Uint8Array): boolean => headerOf(frame).type <= FRAME_TYPE.PARITY;

async function expectWhole(body: Body, at = 0): Promise<void> {
  await rx.until(at + 1);
  const object = rx.whole[at];
  if (object === undefined) throw new Error("not whole");
  expect(Buffer.compare(await rx.bytesOf(object), body.bytes)).toBe(0);
  expect(rx.reassembler.heldBytes).toBe(0);
}

test("a long object without loss: whole, nothing counted, nothing held", async () => {
  const body = madeUp(MEGABYTES_14);
  for (const frame of new Line(body).pass()) rx.take(frame);
  await expectWhole(body);
  expect(rx.rejections.totals()).toEqual({});
  expect(rx.reassembler.restored).toBe(0);
});

test("short objects of every odd size", async () => {
  const bodies = [1, 17, 1_408, 1_409, 5_000, 70_000, 200_000].map((length, seed) =>
    madeUp([length], 333, seed),
  );
  for (const [number, body] of bodies.entries()) {
    const line = new Line(body, { objectId: objectIdOf(1, number) });
    for (const frame of line.pass()) rx.take(frame);
    await expectWhole(body, number);
  }
  expect(rx.rejections.totals()).toEqual({});
});

test("a burst of 1,024 lost frames costs nothing", async () => {
  const body = madeUp(MEGABYTES_14);
  const frames = new Line(body).pass();
  const shards = frames.filter(isShard);
  // Wherever it falls in the first block, also where data goes over into parity.
  const from = 7_700;
  const lost = new Set(shards.slice(from, from + 1_024));
  for (const frame of frames) if (!lost.has(frame)) rx.take(frame);
  await expectWhole(body);
  expect(rx.rejections.totals()).toEqual({});
  expect(rx.reassembler.restored).toBeGreaterThan(300);
});

/** Chunks, frame size and code of objects that are cut in many odd ways. */
const shapes = fc.record({
  chunks: fc.array(fc.constant(4_112), { maxLength: 40 }),
  last: fc.integer({ min: 1, max: 4_112 }),
  headExtra: fc.integer({ min: 0, max: 3_000 }),
  frameSize: fc.constantFrom(256, 700, 1456),
  groupShards: fc.integer({ min: 1, max: 20 }),
  parityShards: fc.integer({ min: 0, max: 6 }),
});

function lineOf(
  shape: typeof shapes extends fc.Arbitrary<infer T> ? T : never,
  objectId: number,
): { body: Body; line: Line } {
  const { chunks, last, headExtra, frameSize, groupShards, parityShards } = shape;
  const body = madeUp([...chunks, last], headExtra, objectId);
  const options: LineOptions = { objectId, frameSize, code: { groupShards, parityShards } };
  return { body, line: new Line(body, options) };
}

test("any m lost frames of each group cost no second pass", async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(shapes, fc.infiniteStream(fc.nat()), async (shape, choice) => {
      number += 1;
      const { body, line } = lineOf(shape, number);
      const lost = new Map<number, Set<number>>();
      const loses = ({ group, k, m, shard }: FrameHeader): boolean => {
        let set = lost.get(group);
        if (set === undefined) {
          set = new Set();
          while (set.size < m) set.add((choice.next().value as number) % (k + m));
          lost.set(group, set);
        }
        return set.has(shard);
      };
      for (const frame of line.pass())
        if (!isShard(frame) || !loses(headerOf(frame))) rx.take(frame);
      await expectWhole(body, number - 1);
      expect(rx.rejections.totals()).toEqual({});
    }),
    { numRuns: 40 },
  );
});

test("any frames in any order, doubled and spoiled: the honest second pass makes it whole", async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      shapes,
      fc.array(fc.record({ at: fc.nat(), bad: fc.boolean() }), { maxLength: 400 }),
      async (shape, mess) => {
        number += 1;
        const { body, line } = lineOf(shape, number);
        const first = line.pass();
        for (const { at, bad } of mess) {
          const frame = first[at % first.length] as Uint8Array;
          rx.take(bad && isShard(frame) ? spoiled(frame) : frame);
        }
        for (const frame of line.pass(true)) rx.take(frame);
        await expectWhole(body, number - 1);
      },
    ),
    { numRuns: 60 },
  );
});

test("a long object, spoiled and lost in part: the honest second pass makes it whole, however fast it comes", async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({ lost: fc.nat(300), bad: fc.nat(60), turns: fc.integer({ min: 20, max: 900 }) }),
      fc.infiniteStream(fc.nat(999)),
      async ({ lost, bad, turns }, choice) => {
        number += 1;
        const body = madeUp([...Array<number>(24).fill(65_552), 777], 900, number);
        const code = { groupShards: 16, parityShards: 4 };
        const line = new Line(body, { objectId: objectIdOf(1, number), code });
        for (const [index, frame] of line.pass().entries()) {
          const chance = choice.next().value as number;
          if (chance >= lost + bad || !isShard(frame)) rx.take(frame);
          else if (chance < bad) rx.take(spoiled(frame));
          if (index % turns === 0) await rx.reassembler.settled();
        }
        for (const frame of line.pass(true)) rx.take(frame);
        await expectWhole(body, number - 1);
      },
    ),
    { numRuns: 10 },
  );
});
