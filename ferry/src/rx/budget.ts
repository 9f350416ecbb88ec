/**
 * Guarantee: every byte held for objects under way is counted, and buffers of
 * chunks are used again: fresh memory costs more than filling it.
 */

import { type IncomingMemory, incomingMemoryOf } from "../frames-in/index.ts";

/** Kept for the next chunks: two blocks of an object (SPEC.md §4) and what a disk is behind with. */
const SPARE_BYTES = 48 << 20;
/** Smaller buffers cost little. */
const SPARE_MIN_BYTES = 1 << 15;

/** Bytes held for all objects together. */
export class Budget {
  used = 0;
  readonly #spare: Uint8Array[] = [];

  /**
   * A buffer that, unless it is short, a hashing thread can read too; what lies in it is undefined.
   * @param near memory from which bytes will be copied there. Without it no place of such memory is taken: a short
   * object, which gives its buffer up while a thread may read it, would never give it back
   */
  take(length: number, near?: IncomingMemory): Uint8Array {
    this.used += length;
    if (length < SPARE_MIN_BYTES) return new Uint8Array(length);
    // Long objects of one sender have chunks of one length; any other buffer is made afresh.
    const last = this.#spare.at(-1);
    const fits = last?.length === length;
    if (fits && (near !== undefined || incomingMemoryOf(last.buffer) === undefined)) {
      this.#spare.pop();
      return last;
    }
    return near?.take(length) ?? new Uint8Array(new SharedArrayBuffer(length));
  }

  /** @param again false: another thread may still be reading it, and {@link reclaim} says when it does not */
  give(bytes: Uint8Array, again = true): void {
    const { length } = bytes;
    this.used -= length;
    if (!again || length < SPARE_MIN_BYTES) return;
    if (this.#spare.length > 0 && this.#spare[0]?.length !== length) this.#letGo();
    if ((this.#spare.length + 1) * length <= SPARE_BYTES) this.#spare.push(bytes);
    else incomingMemoryOf(bytes.buffer)?.give(bytes);
  }

  /** Takes back what was given while another thread read it. */
  reclaim(bytes: Uint8Array): void {
    this.used += bytes.length;
    this.give(bytes);
  }

  /** Memory is not kept for objects that may not come for hours. */
  rest(): void {
    if (this.used === 0) this.#letGo();
  }

  #letGo(): void {
    for (const bytes of this.#spare.splice(0)) incomingMemoryOf(bytes.buffer)?.give(bytes);
  }
}
