/** Guarantee: the two hash rules of RFC 6962 §2.1, and nothing else. */

/** SM3 over the concatenation of the parts; 32 bytes. */
export type Sm3Function = (...parts: readonly Uint8Array[]) => Uint8Array;

const LEAF_PREFIX = new Uint8Array([0x00]);
const NODE_PREFIX = new Uint8Array([0x01]);

export function leafHash(sm3: Sm3Function, data: Uint8Array): Uint8Array {
  return sm3(LEAF_PREFIX, data);
}

export function nodeHash(sm3: Sm3Function, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sm3(NODE_PREFIX, left, right);
}

/** The largest power of two strictly less than n, for n > 1 (the `k` of RFC 6962 §2.1). */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
