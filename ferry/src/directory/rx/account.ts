/**
 * Guarantee: of every file number of the sender it is known in the end whether it came. What came out of order
 * or late, as long as the appliance may hold it, is no loss; what is told is told once. Memory is bounded
 * however far the numbers run.
 */
import type { SenderTime } from "@lightferry/proto/bundle";
import { type Range, RangeSet } from "../../ranges.ts";

/** Epochs that files may still be under way of. */
const MAX_EPOCHS = 8;
/** Ranges that came ahead of a missing number before the lowest is given up. */
const MAX_RANGES = 65_536;
/** The best of so long says what the sender's clock is: what was held back longest says least. */
const CLOCK_WINDOW_MS = 3_600_000;
/** Of the clock; one for each minute of the window and room. */
const MAX_TOLD = 128;
const TELL_EVERY_MS = 30_000;
/** Marks of one delay: what is settled is settled a little later for it. */
const MARKS = 256;

/** What survives a restart. */
export interface KeptAccount {
  readonly lost: number;
  readonly settled: number;
  /** Came, of each epoch that files may be under way of; everything below `base` is settled. */
  readonly epochs: readonly {
    readonly epoch: number;
    readonly base: number;
    readonly came: readonly Range[];
  }[];
}

interface Epoch {
  readonly epoch: number;
  /** Numbers below it are settled. */
  base: number;
  readonly came: RangeSet;
  highest: number;
  /** What was the highest when; numbers up to it have had the time since to come. */
  marks: { readonly upTo: number; readonly atMs: number }[];
  /** Counting began with the first file seen, and lower numbers may still come. */
  joined: boolean;
}

export interface LostFiles {
  readonly epoch: number;
  readonly ranges: readonly Range[];
}

export class Account {
  readonly #delayMs: number;
  readonly #clock: () => number;
  readonly #epochs = new Map<number, Epoch>();
  #lost = 0;
  #settled = 0;
  #heardAt: number | undefined;
  #latestMs = 0;
  /** By the newest file. */
  #toldMs = 0;
  #told: { readonly aheadMs: number; readonly atMs: number }[] = [];

  /**
   * @param delayMs how long the appliance may hold a file
   * @param clock this machine's, Unix milliseconds
   */
  constructor(delayMs: number, kept?: KeptAccount, clock: () => number = Date.now) {
    this.#delayMs = delayMs;
    this.#clock = clock;
    if (kept === undefined) return;
    this.#lost = kept.lost;
    this.#settled = kept.settled;
    for (const { epoch, base, came } of kept.epochs) {
      const set = new RangeSet(came);
      const highest = set.ranges.at(-1)?.[1] ?? base - 1;
      const marks = [{ upTo: highest, atMs: performance.now() }];
      this.#epochs.set(epoch, { epoch, base, came: set, highest, marks, joined: false });
    }
  }

