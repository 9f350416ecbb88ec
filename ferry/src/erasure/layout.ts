/**
 * Guarantee: where things lie in the memory that ferry/wasm/erasure.as works on, and the numbers
 * in it that depend on the field alone: tables of products, factors of the transforms. The places
 * shared with the module are the constants at its head.
 */
import { invert, multiply } from "./field.ts";

/** Bytes of each row worked on at a time. */
export const STRIP = 512;
/** A missing shard's pointer: a strip of zeros. */
export const ZERO = 8192;
const WIDE_PLAN = 8704;
const WIDE_PLAN_BYTES = 40;
const QUAD_PLAN = 9264;
const QUAD_PLAN_BYTES = 12;
const WIDE_BACK = 9936;
const WIDE_BACK_BYTES = 30;
const QUAD_BACK = 10_056;
const QUAD_BACK_BYTES = 6;
/** Lists of pointers, u32: data shards (padded to whole blocks), parity shards, rows, shards to restore. */
export const DATA_LIST = 10_080;
export const PARITY_LIST = 10_976;
export const ROW_LIST = 11_232;
export const MISSING_LIST = 11_488;
/** Matrices of table offsets, u16: 64 × 224 and 64 × 64. */
export const MATRIX = 11_776;
export const SOLUTION = 40_448;
/** Results of a transform, 64 rows. */
export const ACC = 65_536;
/** The first shard. */
export const ARENA = ACC + 64 * STRIP;
/** The vector code goes by 64 bytes; a cache line too. */
export const LINE = 64;

/** Bytes of the two tables of one factor. */
export const TABLE_BYTES = 32;
/** Blocks of data and of parity that the transforms know. */
export const WIDE_SHARDS = 16;
export const QUAD_SHARDS = 4;
const WIDE_BLOCKS = 14;
const WIDE_ROWS = 4;
const QUAD_BLOCKS = 56;
export const QUAD_ROWS = 2;

/** Product of z ⊕ v over all v below 2^bits: 0 on that subspace, the same for z and z ⊕ v. */
function vanishing(bits: number, z: number): number {
  let product = 1;
  for (let v = 0; v < 1 << bits; v += 1) product = multiply(product, z ^ v);
  return product;
}

/** The same, scaled to be 1 at 2^bits: what a layer of the transform multiplies by. */
function twiddle(bits: number, z: number): number {
  return multiply(vanishing(bits, z), invert(vanishing(bits, 1 << bits)));
}

/** What the sum over a block of data at `y`, as a polynomial, is multiplied by for rows at `x`; 0 where they overlap. */
function scale(bits: number, x: number, y: number): number {
  const divisor = vanishing(bits, x ^ y);
  if (divisor === 0) return 0;
  let product = invert(divisor);
  for (let v = 1; v < 1 << bits; v += 1) product = multiply(product, v);
  return product;
}

const near = (at: number): number[] => [twiddle(0, at), twiddle(0, at + 2), twiddle(1, at)];
const far = (at: number): number[] => [twiddle(2, at), twiddle(2, at + 8), twiddle(3, at)];
const nearOfSixteen = (at: number): number[] => [0, 4, 8, 12].flatMap((q) => near(at + q));
/** First x of parity rows in blocks of `size`: the first row has x = 255. */
const firstX = (size: number, block: number): number => 256 - size * (block + 1);
const scales = (bits: number, rows: number, y: number): number[] =>
  Array.from({ length: rows }, (_, block) => scale(bits, firstX(1 << bits, block), y));

/** Writes everything below ARENA that never changes. @param buffer of ARENA bytes at least, zeros */
export function fillFixed(buffer: ArrayBuffer): void {
  const bytes = new Uint8Array(buffer);
  for (let factor = 0; factor < 256; factor += 1) {
    for (let n = 0; n < 16; n += 1) {
      bytes[factor * TABLE_BYTES + n] = multiply(factor, n);
      bytes[factor * TABLE_BYTES + 16 + n] = multiply(factor, n << 4);
    }
  }
  const write = (at: number, factors: readonly number[]): void => {
    new Uint16Array(buffer, at, factors.length).set(factors.map((f) => f * TABLE_BYTES));
  };
  for (let t = 0; t < WIDE_BLOCKS; t += 1) {
    const y = t * WIDE_SHARDS;
    write(WIDE_PLAN + t * WIDE_PLAN_BYTES, [
      ...nearOfSixteen(y),
      ...far(y),
      ...scales(4, WIDE_ROWS, y),
    ]);
  }
  for (let t = 0; t < QUAD_BLOCKS; t += 1) {
    const y = t * QUAD_SHARDS;
    write(QUAD_PLAN + t * QUAD_PLAN_BYTES, [...near(y), ...scales(2, QUAD_ROWS, y)]);
  }
  for (let b = 0; b < WIDE_ROWS; b += 1) {
    const x = firstX(WIDE_SHARDS, b);
    write(WIDE_BACK + b * WIDE_BACK_BYTES, [...far(x), ...nearOfSixteen(x)]);
  }
  for (let b = 0; b < QUAD_ROWS; b += 1) {
    write(QUAD_BACK + b * QUAD_BACK_BYTES, near(firstX(QUAD_SHARDS, b)));
  }
}

/** Where a transform in blocks of `size` leaves parity row `row`: each block from its last row to its first. */
export function rowPlace(size: number, row: number): number {
  return ACC + (row ^ (size - 1)) * STRIP;
}
