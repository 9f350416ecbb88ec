/**
 * Guarantee: a bundle of a stream whose position the sender has passed and that
 * is not here is reported once, by its numbers, and stays an open gap until it
 * arrives. Memory is bounded however far the numbers run.
 */
import { rangesText } from "./loss.ts";

/** Bundles that may arrive ahead of a missing one before the gap below is closed as lost. */
const MAX_AHEAD = 65_536;
/** Ranges named in one report. */
const MAX_RANGES = 32;

interface Stream {
  /** Everything up to here has arrived (or was given up). */
  low: number;
  readonly ahead: Set<number>;
  /** Highest number the heartbeat before the newest named: missing below it is a gap. */
  passed: number;
  /** Missing numbers up to here were reported. */
  reported: number;
}

export interface StreamGap {
  readonly stream: string;
  readonly missing: string;
  readonly count: number;
}

export class Streams {
  readonly #streams = new Map<string, Stream>();

  /** Low-water marks and what lies above them, for the durable record. */
  positions(): Record<string, { readonly low: number; readonly ahead: readonly number[] }> {
    return Object.fromEntries(
      [...this.#streams].map(([name, { low, ahead }]) => [name, { low, ahead: [...ahead] }]),
    );
  }

  restore(name: string, low: number, ahead: readonly number[]): void {
    const stream = this.#stream(name);
    stream.low = Math.max(stream.low, low);
    for (const sequence of ahead) this.arrived(name, sequence);
  }

  arrived(name: string, sequence: number): void {
    const stream = this.#stream(name);
    if (sequence <= stream.low) return;
    stream.ahead.add(sequence);
    while (stream.ahead.delete(stream.low + 1)) stream.low += 1;
    if (stream.ahead.size > MAX_AHEAD) {
      stream.low = Math.min(...stream.ahead);
      while (stream.ahead.delete(stream.low) && stream.ahead.has(stream.low + 1)) stream.low += 1;
    }
  }

  /**
   * Takes a position of a signed heartbeat. What the heartbeat before it had
   * passed has had a second to arrive.
   * @returns the gap that is new, if there is one
   */
  passed(name: string, sequence: number): StreamGap | undefined {
    const stream = this.#stream(name);
    const until = stream.passed;
    stream.passed = Math.max(stream.passed, sequence);
    if (until <= stream.reported) return undefined;
    const gap = missingIn(name, stream, stream.reported, until);
    stream.reported = until;
    return gap;
  }

  /** Every gap open now. */
  open(): StreamGap[] {
    const gaps: StreamGap[] = [];
    for (const [name, stream] of this.#streams) {
      const gap = missingIn(name, stream, 0, stream.reported);
      if (gap !== undefined) gaps.push(gap);
    }
    return gaps;
  }

  #stream(name: string): Stream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { low: 0, ahead: new Set(), passed: 0, reported: 0 };
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

/** What is missing above `from` and up to `to`. */
function missingIn(name: string, stream: Stream, from: number, to: number): StreamGap | undefined {
  const ranges: [number, number][] = [];
  let count = 0;
  let next = Math.max(from, stream.low) + 1;
  const ahead = [...stream.ahead].filter((sequence) => sequence >= next).sort((a, b) => a - b);
  for (const sequence of [...ahead, to + 1]) {
    const end = Math.min(sequence - 1, to);
    if (end >= next) {
      count += end - next + 1;
      if (ranges.length < MAX_RANGES) ranges.push([next, end]);
    }
    next = sequence + 1;
    if (next > to) break;
  }
  return count === 0 ? undefined : { stream: name, missing: rangesText(ranges), count };
}
