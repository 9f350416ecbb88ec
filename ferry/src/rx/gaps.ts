/**
 * Guarantee: every bundle that the sender has sent and that is not here is named
 * once by its number, alarmed once when it stays away, and called unrepairable
 * only when the sender has it no more (SPEC.md §9). A restart forgets none of it:
 * an event may be said twice at most around a crash.
 *
 * page ─▶ named? ─ settle ─▶ gate.gap ─ two pass delays ─▶ gate.gap-unrepaired
 * full ─▶ neither held nor given up ─▶ gate.gap-unrepairable
 */
import type { lightferry } from "@lightferry/proto/gen";
import { replaceFile } from "../durable.ts";
import type { EventSink, FerryEventType, Log } from "../events.ts";
import type { Page } from "../inventory.ts";
import { ferryOf } from "../object.ts";
import { type Range, RangeSet } from "../ranges.ts";
import { type Begun, type Missing, missingOf, readMissing } from "../repair/missing.ts";
import type { DoneLog } from "./done.ts";
import { gapsOf, type Stream, type StreamGap } from "./streams.ts";

/**
 * A number that an inventory names may be on its way from the gate to the disk:
 * as long as a heartbeat is waited for before a position counts.
 */
const SETTLE_MS = 1_000;
/** With shorter passes, as in tests, an alarm still waits so long. */
const ALARM_AT_LEAST_MS = 2_000;
/** Missing ranges kept of a stream; what goes beyond is named when others have closed. */
const MAX_OPEN_RANGES = 65_536;
/** How often the objects under way are written for tickets while something is missing. */
const PICTURE_MS = 2_000;

export interface GapsParts {
  readonly path: string;
  readonly lane: string;
  readonly sender: string;
  readonly done: DoneLog;
  readonly events: EventSink;
  readonly log: Log;
  /** Objects begun and not whole. */
  readonly begun: () => Begun[];
  /** The sender's clock less ours; undefined before its first heartbeat. */
  readonly senderOffsetMs: () => number | undefined;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** Ranges of a stream for which something falls due. */
interface Due {
  readonly stream: Stream;
  readonly ranges: readonly Range[];
  readonly atMs: number;
}

/** The newest inventory of a ferry. */
interface Newest {
  readonly epoch: number;
  readonly number: number;
  /** That came. */
  readonly pages: Set<number>;
  full: Full | undefined;
}

/** A full inventory that is coming in. */
interface Full {
  nextPage: number;
  /** Of what was open when it began, what it has not accounted for. */
  readonly left: ReadonlyMap<Stream, RangeSet>;
}

export class Gaps {
  readonly #parts: GapsParts;
  readonly #now: () => number;
  /** By ferry: a sender may have several for a lane, each with epochs of its own. */
  readonly #newest = new Map<number, Newest>();
  #passDelayMs = 0;
  #settling: Due[] = [];
  #alarms: Due[] = [];
  /** Numbers that the former full inventories did not account for. */
  #absent: Due[] = [];
  #fullAtMs: number | undefined;
  #dirty = false;
  #pictureAtMs = 0;
  /** The file says that something is missing. */
  #shownGaps = false;
  #saving: Promise<void> = Promise.resolve();
  #recording: Promise<unknown> = Promise.resolve();

  private constructor(parts: GapsParts, kept: Missing | undefined) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    if (kept === undefined) return;
    for (const [epoch, number] of kept.inventories) this.#enter(epoch, number);
    this.#passDelayMs = kept.passDelayMs;
    const { streams } = parts.done;
    for (const [name, of] of Object.entries(kept.streams)) {
      streams.restoreGaps(name, of);
      const stream = streams.book(name);
      if (stream === undefined) continue;
      const waiting = stream.listed.ranges.flatMap((range) => stream.unrepaired.without(range));
      this.#alarmLater(stream, waiting);
    }
  }

  /**
   * Reads what a former run left; the answer opens it for whoever knows the objects under way.
   * @throws GatewayError `ferry.state-corrupt`
   */
  static async opening(
    parts: Omit<GapsParts, "begun">,
  ): Promise<(begun: GapsParts["begun"]) => Gaps> {
    const kept = await readMissing(parts.path, parts);
    return (begun) => new Gaps({ ...parts, begun }, kept);
  }

  status(): object {
    const { streams } = this.#parts.done;
    return {
      gaps: streams.open(),
      inventory: {
        newest: this.#inventories(),
        fullSecondsAgo:
          this.#fullAtMs === undefined ? null : Math.round((this.#now() - this.#fullAtMs) / 1000),
      },
    };
  }

