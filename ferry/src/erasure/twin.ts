/**
 * Guarantee: the code by its definition, in TypeScript alone: sums of products by the matrix, and
 * elimination for what is missing. Slow; the vector code is compared with it and it works in its
 * place where a machine runs none.
 */
import { coefficient, invert, multiply } from "./field.ts";

/** All products: row a holds a times 0, 1 … 255. */
const PRODUCTS = new Uint8Array(256 * 256);
for (let a = 0; a < 256; a += 1) {
  for (let b = 0; b < 256; b += 1) PRODUCTS[a * 256 + b] = multiply(a, b);
}

/** to += factor · from */
function addProduct(to: Uint8Array, from: Uint8Array, factor: number): void {
  const products = PRODUCTS.subarray(factor * 256, factor * 256 + 256);
  for (let i = 0; i < to.length; i += 1) {
    to[i] = (to[i] as number) ^ (products[from[i] as number] as number);
  }
}

/** Sets parity shard `row` from the data shards; all of one length. */
function encodeRow(data: readonly Uint8Array[], row: number, to: Uint8Array): void {
  to.fill(0);
  for (const [column, shard] of data.entries()) addProduct(to, shard, coefficient(row, column));
}

/** Sets every parity shard from the data shards; all of one length. */
export function encodeByTwin(data: readonly Uint8Array[], parity: readonly Uint8Array[]): void {
  for (const [row, shard] of parity.entries()) encodeRow(data, row, shard);
}

/**
 * Restores the data shards of `missing` from the others and from as many parity rows.
 * @param rows parity rows to use, as many as are missing; they are not changed
 */
export function decodeByTwin(
  data: readonly Uint8Array[],
  parity: readonly Uint8Array[],
  missing: readonly number[],
  rows: readonly number[],
): void {
  const shardOf = (column: number): Uint8Array => data[column] as Uint8Array;
  const left = rows.map((row) => {
    const syndrome = Uint8Array.from(parity[row] as Uint8Array);
    for (const [column, shard] of data.entries()) {
      if (!missing.includes(column)) addProduct(syndrome, shard, coefficient(row, column));
    }
    return { factors: missing.map((column) => coefficient(row, column)), syndrome };
  });
  const solved: { row: readonly number[]; value: Uint8Array }[] = [];
  for (const at of missing.keys()) {
    const pivot = left.findIndex(({ factors }) => factors[at] !== 0);
    const [{ factors, syndrome }] = left.splice(pivot, 1) as [(typeof left)[number]];
    const scale = invert(factors[at] as number);
    const row = factors.map((factor) => multiply(factor, scale));
    const value = new Uint8Array(syndrome.length);
    addProduct(value, syndrome, scale);
    for (const other of left) {
      const factor = other.factors[at] as number;
      other.factors = other.factors.map((f, i) => f ^ multiply(factor, row[i] as number));
      addProduct(other.syndrome, value, factor);
    }
    solved.push({ row, value });
  }
  // Upper triangle: the last is known, each before it needs those after it.
  for (let at = missing.length - 1; at >= 0; at -= 1) {
    const { row, value } = solved[at] as (typeof solved)[number];
    for (let later = at + 1; later < missing.length; later += 1) {
      addProduct(value, shardOf(missing[later] as number), row[later] as number);
    }
    shardOf(missing[at] as number).set(value);
  }
}
