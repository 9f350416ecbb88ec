/**
 * Guarantee: cuts one byte stream into parts of a given size in constant
 * memory, loses and repeats nothing, and ends a part early when the stream
 * breaks off, so that what has arrived can still be kept.
 */
export class SplitSource {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  #ended = false;
  #fault: unknown;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What broke the stream off, if anything did. */
  get fault(): unknown {
    return this.#fault;
  }

  /** True when at least one more byte is to come; waits for it. */
  async more(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#ended) await this.#pull();
    return this.#rest.length > 0;
  }

  /** The next part of at most `max` bytes. Must be consumed before the next. */
  async *part(max: number): AsyncGenerator<Uint8Array> {
    let left = max;
    while (left > 0 && (await this.more())) {
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async #pull(): Promise<void> {
    try {
      const step = await this.#source.next();
      if (step.done === true) this.#ended = true;
      else this.#rest = step.value;
    } catch (error) {
      this.#ended = true;
      this.#fault = error;
    }
  }
}
