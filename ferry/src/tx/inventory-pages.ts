/**
 * Guarantee: what the outbox lists is cut into pages none of which is longer
 * than SPEC.md §9 allows, in its order; nothing is left out and nothing said twice.
 */
import type { lightferry } from "@lightferry/proto/gen";
import { MAX_STREAMS, PAGE_BYTES } from "../inventory.ts";

type Answer = lightferry.ferry.v1.ListEmittedResponse.$Properties;
type StreamRanges = lightferry.ferry.v1.StreamRanges.$Properties;
type SequenceRange = lightferry.ferry.v1.SequenceRange.$Properties;

export interface InventoryPage {
  readonly held: StreamRanges[];
  readonly givenUp: StreamRanges[];
}

/** Everything of a page but its streams: names, numbers, tags. */
const HEAD_BYTES = 512;
/** Tags and lengths of a stream's entry, beside its name. */
const STREAM_BYTES = 12;
/** Parts a stream from the number after which the outbox's next page begins. */
const CURSOR_MARK = "#";

export class Pages {
  readonly #limit: number;
  #page: InventoryPage = { held: [], givenUp: [] };
  #bytes = HEAD_BYTES;

  /** @param limit bytes of a page; smaller ones in tests */
  constructor(limit: number = PAGE_BYTES) {
    this.#limit = limit;
  }

  /** Takes what the outbox listed. @returns pages that are full */
  add({ held, givenUp }: Answer): InventoryPage[] {
    const full: InventoryPage[] = [];
    for (const [kind, streams] of [
      ["held", held ?? []],
      ["givenUp", givenUp ?? []],
    ] as const) {
      for (const { stream, ranges } of streams) {
        for (const range of ranges ?? []) this.#put(full, kind, stream ?? "", range);
      }
    }
    return full;
  }

  /** What was not given out yet; may be empty. */
  rest(): InventoryPage {
    return this.#page;
  }

  #put(
    full: InventoryPage[],
    kind: keyof InventoryPage,
    stream: string,
    range: SequenceRange,
  ): void {
    const bytes = 4 + varintBytes(range.first ?? 0) + varintBytes(range.last ?? 0);
    const open = this.#page[kind].at(-1)?.stream === stream;
    const named = open ? 0 : Buffer.byteLength(stream) + STREAM_BYTES;
    const crowded = !open && this.#page[kind].length === MAX_STREAMS;
    if (crowded || this.#bytes + bytes + named > this.#limit) {
      full.push(this.#page);
      this.#page = { held: [], givenUp: [] };
      this.#bytes = HEAD_BYTES;
    }
    const { [kind]: streams } = this.#page;
    let last = streams.at(-1);
    if (last?.stream !== stream) {
      last = { stream, ranges: [] };
      streams.push(last);
      this.#bytes += Buffer.byteLength(stream) + STREAM_BYTES;
    }
    last.ranges?.push(range);
    this.#bytes += bytes;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 128; left = Math.floor(left / 128)) bytes += 1;
  return bytes;
}

/** Where the outbox goes on: behind the last number of the last stream that it named. */
export function cursorAfter({ held, givenUp }: Answer): string | undefined {
  const all = [...(held ?? []), ...(givenUp ?? [])];
  let last = "";
  for (const { stream } of all) if ((stream ?? "") > last) last = stream ?? "";
  if (last === "") return undefined;
  let number = 0;
  for (const { stream, ranges } of all) {
    if (stream === last) number = Math.max(number, ranges?.at(-1)?.last ?? 0);
  }
  return `${last}${CURSOR_MARK}${number}`;
}
