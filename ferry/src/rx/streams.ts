/**
 * Guarantee: of every stream it is known which numbers are here, which are
 * missing and were named, and what the sender's inventories say of these. Memory
 * is bounded however far the numbers run.
 *
 *   named ─▶ open ─▶ arrived, or given up by the sender: closed
 *              └─ listed by an inventory ─▶ unrepaired (alarm) ─▶ unrepairable (the sender has it no more)
 */
import { type ByStream, MAX_STREAMS } from "../inventory.ts";
import { countOf, type Range, RangeSet, rangesText } from "../ranges.ts";

/** Ranges kept of a stream before the lowest gap is closed as lost: what is ahead of a hole, hole by hole. */
const MAX_RANGES = 65_536;
/** Ranges named in one report: two kilobytes at most. */
const MAX_NAMED = 100;

/** What is known of numbers that are missing. */
export type GapState = "open" | "unrepaired" | "unrepairable";

export interface StreamGap {
  readonly stream: string;
  readonly missing: string;
  readonly count: number;
}

/** What outlives a restart besides what is here. */
export interface KeptStream {
  readonly open: readonly Range[];
  readonly listed: readonly Range[];
  readonly unrepaired: readonly Range[];
  readonly unrepairable: readonly Range[];
}

/** How far a ferry is in a stream, as its heartbeats say. */
export interface Position {
  /** Highest number whose first pass is over; 0 = none. */
  readonly sequence: number;
  /** Lowest number that it has taken on and whose first pass is not over; 0 = none. */
  readonly underWay: number;
}

interface Told extends Position {
  /** By the heartbeat before. */
  readonly wasUnderWay: number;
  readonly atMs: number;
}

/** What a link told so long ago says nothing of what its ferry does now: six heartbeats. */
const SILENT_MS = 3_000;

export class Stream {
  readonly name: string;
  /** Arrived, or given up by the sender. */
  readonly here = new RangeSet();
  /** Missing, and named as such. */
  readonly open = new RangeSet();
  /** An inventory said that the sender has them. */
  readonly listed = new RangeSet();
  /** Of the open ones: alarmed. */
  readonly unrepaired = new RangeSet();
  /** Of the open ones: the sender has them no more. */
  readonly unrepairable = new RangeSet();
  /** What each link's newest heartbeats told: missing below it is a gap. */
  readonly told = new Map<number, Told>();
  /** Missing numbers up to here were named. */
  reported = 0;

  constructor(name: string) {
    this.name = name;
  }

  close(range: Range): void {
    this.here.add(range);
    for (const set of [this.open, this.listed, this.unrepaired, this.unrepairable])
      set.delete(range);
  }

  /** Opens what of these is neither here nor open. @returns it */
  nameMissing(ranges: Iterable<Range>): Range[] {
    const fresh: Range[] = [];
    for (const range of ranges) {
      for (const missing of this.here.without(range)) fresh.push(...this.open.without(missing));
    }
    for (const range of fresh) this.open.add(range);
    return fresh;
  }
}

export class Streams {
  readonly #streams = new Map<string, Stream>();
  /** Closed as lost for want of room, since the last {@link takeForgotten}. */
  #forgotten: { readonly stream: string; readonly range: Range }[] = [];

