/**
 * Guarantee: one thread writes records and another reads them, in order, whole
 * and without copying, through shared memory of fixed size. Neither side ever
 * allocates; a full ring makes the writer wait, which is the back-pressure.
 */

const HEAD = 0;
const TAIL = 1;
/** Set by a side that sleeps until the other rings its doorbell. */
const READER_WAITS = 2;
const WRITER_WAITS = 3;
const CLOSED = 4;
/** Set by a side that blocks its thread: waking costs a lock, so it is done for nobody in vain. */
const READER_BLOCKS = 5;
const WRITER_BLOCKS = 6;
/** Free for counters of the worker; read by the owner. */
export const RING_COUNTERS = 8;
const CONTROL_WORDS = 32;

/** Length and tag before each record; keeps records aligned to 8 bytes. */
const RECORD_HEADER = 8;
/** In place of a length: the rest up to the end of the memory is not used. */
const SKIP = 0xffff_ffff;

export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/** @param bytes a power of two */
export function ringMemory(bytes: number): RingMemory {
  return {
    control: new SharedArrayBuffer(CONTROL_WORDS * 4),
    data: new SharedArrayBuffer(bytes),
  };
}

class RingEnd {
  readonly control: Int32Array;
  readonly bytes: Uint8Array;
  protected readonly words: Uint32Array;
  protected readonly size: number;

  constructor(memory: RingMemory) {
    this.control = new Int32Array(memory.control);
    this.bytes = new Uint8Array(memory.data);
    this.words = new Uint32Array(memory.data);
    this.size = this.bytes.length;
  }

  close(): void {
    Atomics.store(this.control, CLOSED, 1);
    for (const word of [HEAD, TAIL, CLOSED]) Atomics.notify(this.control, word);
  }

  /** Blocks a worker for the time given, or until the ring is closed. */
  waitForClose(timeoutMs: number): void {
    Atomics.wait(this.control, CLOSED, 0, timeoutMs);
  }

  get closed(): boolean {
    return Atomics.load(this.control, CLOSED) === 1;
  }

  counter(index: number): number {
    return Atomics.load(this.control, RING_COUNTERS + index) >>> 0;
  }

  protected used(): number {
    return (Atomics.load(this.control, HEAD) - Atomics.load(this.control, TAIL)) >>> 0;
  }
}

export class RingWriter extends RingEnd {
  #at = 0;

  /** Start of `length` free bytes in {@link bytes}, or -1 when the ring is too full. */
  reserve(length: number): number {
    const need = RECORD_HEADER + ((length + 7) & ~7);
    const head = Atomics.load(this.control, HEAD) >>> 0;
    let at = head & (this.size - 1);
    const untilEnd = this.size - at;
    const free = this.size - this.used();
    if (untilEnd < need) {
      if (free < untilEnd + need) return -1;
      this.words[at >>> 2] = SKIP;
      Atomics.store(this.control, HEAD, (head + untilEnd) | 0);
      at = 0;
    } else if (free < need) {
      return -1;
    }
    this.#at = at;
    return at + RECORD_HEADER;
  }

  /** Publishes the reserved record with its true length. True when the reader asked to be woken. */
  commit(length: number, tag: number): boolean {
    this.words[this.#at >>> 2] = length;
    this.words[(this.#at >>> 2) + 1] = tag;
    Atomics.add(this.control, HEAD, RECORD_HEADER + ((length + 7) & ~7));
    if (Atomics.load(this.control, READER_BLOCKS) === 1) Atomics.notify(this.control, HEAD);
    return Atomics.exchange(this.control, READER_WAITS, 0) === 1;
  }

  /** Blocks a worker while there is no room, until half is free or the time is over. */
  waitForSpace(length: number, timeoutMs: number): void {
    const tail = Atomics.load(this.control, TAIL);
    Atomics.store(this.control, WRITER_BLOCKS, 1);
    if (!this.#roomFor(length)) Atomics.wait(this.control, TAIL, tail, timeoutMs);
    Atomics.store(this.control, WRITER_BLOCKS, 0);
  }

  /** Enough wherever in the memory the next record would begin. */
  #roomFor(length: number): boolean {
    return this.closed || this.size - this.used() >= 2 * (length + 2 * RECORD_HEADER);
  }

  /** Asks to be rung; true when there is room already and no ring will come. */
  askForRoom(length: number): boolean {
    Atomics.store(this.control, WRITER_WAITS, 1);
    if (this.#roomFor(length)) {
      Atomics.store(this.control, WRITER_WAITS, 0);
      return true;
    }
    return false;
  }

  count(index: number, by: number): void {
    Atomics.add(this.control, RING_COUNTERS + index, by);
  }
}

export class RingReader extends RingEnd {
  /** Of the record found by the last successful {@link next}. */
  offset = 0;
  length = 0;
  tag = 0;

  /** Finds the next record without taking it. */
  next(): boolean {
    for (;;) {
      if (this.used() === 0) return false;
      const tail = Atomics.load(this.control, TAIL) >>> 0;
      const at = tail & (this.size - 1);
      const length = this.words[at >>> 2] as number;
      if (length === SKIP) {
        Atomics.store(this.control, TAIL, (tail + this.size - at) | 0);
        continue;
      }
      this.offset = at + RECORD_HEADER;
      this.length = length;
      this.tag = this.words[(at >>> 2) + 1] as number;
      return true;
    }
  }

  /** Gives the record's memory back. True when the writer asked to be woken and half is free. */
  release(): boolean {
    Atomics.add(this.control, TAIL, RECORD_HEADER + ((this.length + 7) & ~7));
    // Not at each record: a full ring would else change threads for every one of them.
    if (this.used() > this.size / 2) return false;
    if (Atomics.load(this.control, WRITER_BLOCKS) === 1) Atomics.notify(this.control, TAIL);
    return Atomics.exchange(this.control, WRITER_WAITS, 0) === 1;
  }

  /** Blocks a worker until something was written or the time is over. */
  waitForRecord(timeoutMs: number): void {
    const head = Atomics.load(this.control, HEAD);
    Atomics.store(this.control, READER_BLOCKS, 1);
    if (this.used() === 0 && !this.closed) Atomics.wait(this.control, HEAD, head, timeoutMs);
    Atomics.store(this.control, READER_BLOCKS, 0);
  }

  /** Asks to be rung; true when there is a record already and no ring will come. */
  askForRecord(): boolean {
    Atomics.store(this.control, READER_WAITS, 1);
    if (this.used() !== 0 || this.closed) {
      Atomics.store(this.control, READER_WAITS, 0);
      return true;
    }
    return false;
  }

  count(index: number, by: number): void {
    Atomics.add(this.control, RING_COUNTERS + index, by);
  }
}
