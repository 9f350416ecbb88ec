/** Guarantee tested: frames read together say what each says by itself, whatever comes; a place is one chunk's alone. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFrame, emptyHeader, FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import {
  type IncomingMemory,
  incomingMemory,
  incomingMemoryOf,
  testedFrames,
} from "../src/frames-in/index.ts";
import { MAX_CHUNK_BYTES } from "../src/object.ts";
import { frame } from "./datagrams.ts";
import { linkRig } from "./link-rig.ts";

const PAGE = 65_536;
const memory = incomingMemoryOf(incomingMemory(PAGE)) as IncomingMemory;
const bytes = new Uint8Array(memory.buffer, 0, PAGE);

/** Any frame, good or with a field, a byte or its end changed. */
const datagrams = fc.record({
  fields: fc.record({
    type: fc.oneof(fc.constantFrom(...Object.values(FRAME_TYPE)), fc.nat(255)),
    ...{ epoch: fc.maxSafeNat(), seq: fc.maxSafeNat(), objectId: fc.maxSafeNat() },
    ...{ group: fc.integer({ min: 0, max: 2 ** 32 - 1 }), shard: fc.nat(255) },
    ...{ k: fc.nat(255), m: fc.oneof(fc.nat(255), fc.constant(0)), channel: fc.nat(3) },
    ...{ objectSize: fc.nat(2 ** 31 - 1), link: fc.nat(15), lane: fc.nat(15), flags: fc.nat(4) },
  }),
  spoil: fc.option(fc.tuple(fc.nat(FRAME_HEADER + 8), fc.integer({ min: 1, max: 255 })), {
    freq: 3,
  }),
});

test("a run of any datagrams is read as each of them is, and no byte of it is changed", () => {
  const runs = fc.tuple(
    ...([fc.nat(20), fc.nat(200)] as const),
    fc.array(datagrams, { minLength: 1, maxLength: 140 }),
    fc.nat(250),
  );
  fc.assert(
    fc.property(runs, ([gap, payload, run, cut]) => {
      const size = Math.max(1, FRAME_HEADER - 20 + payload);
      const content = new Uint8Array(Math.max(0, size - FRAME_HEADER)).fill(gap);
      const whole: Uint8Array[] = run.map(({ fields, spoil }) => {
        const made = Uint8Array.from(frame(fields, content)).subarray(0, size);
        if (spoil !== null && spoil[0] < size)
          made[spoil[0]] = (made[spoil[0]] as number) ^ spoil[1];
        return made;
      });
      const last = whole.pop() as Uint8Array;
      whole.push(last.subarray(0, Math.max(1, size - cut)));
      const all = Buffer.concat(whole);
      bytes.set(all, gap);
      let index = 0;
      for (let at = 0; at < all.length; ) {
        const count = memory.read(gap + at, all.length - at, size);
        expect(count).toBeGreaterThan(0);
        for (let row = 0; row < count; row += 1, index += 1, at += size) {
          const [found, expected] = [emptyHeader(), emptyHeader()];
          const fault = decodeFrame(whole[index] as Uint8Array, expected);
          expect(memory.row(row, found)).toBe(fault);
          if (fault === undefined) expect(found).toEqual(expected);
        }
      }
      expect(index).toBe(whole.length);
      expect(Buffer.compare(bytes.subarray(gap, gap + all.length), all)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("bytes are copied to any place, and none beside them", () => {
  const place = memory.take(MAX_CHUNK_BYTES) as Uint8Array;
  bytes.forEach((_, at) => {
    bytes[at] = at * 7 + (at >> 8);
  });
  for (let length = 0; length <= 200; length += 1) {
    place.fill(0xee, 0, 300);
    memory.copy(place.byteOffset + 5 + (length % 3), length, length);
    const from = 5 + (length % 3);
    expect(
      Buffer.compare(place.subarray(from, from + length), bytes.subarray(length, 2 * length)),
    ).toBe(0);
    expect(place.subarray(0, from).every((byte) => byte === 0xee)).toBe(true);
    expect(place.subarray(from + length, 300).every((byte) => byte === 0xee)).toBe(true);
  }
  memory.give(place);
});

test("places do not touch one another nor the ring, end some time, and are given again", () => {
  const taken: Uint8Array[] = [];
  for (let place = memory.take(MAX_CHUNK_BYTES); place !== undefined; ) {
    taken.push(place);
    place = memory.take(MAX_CHUNK_BYTES);
  }
  const starts = taken.map(({ byteOffset }) => byteOffset).sort((a, b) => a - b);
  expect(starts[0]).toBeGreaterThan(PAGE);
  expect(
    starts.every((at, n) => n === 0 || at >= (starts[n - 1] as number) + MAX_CHUNK_BYTES),
  ).toBe(true);
  expect((starts.at(-1) as number) + MAX_CHUNK_BYTES).toBeLessThanOrEqual(memory.buffer.byteLength);
  const [one] = taken as [Uint8Array];
  memory.give(one);
  expect(memory.take(100)?.byteOffset).toBe(one.byteOffset);
  expect(memory.take(100)).toBeUndefined();
  for (const place of taken) memory.give(place);
  expect(memory.take(MAX_CHUNK_BYTES + 1)).toBeUndefined();
});

test("without WebAssembly, or with code that is wrong, frames are read one by one", () => {
  expect(testedFrames(null)).toBeUndefined();
  expect(testedFrames(undefined, () => Buffer.alloc(8))).toBeUndefined();
  expect(testedFrames()).toBeDefined();
  expect(incomingMemoryOf(new SharedArrayBuffer(PAGE))).toBeUndefined();
});

test("a receiver counts what came together as it counts each by itself, with and without such memory", async () => {
  const good = frame(
    { type: FRAME_TYPE.DATA, epoch: 1, k: 2, shard: 1 },
    new Uint8Array(200).fill(7),
  );
  const run = Array.from({ length: 300 }, (_, seq) => {
    const made = frame(
      { type: FRAME_TYPE.DATA, epoch: 1, seq, k: 2, link: seq % 50 === 9 ? 3 : 0 },
      good,
    );
    if (seq % 30 === 1) made[seq % made.length] = (made[seq % made.length] as number) ^ 0x55;
    return made;
  });
  run.push((run[0] as Uint8Array).subarray(0, 20));
  const all = Buffer.concat(run);
  const size = run[0]?.length as number;
  const known = new Uint8Array(incomingMemory(2 * PAGE), 0, 2 * PAGE);
  const unknown = new Uint8Array(2 * PAGE);
  const rigs = [await linkRig(), await linkRig(), await linkRig()] as const;
  for (const datagram of [...run, new Uint8Array()]) rigs[0].receiver.datagram(datagram);
  for (const [index, ring] of [known, unknown].entries()) {
    const { receiver } = rigs[index + 1] as (typeof rigs)[0];
    ring.set(all, 8);
    receiver.together(ring, 8, all.length, size);
    receiver.together(ring, 8, 0, 0);
  }
  const counts = rigs.map(({ rejections, receiver }) => [rejections.totals(), receiver.counts]);
  expect(Object.keys(rigs[0].rejections.totals()).sort()).toEqual([
    "checksum",
    "length",
    "link",
    "magic",
  ]);
  expect(counts[1]).toEqual(counts[0]);
  expect(counts[2]).toEqual(counts[0]);
  for (const rig of rigs) await rig.close();
});
