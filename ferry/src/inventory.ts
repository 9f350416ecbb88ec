/**
 * Guarantee: one page of an inventory is within stated limits before anything
 * is made of it, and says of every number at most one thing (SPEC.md §9).
 */
import type { lightferry } from "@lightferry/proto/gen";
import { areRanges, type Range } from "./ranges.ts";

type Inventory = lightferry.ferry.v1.Inventory;
type StreamRanges = lightferry.ferry.v1.StreamRanges.$Properties;

export const INVENTORY_VERSION = 1;
/** One page before it is signed: at the smallest frame size it still fits 255 parts. */
export const PAGE_BYTES = 32 << 10;
/** A signed page: key id, signature and their tags besides. */
export const SIGNED_PAGE_BYTES = PAGE_BYTES + 256;
/** Streams of a lane that a receiver keeps books of; a lane has two per node. */
export const MAX_STREAMS = 64;
/** A page holds no more ranges: the shortest takes six bytes. */
const MAX_PAGE_RANGES = Math.floor(PAGE_BYTES / 6);
/** Longest name of a stream: lane, node and class of the registry. */
export const MAX_STREAM_CHARS = 191;
/** Longest delay between two passes that a sender may state: a day, as in its settings. */
const MAX_PASS_DELAY_MS = 86_400_000;

/** Ranges by stream. */
export type ByStream = ReadonlyMap<string, readonly Range[]>;

/** As messages have them. @returns undefined when a name or a range is not as SPEC.md §9 says */
export function readStreams(
  lane: string,
  streams: readonly StreamRanges[],
  maxRanges: number = MAX_PAGE_RANGES,
): ByStream | undefined {
  if (streams.length > MAX_STREAMS) return undefined;
  const read = new Map<string, readonly Range[]>();
  let count = 0;
  for (const { stream, ranges } of streams) {
    const given = ranges ?? [];
    count += given.length;
    // Streams of this lane only: the names become keys of a durable record.
    if (!stream?.startsWith(`${lane}/`) || stream.length > MAX_STREAM_CHARS) return undefined;
    if (read.has(stream) || given.length === 0 || count > maxRanges) return undefined;
    const pairs = given.map(({ first, last }): Range => [first ?? 0, last ?? 0]);
    if (!areRanges(pairs)) return undefined;
    read.set(stream, pairs);
  }
  return read;
}

export function writeStreams(streams: ByStream): StreamRanges[] {
  return [...streams].map(([stream, ranges]) => ({
    stream,
    ranges: ranges.map(([first, last]) => ({ first, last })),
  }));
}

/** What a believed page says. */
export interface Page {
  readonly number: number;
  readonly page: number;
  readonly last: boolean;
  readonly full: boolean;
  readonly passDelayMs: number;
  readonly held: ByStream;
  readonly givenUp: ByStream;
}

/** Reads a signed page. @returns why it counts for nothing */
export function readPage(
  message: Inventory,
  expected: { readonly sender: string; readonly lane: string; readonly epoch: number },
): Page | "version" | "sender" | "lane" | "epoch" | "numbers" | "streams" {
  if (message.version !== INVENTORY_VERSION) return "version";
  if (message.sender !== expected.sender) return "sender";
  if (message.lane !== expected.lane) return "lane";
  if (message.epoch !== expected.epoch) return "epoch";
  const { number, page, last, full, passDelayMs } = message;
  if (!Number.isSafeInteger(number) || number < 1) return "numbers";
  if (passDelayMs > MAX_PASS_DELAY_MS) return "numbers";
  const held = readStreams(expected.lane, message.held);
  const givenUp = readStreams(expected.lane, message.givenUp);
  if (held === undefined || givenUp === undefined) return "streams";
  return { number, page, last, full, passDelayMs, held, givenUp };
}