  kept(): KeptAccount {
    return {
      ...{ lost: this.#lost, settled: this.#settled },
      epochs: [...this.#epochs.values()].map(({ epoch, base, came }) => ({
        ...{ epoch, base, came: came.ranges },
      })),
    };
  }

  /** The newest that a file named; 0 before the first. */
  get epoch(): number {
    return Math.max(0, ...this.#epochs.keys());
  }

  get lost(): number {
    return this.#lost;
  }

  get settled(): number {
    return this.#settled;
  }

  /** Monotonic milliseconds at which something newer than all before came. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  /**
   * The sender's clock minus ours, as far as the delay lets us know: never ahead of the truth. undefined
   * before the first file of this run.
   */
  get clockOffsetMs(): number | undefined {
    const since = performance.now() - CLOCK_WINDOW_MS;
    const known = this.#told.filter(({ atMs }) => atMs >= since);
    const of = known.length > 0 ? known : this.#told.slice(-1);
    if (of.length === 0) return undefined;
    const ahead = Math.max(...of.map(({ aheadMs }) => aheadMs));
    return ahead + performance.now() - this.#clock();
  }

  /** For judging expiry: what the appliance's delay explains is no difference of the clocks. */
  senderTime(): SenderTime | undefined {
    const offset = this.clockOffsetMs;
    if (offset === undefined || this.#heardAt === undefined) return undefined;
    const clock = offset >= 0 ? offset : Math.min(0, offset + this.#delayMs);
    const ageMs = Math.round(performance.now() - this.#heardAt);
    return { nowMs: Math.round(this.#clock() + clock), latestMs: this.#latestMs, ageMs };
  }

  /** A file with a good signature came, perhaps again. */
  see(epoch: number, number: number, timeMs: number): void {
    const known = this.#of(epoch, number);
    if (known === undefined) return;
    if (number < known.base) {
      if (!known.joined) return;
      known.base = number;
    }
    known.came.add([number, number]);
    if (number <= known.highest) return;
    known.highest = number;
    if (epoch < this.epoch) return;
    this.#heardAt = performance.now();
    this.#latestMs = Math.max(this.#latestMs, timeMs);
    this.#tell(timeMs);
  }

  /** Settles what has had its time. @returns what is lost and was not told before */
  tick(now = performance.now()): LostFiles[] {
    const lost: LostFiles[] = [];
    for (const one of [...this.#epochs.values()]) {
      const last = one.marks.at(-1);
      const due = last === undefined || last.atMs + this.#delayMs / MARKS <= now;
      if (due && (last === undefined || one.highest > last.upTo)) {
        one.marks.push({ upTo: one.highest, atMs: now });
      }
      let upTo = one.came.size > MAX_RANGES ? (one.came.ranges[1]?.[0] ?? 0) - 1 : 0;
      while (one.marks[0] !== undefined && one.marks[0].atMs + this.#delayMs <= now) {
        upTo = Math.max(upTo, one.marks.shift()?.upTo ?? 0);
      }
      if (upTo >= one.base) this.#settle(one, upTo, lost);
      const older = one.epoch < this.epoch;
      if (older && one.base > one.highest) this.#epochs.delete(one.epoch);
    }
    return lost;
  }

  #settle(one: Epoch, upTo: number, lost: LostFiles[]): void {
    const ranges = one.came.without([one.base, upTo]);
    this.#settled += upTo - one.base + 1;
    this.#lost += ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
    if (ranges.length > 0) lost.push({ epoch: one.epoch, ranges });
    one.joined = false;
    one.came.delete([0, upTo]);
    one.base = upTo + 1;
  }

  #of(epoch: number, number: number): Epoch | undefined {
    let one = this.#epochs.get(epoch);
    if (one !== undefined) return one;
    const newest = this.epoch;
    // Of an epoch that is over: what was to be said of it is said.
    if (epoch < newest) return undefined;
    // Who never heard this sender begins to count with the first file seen.
    const joined = newest === 0;
    const base = joined ? number : 1;
    one = { epoch, base, came: new RangeSet(), highest: base - 1, marks: [], joined };
    this.#epochs.set(epoch, one);
    const [oldest] = [...this.#epochs.keys()].sort((a, b) => a - b);
    if (this.#epochs.size > MAX_EPOCHS && oldest !== undefined) this.#epochs.delete(oldest);
    return one;
  }

  /** Against a clock that is never set: ours may be, too. */
  #tell(timeMs: number): void {
    const atMs = performance.now();
    const aheadMs = timeMs - atMs;
    // Files are numbered in the order of their making: the clock was set back between two.
    if (timeMs < this.#toldMs) this.#told = [];
    this.#toldMs = timeMs;
    const last = this.#told.at(-1);
    if (last !== undefined && atMs - last.atMs < TELL_EVERY_MS && aheadMs <= last.aheadMs) return;
    this.#told.push({ aheadMs, atMs });
    if (this.#told.length > MAX_TOLD) this.#told.shift();
  }
}
