/**
 * Guarantee: an object is divided without a gap into spans, each with a digest
 * of its own: the head, then its chunks in their order (SPEC.md §3.3). One bit
 * says of each whether it is good, here and in the journal of a partial file.
 */
import { Chunks } from "../object.ts";

/** The first span; chunk c is span c + 1. */
export const HEAD = 0;

export class Spans {
  readonly count: number;
  readonly #chunks: Chunks;
  readonly #good: Uint8Array;
  /** Spans that are not good. */
  missing: number;
  /** Bytes of those that are. */
  goodBytes = 0;

  constructor(size: number, headSize: number, chunkBytes: number) {
    this.#chunks = new Chunks(size, headSize, chunkBytes);
    this.count = this.#chunks.count + 1;
    this.missing = this.count;
    this.#good = new Uint8Array((this.count + 7) >> 3);
  }

  /** The span that a byte belongs to. */
  at(offset: number): number {
    return this.#chunks.at(offset) + 1;
  }

  start(span: number): number {
    return span === HEAD ? 0 : this.#chunks.start(span - 1);
  }

  end(span: number): number {
    return span === HEAD ? this.#chunks.headSize : this.start(span) + this.#chunks.length(span - 1);
  }

  length(span: number): number {
    return this.end(span) - this.start(span);
  }

  /** Where the table entry of a chunk lies in the head. */
  digestAt(span: number): number {
    return this.#chunks.digestAt(span - 1);
  }

  isGood(span: number): boolean {
    return ((this.#good[span >> 3] as number) & (1 << (span & 7))) !== 0;
  }

  setGood(span: number): void {
    if (this.isGood(span)) return;
    this.#good[span >> 3] = (this.#good[span >> 3] as number) | (1 << (span & 7));
    this.missing -= 1;
    this.goodBytes += this.length(span);
  }

  unset(span: number): void {
    if (!this.isGood(span)) return;
    this.#good[span >> 3] = (this.#good[span >> 3] as number) & ~(1 << (span & 7));
    this.missing += 1;
    this.goodBytes -= this.length(span);
  }
}

/** Bytes of the journal's marks for a number of spans. */
export function markBytes(spans: number): number {
  return (spans + 7) >> 3;
}

/** Whether a journal has a span marked. */
export function isMarked(marks: Uint8Array, span: number): boolean {
  return ((marks[span >> 3] ?? 0) & (1 << (span & 7))) !== 0;
}
