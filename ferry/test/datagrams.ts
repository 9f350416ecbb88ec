/** Guarantee: hostile datagrams for tests: well-formed frames with arbitrary fields, and arbitrary bytes. */
import fc from "fast-check";
import { emptyHeader, encodeFrame, FRAME_HEADER, type FrameHeader } from "../src/frame.ts";

/** A frame with a right checksum, whatever its fields. */
export function frame(change: Partial<FrameHeader>, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER + payload.length);
  out.set(payload, FRAME_HEADER);
  encodeFrame(out, 0, { ...emptyHeader(), k: 1, ...change }, payload.length);
  return out;
}

/** Well-formed frames of every type with arbitrary fields, and arbitrary bytes. */
export const datagram = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }),
  fc
    .record({
      type: fc.integer({ min: 0, max: 7 }),
      epoch: fc.oneof(fc.nat(3), fc.maxSafeNat()),
      seq: fc.oneof(fc.nat(100), fc.maxSafeNat()),
      objectId: fc.oneof(fc.nat(5), fc.maxSafeNat()),
      group: fc.oneof(fc.nat(70), fc.nat(0xffff_ffff)),
      shard: fc.nat(255),
      k: fc.nat(255),
      channel: fc.nat(3),
      objectSize: fc.oneof(fc.nat(10_000), fc.nat({ max: 2 ** 48 - 1 })),
      flags: fc.nat(7),
      payload: fc.uint8Array({ maxLength: 1_500 }),
    })
    .map(({ payload, ...fields }) => frame(fields, payload)),
);
