/** Guarantee tested: frames come back as they were written; no datagram of any kind passes or throws otherwise. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeFrame,
  emptyHeader,
  encodeFrame,
  FRAME_FAULTS,
  FRAME_HEADER,
  FRAME_TYPE,
  type FrameHeader,
  MAX_FRAME_SIZE,
} from "../src/frame.ts";

const TYPES = [
  FRAME_TYPE.DATA,
  FRAME_TYPE.PARITY,
  FRAME_TYPE.MANIFEST,
  FRAME_TYPE.HEARTBEAT,
] as const;

const header = fc
  .record({
    type: fc.constantFrom(...TYPES),
    epoch: fc.maxSafeNat(),
    seq: fc.maxSafeNat(),
    objectId: fc.maxSafeNat(),
    group: fc.nat(0xffff_ffff),
    k: fc.integer({ min: 1, max: 191 }),
    m: fc.integer({ min: 1, max: 64 }),
    channel: fc.nat(2),
    objectSize: fc.nat({ max: 2 ** 48 - 1 }),
    link: fc.nat(15),
    lane: fc.nat(15),
    flags: fc.nat(3),
    at: fc.nat(254),
  })
  .map(({ at, m, ...rest }): FrameHeader => {
    const { type, k } = rest;
    if (type === FRAME_TYPE.PARITY) return { ...rest, m, shard: k + (at % m) };
    return { ...rest, m: type === FRAME_TYPE.DATA ? m : 0, shard: at % k };
  });

const payload = fc.uint8Array({ maxLength: MAX_FRAME_SIZE - FRAME_HEADER });

function frameOf(fields: FrameHeader, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER + bytes.length);
  out.set(bytes, FRAME_HEADER);
  encodeFrame(out, 0, fields, bytes.length);
  return out;
}

test("decode after encode is identity, for every field and payload", () => {
  fc.assert(
    fc.property(header, payload, (fields, bytes) => {
      const frame = frameOf(fields, bytes);
      const back = emptyHeader();
      expect(decodeFrame(frame, back)).toBeUndefined();
      expect(back).toEqual(fields);
      expect(frame.subarray(FRAME_HEADER)).toEqual(bytes);
    }),
  );
});

test("every single flipped bit is found", () => {
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 64 }), fc.nat(), (fields, bytes, at) => {
      const frame = frameOf(fields, bytes);
      const bit = at % (frame.length * 8);
      frame[bit >> 3] = (frame[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(FRAME_FAULTS).toContain(decodeFrame(frame, emptyHeader()));
    }),
  );
});

test("every truncation and every longer datagram is found", () => {
  const frame = frameOf({ ...emptyHeader(), type: FRAME_TYPE.DATA, k: 1 }, new Uint8Array(40));
  for (let length = 0; length < frame.length; length += 1) {
    expect(decodeFrame(frame.subarray(0, length), emptyHeader())).toBeDefined();
  }
  const longer = new Uint8Array(frame.length + 1);
  longer.set(frame);
  expect(decodeFrame(longer, emptyHeader())).toBe("checksum");
  expect(decodeFrame(new Uint8Array(MAX_FRAME_SIZE + 1), emptyHeader())).toBe("length");
});

test("any bytes whatever give a frame or a named fault", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000 }), (bytes) => {
      expect([...FRAME_FAULTS, undefined]).toContain(decodeFrame(bytes, emptyHeader()));
    }),
  );
});

test("each field outside its range is named, though the checksum is right", () => {
  const good = { ...emptyHeader(), type: FRAME_TYPE.DATA, k: 2, shard: 1 };
  const cases: [Partial<FrameHeader>, string][] = [
    [{ type: 0 }, "type"],
    [{ type: 7 }, "type"],
    [{ type: FRAME_TYPE.TAGS, k: 2, shard: 0 }, "shard"],
    [{ type: FRAME_TYPE.TAGS, k: 1, shard: 1 }, "shard"],
    [{ type: FRAME_TYPE.TAGS, k: 1, shard: 0, m: 1 }, "shard"],
    [{ epoch: 2 ** 53 }, "number"],
    [{ seq: 2 ** 60 }, "number"],
    [{ objectId: 2 ** 63 }, "number"],
    [{ shard: 2 }, "shard"],
    [{ k: 0, shard: 0 }, "shard"],
    [{ k: 0, m: 1, shard: 0, type: FRAME_TYPE.PARITY }, "shard"],
    // Data and parity do not stand in each other's place, and a group is bounded.
    [{ shard: 2, m: 2 }, "shard"],
    [{ shard: 1, m: 2, type: FRAME_TYPE.PARITY }, "shard"],
    [{ shard: 4, m: 2, type: FRAME_TYPE.PARITY }, "shard"],
    [{ k: 192, m: 64 }, "shard"],
    // Only coded frames have parity.
    [{ m: 1, type: FRAME_TYPE.MANIFEST }, "shard"],
    [{ m: 1, type: FRAME_TYPE.HEARTBEAT }, "shard"],
    [{ channel: 3 }, "channel"],
    [{ flags: 4 }, "flags"],
  ];
  for (const [change, fault] of cases) {
    const frame = frameOf({ ...good, ...change }, new Uint8Array(3));
    expect(decodeFrame(frame, emptyHeader()), JSON.stringify(change)).toBe(fault);
  }
});
