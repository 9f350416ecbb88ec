/**
 * Guarantee: XXH64 as it is published (xxHash fast digest algorithm 0.1.1), slow: the measure of the
 * vector code, and what sums frames where no WebAssembly runs.
 */
const MASK = (1n << 64n) - 1n;
const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK;
const round = (lane: bigint, word: bigint): bigint =>
  (rotate((lane + word * PRIME_2) & MASK, 31n) * PRIME_1) & MASK;

/** @param seed 64 bits */
export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length;
  let at = 0;
  let hash = seed + PRIME_5;
  if (end >= 32) {
    const lanes = [seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1];
    for (; at + 32 <= end; at += 32) {
      for (const [n, lane] of lanes.entries()) {
        lanes[n] = round(lane & MASK, view.getBigUint64(at + 8 * n, true));
      }
    }
    hash = lanes.reduce((sum, lane, n) => sum + rotate(lane, [1n, 7n, 12n, 18n][n] as bigint), 0n);
    for (const lane of lanes) hash = ((hash & MASK) ^ round(0n, lane)) * PRIME_1 + PRIME_4;
  }
  hash = (hash + BigInt(end)) & MASK;
  for (; at + 8 <= end; at += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4) & MASK;
  }
  if (at + 4 <= end) {
    const word = (BigInt(view.getUint32(at, true)) * PRIME_1) & MASK;
    hash = (rotate(hash ^ word, 23n) * PRIME_2 + PRIME_3) & MASK;
    at += 4;
  }
  for (; at < end; at += 1) {
    hash = (rotate(hash ^ ((BigInt(bytes[at] as number) * PRIME_5) & MASK), 11n) * PRIME_1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * PRIME_2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME_3) & MASK;
  return hash ^ (hash >> 32n);
}

/** Bytes of a frame before those that are summed: the seed, and the place of the sum. */
const BEFORE = 8;

/** The sum of a frame by the definition. @param frame all of it */
export function slowSum(frame: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = frame;
  const seed = BigInt(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
  return Number(xxh64(frame.subarray(BEFORE), seed) & 0xffff_ffffn);
}