  /** Takes the positions of a signed heartbeat. @param link whose it was */
  positions(positions: readonly lightferry.ferry.v1.StreamPosition.$Properties[], link = 0): void {
    for (const { stream, sequence, underWay } of positions) {
      // Streams of this lane only: the names become keys of a durable record.
      if (!stream?.startsWith(`${this.#parts.lane}/`)) continue;
      const position = { sequence: sequence ?? 0, underWay: underWay ?? 0 };
      if (!Object.values(position).every((value) => Number.isSafeInteger(value))) continue;
      const gap = this.#parts.done.streams.passed(stream, position, link, this.#now());
      if (gap !== undefined) this.#say("gate.gap", gap);
    }
  }

  /**
   * Takes a page whose signature and limits were verified.
   * @returns why it counts for nothing
   */
  page(epoch: number, page: Page): "repeated" | undefined {
    let newest = this.#newest.get(ferryOf(epoch));
    if (newest !== undefined) {
      const older = epoch < newest.epoch || (epoch === newest.epoch && page.number < newest.number);
      if (older) return "repeated";
    }
    if (newest?.epoch !== epoch || newest.number !== page.number) {
      newest = this.#enter(epoch, page.number);
    }
    if (newest.pages.has(page.page)) return "repeated";
    newest.pages.add(page.page);
    this.#passDelayMs = page.passDelayMs;
    this.#dirty = true;
    if (page.full && page.page === 0) newest.full = this.#beginFull();
    for (const [name, ranges] of page.givenUp) {
      this.#guard(this.#parts.done.void(name, ranges));
      this.#accounted(newest.full, name, ranges);
    }
    for (const [name, ranges] of page.held) {
      this.#held(name, ranges);
      this.#accounted(newest.full, name, ranges);
    }
    if (page.full) this.#fullPage(newest, page);
    return undefined;
  }

  /** Once a second. */
  tick(): void {
    const now = this.#now();
    for (const { stream, ranges } of due(this.#settling, now)) {
      if (stream.open.size >= MAX_OPEN_RANGES) continue;
      const fresh = stream.nameMissing(ranges);
      for (const gap of gapsOf(stream.name, fresh)) this.#say("gate.gap", gap);
      for (const range of fresh) stream.listed.add(range);
    }
    for (const { stream, ranges } of due(this.#alarms, now)) this.#alarm(stream, ranges);
    for (const gap of this.#parts.done.streams.takeForgotten()) {
      this.#say("gate.gap-unrepairable", gap, { because: "too many gaps" });
    }
    const shown = this.#shownGaps || this.#parts.done.streams.wanted().size > 0;
    if (shown && now - this.#pictureAtMs >= PICTURE_MS) this.#dirty = true;
    if (this.#dirty) this.save();
  }

  /** Writes it down; one after another. */
  save(): void {
    this.#dirty = false;
    this.#pictureAtMs = this.#now();
    const { path, log } = this.#parts;
    this.#saving = this.#saving.then(async () => {
      try {
        await replaceFile(path, `${JSON.stringify(this.#missing())}\n`);
      } catch (error) {
        this.#dirty = true;
        log.error({ err: error }, "gaps not written");
      }
    });
  }

  async close(): Promise<void> {
    this.save();
    await this.#saving;
    await this.#recording;
  }

  #missing(): Missing {
    const { lane, sender, done, begun, senderOffsetMs } = this.#parts;
    const streams = done.streams.gaps();
    this.#shownGaps = Object.keys(streams).length > 0;
    return missingOf({
      ...{ lane, sender, inventories: this.#inventories() },
      ...{ passDelayMs: this.#passDelayMs, streams },
      objects: this.#shownGaps ? begun() : [],
      senderOffsetMs: senderOffsetMs() ?? null,
      timeMs: Date.now(),
    });
  }

  /** What the sender has and is not here is missing: named in a moment, if it was not before. */
  #held(name: string, ranges: readonly Range[]): void {
    const stream = this.#parts.done.streams.book(name);
    if (stream === undefined) return;
    const fresh: Range[] = [];
    const named: Range[] = [];
    for (const range of ranges) {
      stream.unrepairable.delete(range);
      for (const missing of stream.here.without(range)) {
        fresh.push(...stream.open.without(missing));
        for (const open of stream.open.within(missing)) named.push(...stream.listed.without(open));
      }
    }
    for (const range of named) stream.listed.add(range);
    this.#alarmLater(stream, [...named, ...fresh]);
    if (fresh.length > 0) {
      this.#settling.push({ stream, ranges: fresh, atMs: this.#now() + SETTLE_MS });
    }
  }

  #alarmLater(stream: Stream, ranges: readonly Range[]): void {
    if (ranges.length === 0) return;
    const wait = Math.max(2 * this.#passDelayMs, ALARM_AT_LEAST_MS);
    this.#alarms.push({ stream, ranges, atMs: this.#now() + wait });
  }

  #alarm(stream: Stream, ranges: readonly Range[]): void {
    const late: Range[] = [];
    for (const range of ranges) {
      for (const open of stream.open.within(range)) late.push(...stream.unrepaired.without(open));
    }
    for (const range of late) stream.unrepaired.add(range);
    for (const gap of gapsOf(stream.name, late)) this.#say("gate.gap-unrepaired", gap);
  }

  #enter(epoch: number, number: number): Newest {
    const newest: Newest = { epoch, number, pages: new Set(), full: undefined };
    this.#newest.set(ferryOf(epoch), newest);
    return newest;
  }

  #inventories(): [epoch: number, number: number][] {
    return Array.from(this.#newest.values(), ({ epoch, number }) => [epoch, number]);
  }

  #beginFull(): Full {
    const { streams } = this.#parts.done;
    const left = new Map([...streams.books].map((book) => [book, new RangeSet(book.open.ranges)]));
    return { nextPage: 0, left };
  }

