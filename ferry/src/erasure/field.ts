/**
 * Guarantee: arithmetic of GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11D), by tables made from
 * that number alone, and the factor that each data shard has in each parity shard.
 */

export const POLYNOMIAL = 0x11d;
/** The multiplicative group: every element but 0 is a power of 2. */
const ORDER = 255;

/** Powers of 2, four times over: sums and differences of a few logarithms need no reduction. */
const POWERS = new Uint8Array(4 * ORDER);
const LOGARITHMS = new Uint8Array(256);
for (let n = 0, x = 1; n < ORDER; n += 1) {
  for (let at = n; at < POWERS.length; at += ORDER) POWERS[at] = x;
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

/** Logarithm of the product of `own` with all across, over that with its own kind but itself. */
function weightOf(own: number, across: readonly number[], kind: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < across.length; i += 1) {
    sum += LOGARITHMS[ORDER ^ own ^ (across[i] as number)] as number;
    // LOGARITHMS[0] is 0, so that itself adds nothing.
    sum -= LOGARITHMS[own ^ (kind[i] as number)] as number;
  }
  const rest = sum % ORDER;
  return rest < 0 ? rest + ORDER : rest;
}

/**
 * Inverse of the square part of the Cauchy matrix in `rows` and `columns`, in closed form: no
 * elimination, as many operations as it has elements.
 * @returns its element for the nth of `columns` and the nth of `rows`
 */
export function inverseOf(
  rows: readonly number[],
  columns: readonly number[],
): (column: number, row: number) => number {
  // Filled one by one: `from` and `map` cost more than what they would compute.
  const byRow = new Uint8Array(rows.length);
  const byColumn = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i += 1) {
    byRow[i] = weightOf(rows[i] as number, columns, rows);
    byColumn[i] = weightOf(columns[i] as number, rows, columns);
  }
  return (c, r) => {
    const sum = ORDER + (byRow[r] as number) + (byColumn[c] as number);
    const place = ORDER ^ (rows[r] as number) ^ (columns[c] as number);
    return POWERS[sum - (LOGARITHMS[place] as number)] as number;
  };
}
