/** Guarantee: months are UTC calendar months in ms, [from, to), so that every logged time lies in exactly one. */

export interface Month {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A service that runs on without its owner connection still has partitions for two months. */
const MONTHS_AHEAD = 2;

export function monthOf(ms: number, offset = 0): Month {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth() + offset;
  return { fromMs: Date.UTC(year, month), toMs: Date.UTC(year, month + 1) };
}

/** The month of `ms` and those that are prepared ahead. */
export function monthsFrom(ms: number): Month[] {
  return Array.from({ length: MONTHS_AHEAD + 1 }, (_, offset) => monthOf(ms, offset));
}