  /** What is here of each, for the durable record. */
  positions(): Record<string, readonly Range[]> {
    return Object.fromEntries([...this.#streams].map(([name, { here }]) => [name, here.ranges]));
  }

  /** The open gaps and what is known of them, likewise. */
  gaps(): Record<string, KeptStream> {
    return Object.fromEntries(
      [...this.#streams]
        .filter(([, { open }]) => open.size > 0)
        .map(([name, { open, listed, unrepaired, unrepairable }]) => [
          name,
          {
            open: open.ranges,
            listed: listed.ranges,
            unrepaired: unrepaired.ranges,
            unrepairable: unrepairable.ranges,
          },
        ]),
    );
  }

  /** What a former run had here. */
  restore(name: string, ranges: Iterable<Range>): void {
    const stream = this.#of(name);
    for (const range of ranges) stream?.close(range);
  }

  /** What a former run had named; what has arrived since is no gap. */
  restoreGaps(name: string, kept: KeptStream): void {
    const stream = this.#of(name);
    if (stream === undefined) return;
    stream.nameMissing(kept.open);
    for (const key of ["listed", "unrepaired", "unrepairable"] as const) {
      for (const range of kept[key]) {
        for (const still of stream.open.within(range)) stream[key].add(still);
      }
    }
  }

  arrived(name: string, sequence: number): void {
    const stream = this.#of(name);
    if (stream === undefined) return;
    stream.close([sequence, sequence]);
    this.#bound(stream);
  }

  /** The sender will never send these. @returns what of them was not here */
  void(name: string, ranges: Iterable<Range>): Range[] {
    const stream = this.#of(name);
    if (stream === undefined) return [];
    const fresh: Range[] = [];
    for (const range of ranges) {
      fresh.push(...stream.here.without(range));
      stream.close(range);
    }
    this.#bound(stream);
    return fresh;
  }

  /**
   * Takes a position of a signed heartbeat. What the heartbeat before it on this link had
   * passed has had its time to arrive; but not what any ferry that lives had under way.
   * @param link whose heartbeat it was
   * @param nowMs monotonic
   * @returns the gap that is new, if there is one
   */
  passed(
    name: string,
    { sequence, underWay }: Position,
    link = 0,
    nowMs = performance.now(),
  ): StreamGap | undefined {
    const stream = this.#of(name);
    if (stream === undefined) return undefined;
    const before = stream.told.get(link);
    stream.told.set(link, { sequence, underWay, wasUnderWay: before?.underWay ?? 0, atMs: nowMs });
    let until = before?.sequence ?? 0;
    for (const told of stream.told.values()) {
      // Who is silent will not bring it; another ferry takes it over.
      if (nowMs - told.atMs > SILENT_MS) continue;
      for (const number of [told.underWay, told.wasUnderWay]) {
        if (number > 0) until = Math.min(until, number - 1);
      }
    }
    if (until <= stream.reported) return undefined;
    const fresh = stream.nameMissing([[stream.reported + 1, until]]);
    stream.reported = until;
    return gapOf(name, fresh);
  }

  /** The books of a stream; undefined when there are too many streams for another. */
  book(name: string): Stream | undefined {
    return this.#of(name);
  }

  get books(): Iterable<Stream> {
    return this.#streams.values();
  }

  /** Every gap open now, by what is known of it. */
  open(): (StreamGap & { readonly state: GapState })[] {
    return [...this.#streams.values()].flatMap(({ name, open, unrepaired, unrepairable }) => {
      const quiet = new RangeSet(open.ranges);
      for (const range of [...unrepaired.ranges, ...unrepairable.ranges]) quiet.delete(range);
      const alarmed = new RangeSet(unrepaired.ranges);
      for (const range of unrepairable.ranges) alarmed.delete(range);
      const rows: [GapState, RangeSet][] = [
        ["open", quiet],
        ["unrepaired", alarmed],
        ["unrepairable", unrepairable],
      ];
      return rows.flatMap(([state, set]) => {
        const gap = gapOf(name, set.ranges);
        return gap === undefined ? [] : [{ ...gap, state }];
      });
    });
  }

  /** What can still be asked for, by stream: open and not unrepairable. */
  wanted(): ByStream {
    const wanted = new Map<string, readonly Range[]>();
    for (const { name, open, unrepairable } of this.#streams.values()) {
      const ranges = open.ranges.flatMap((range) => unrepairable.without(range));
      if (ranges.length > 0) wanted.set(name, ranges);
    }
    return wanted;
  }

  /** Gaps that were closed as lost because too much arrived around them. */
  takeForgotten(): StreamGap[] {
    const taken = Map.groupBy(this.#forgotten.splice(0), ({ stream }) => stream);
    return [...taken].flatMap(
      ([stream, of]) =>
        gapOf(
          stream,
          of.map(({ range }) => range),
        ) ?? [],
    );
  }

  #bound(stream: Stream): void {
    while (stream.here.size > MAX_RANGES) {
      const [lowest, next] = stream.here.ranges as [Range, Range];
      const range: Range = [lowest[1] + 1, next[0] - 1];
      this.#forgotten.push({ stream: stream.name, range });
      stream.close(range);
    }
  }

  #of(name: string): Stream | undefined {
    let stream = this.#streams.get(name);
    if (stream === undefined && this.#streams.size < MAX_STREAMS) {
      stream = new Stream(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

/** All of them, as many events as it takes. */
export function gapsOf(stream: string, ranges: readonly Range[]): StreamGap[] {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const gaps: StreamGap[] = [];
  for (let at = 0; at < sorted.length; at += MAX_NAMED) {
    gaps.push(gapOf(stream, sorted.slice(at, at + MAX_NAMED)) as StreamGap);
  }
  return gaps;
}

/** As screens have it. */
function gapOf(stream: string, ranges: readonly Range[]): StreamGap | undefined {
  if (ranges.length === 0) return undefined;
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const named = sorted.slice(0, MAX_NAMED);
  const more = sorted.length > MAX_NAMED ? ",…" : "";
  return { stream, missing: `${rangesText(named)}${more}`, count: countOf(sorted) };
}
