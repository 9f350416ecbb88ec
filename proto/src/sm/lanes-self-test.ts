/**
 * Guarantee: vector code hashes for us only after it reproduced both published
 * results of GB/T 32905 in every lane, and agreed with the provider on lengths
 * around every boundary of block and padding, with four different messages.
 */
import { LANE_COUNT, LEAF_BYTES, LEAF_PREFIX } from "./lane-input.ts";
import type { LaneCore } from "./lanes-module.ts";
import type { SmProvider } from "./provider.ts";

/** GB/T 32905-2016 annex A.1 and A.2. */
export const SM3_VECTORS = [
  {
    name: "A.1",
    message: Buffer.from("abc", "ascii"),
    digest: Buffer.from("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", "hex"),
  },
  {
    name: "A.2",
    message: Buffer.from("abcd".repeat(16), "ascii"),
    digest: Buffer.from("debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732", "hex"),
  },
] as const;

/**
 * A prefix byte precedes each: 54 fills a block to where the length goes, 55 spills it into the
 * next, 63 fills a block. The last two go through many blocks.
 */
const LENGTHS = [0, 1, 54, 55, 56, 62, 63, 64, 118, 119, 120, 126, 127, 128, 1_000, 70_001];

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** @returns what is wrong, or undefined. An error thrown by either side is the caller's. */
export function selfTestLanes(core: LaneCore, reference: SmProvider): string | undefined {
  const nth = (digests: Uint8Array, lane: number) =>
    digests.subarray(lane * LEAF_BYTES, (lane + 1) * LEAF_BYTES);
  for (const { name, message, digest } of SM3_VECTORS) {
    for (const lane of core.lanes) lane.set(message.subarray(1));
    const digests = core.digest(message.length - 1, message[0] ?? 0);
    for (let lane = 0; lane < LANE_COUNT; lane += 1) {
      if (!same(nth(digests, lane), digest)) return `GB/T 32905 ${name} in lane ${lane}`;
    }
  }
  const prefix = Uint8Array.of(LEAF_PREFIX);
  for (const length of LENGTHS) {
    for (const [seed, lane] of core.lanes.entries()) {
      for (let i = 0; i < length; i += 1) lane[i] = (i * 31 + (i >> 8) * 7 + seed * 101) & 0xff;
    }
    const digests = core.digest(length, LEAF_PREFIX);
    for (const [i, lane] of core.lanes.entries()) {
      if (!same(nth(digests, i), reference.sm3(prefix, lane.subarray(0, length)))) {
        return `${length} bytes in lane ${i} differ from ${reference.name}`;
      }
    }
  }
  return undefined;
}
