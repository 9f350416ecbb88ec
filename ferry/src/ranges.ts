/**
 * Guarantee: sets of whole numbers are kept as ascending ranges that do not
 * touch one another, so that a million numbers in a row cost as much as one.
 */

/** Both ends included. */
export type Range = readonly [first: number, last: number];

export class RangeSet {
  #ranges: Range[] = [];

  constructor(ranges: Iterable<Range> = []) {
    for (const range of ranges) this.add(range);
  }

  /** How many ranges. */
  get size(): number {
    return this.#ranges.length;
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  get last(): number | undefined {
    return this.#ranges.at(-1)?.[1];
  }

  has(number: number): boolean {
    const at = this.#firstEndingFrom(number);
    const range = this.#ranges[at];
    return range !== undefined && range[0] <= number;
  }

  add([first, last]: Range): void {
    // What ends right before it is joined to it, too.
    const from = this.#firstEndingFrom(first - 1);
    let to = from;
    let [low, high] = [first, last];
    for (let at = this.#ranges[to]; at !== undefined && at[0] <= last + 1; at = this.#ranges[to]) {
      low = Math.min(low, at[0]);
      high = Math.max(high, at[1]);
      to += 1;
    }
    this.#ranges.splice(from, to - from, [low, high]);
  }

  delete([first, last]: Range): void {
    const from = this.#firstEndingFrom(first);
    const kept: Range[] = [];
    let to = from;
    for (let at = this.#ranges[to]; at !== undefined && at[0] <= last; at = this.#ranges[to]) {
      if (at[0] < first) kept.push([at[0], first - 1]);
      if (at[1] > last) kept.push([last + 1, at[1]]);
      to += 1;
    }
    if (to > from) this.#ranges.splice(from, to - from, ...kept);
  }

  clear(): void {
    this.#ranges = [];
  }

  /** What of a range is in the set. */
  within([first, last]: Range): Range[] {
    const found: Range[] = [];
    for (let at = this.#firstEndingFrom(first); ; at += 1) {
      const range = this.#ranges[at];
      if (range === undefined || range[0] > last) return found;
      found.push([Math.max(first, range[0]), Math.min(last, range[1])]);
    }
  }

  /** What of a range is not. */
  without([first, last]: Range): Range[] {
    const found: Range[] = [];
    let next = first;
    for (const [from, to] of this.within([first, last])) {
      if (from > next) found.push([next, from - 1]);
      next = to + 1;
    }
    if (next <= last) found.push([next, last]);
    return found;
  }

  /** Place of the first range that ends at `number` or later. */
  #firstEndingFrom(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as Range)[1] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Numbers in all of them; they must not overlap. */
export function countOf(ranges: Iterable<Range>): number {
  let count = 0;
  for (const [first, last] of ranges) count += last - first + 1;
  return count;
}

/** Whether they are whole numbers from `least` on, ascending and apart. */
export function areRanges(ranges: Iterable<Range>, least = 1): boolean {
  let previous = least - 1;
  for (const [first, last] of ranges) {
    if (first <= previous || last < first || !Number.isSafeInteger(last)) return false;
    previous = last;
  }
  return true;
}

/** "3-5,9": for events and screens. */
export function rangesText(ranges: readonly Range[]): string {
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}