  #accounted(full: Full | undefined, name: string, ranges: readonly Range[]): void {
    const stream = this.#parts.done.streams.book(name);
    const left = stream === undefined ? undefined : full?.left.get(stream);
    for (const range of ranges) left?.delete(range);
  }

  /** Pages count in their order; one that is lost makes the whole say nothing of what it does not name. */
  #fullPage(newest: Newest, { page, last }: Page): void {
    const { full } = newest;
    if (full === undefined || full.nextPage !== page) {
      newest.full = undefined;
      return;
    }
    full.nextPage += 1;
    if (!last) return;
    newest.full = undefined;
    this.#fullAtMs = this.#now();
    for (const [stream, left] of full.left) this.#unaccounted(stream, left);
  }

  /**
   * A number that was listed before and is no more is gone. One that never was may wait for its first
   * pass while a later one has left: it is gone when a full inventory two pass delays later lacks it, too.
   */
  #unaccounted(stream: Stream, left: RangeSet): void {
    const now = this.#now();
    const wait = Math.max(2 * this.#passDelayMs, ALARM_AT_LEAST_MS);
    const gone: Range[] = [];
    const before = this.#absent.filter((one) => one.stream === stream);
    this.#absent = this.#absent.filter((one) => one.stream !== stream);
    const open = left.ranges.flatMap((range) => stream.open.within(range));
    const fresh = new RangeSet(open);
    for (const range of open) gone.push(...stream.listed.within(range));
    for (const { ranges, atMs } of before) {
      const again = ranges.flatMap((range) => fresh.within(range));
      for (const range of again) fresh.delete(range);
      if (atMs <= now) gone.push(...again);
      else if (again.length > 0) this.#absent.push({ stream, ranges: again, atMs });
    }
    for (const range of gone) fresh.delete(range);
    if (fresh.size > 0) this.#absent.push({ stream, ranges: fresh.ranges, atMs: now + wait });
    const news = new RangeSet(gone).ranges.flatMap((range) => stream.unrepairable.without(range));
    for (const range of news) stream.unrepairable.add(range);
    for (const gap of gapsOf(stream.name, news)) this.#say("gate.gap-unrepairable", gap);
  }

  #say(type: FerryEventType, gap: StreamGap, more: Readonly<Record<string, string>> = {}): void {
    const { events, lane, log } = this.#parts;
    log.warn({ ...gap, ...more }, type);
    const { stream, missing, count } = gap;
    const attributes = { bundles: String(count), missing, stream, ...more };
    this.#guard(events.record([{ type, outcome: "error", lane, attributes }]));
    this.#dirty = true;
  }

  #guard(work: Promise<unknown>): void {
    const guarded = work.catch((error: unknown) =>
      this.#parts.log.error({ err: error }, "gap not written"),
    );
    this.#recording = Promise.all([this.#recording, guarded]);
  }
}

/** Takes out what is due. */
function due(waiting: Due[], now: number): Due[] {
  const over = waiting.filter(({ atMs }) => atMs <= now);
  if (over.length > 0)
    waiting.splice(0, waiting.length, ...waiting.filter((one) => one.atMs > now));
  return over;
}
