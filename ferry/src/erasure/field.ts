/**
 * Guarantee: arithmetic of GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11D), by tables made from
 * that number alone, and the factor that each data shard has in each parity shard.
 */

export const POLYNOMIAL = 0x11d;
/** The multiplicative group: every element but 0 is a power of 2. */
const ORDER = 255;

/** Powers of 2, twice over, so that sums of two logarithms need no reduction. */
const POWERS = new Uint8Array(2 * ORDER);
const LOGARITHMS = new Uint8Array(256);
for (let n = 0, x = 1; n < ORDER; n += 1) {
  POWERS[n] = x;
  POWERS[n + ORDER] = x;
  LOGARITHMS[x] = n;
  x <<= 1;
  if (x > 255) x ^= POLYNOMIAL;
}

export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWERS[(LOGARITHMS[a] as number) + (LOGARITHMS[b] as number)] as number;
}

/** @param a not 0 */
export function invert(a: number): number {
  return POWERS[ORDER - (LOGARITHMS[a] as number)] as number;
}

/** Factor of data shard `column` in parity shard `row`: 1 / (x ⊕ y), x = 255 − row, y = column. */
export function coefficient(row: number, column: number): number {
  return invert(ORDER ^ row ^ column);
}

/**
 * Inverse of the square part of the Cauchy matrix in `rows` and `columns`, in closed form, so that
 * it costs as many operations as it has elements.
 * @returns elements row by row: one row for each of `columns`
 */
export function inverseOf(rows: readonly number[], columns: readonly number[]): Uint8Array {
  const log = (a: number): number => LOGARITHMS[a] as number;
  /** Logarithm of the product of `own` with all across, over that with its own kind but itself. */
  const weight = (own: number, across: readonly number[], kind: readonly number[]): number => {
    let sum = 0;
    for (const other of across) sum += log(ORDER ^ own ^ other);
    for (const other of kind) sum -= other === own ? 0 : log(own ^ other);
    return sum;
  };
  const byRow = rows.map((row) => weight(row, columns, rows));
  const byColumn = columns.map((column) => weight(column, rows, columns));
  const out = new Uint8Array(rows.length * columns.length);
  let at = 0;
  for (const [c, column] of columns.entries()) {
    for (const [r, row] of rows.entries()) {
      const sum = (byRow[r] as number) + (byColumn[c] as number) - log(ORDER ^ row ^ column);
      out[at] = POWERS[((sum % ORDER) + ORDER) % ORDER] as number;
      at += 1;
    }
  }
  return out;
}
