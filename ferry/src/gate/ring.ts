/**
 * Guarantee: one thread writes records and another reads them, in order, whole
 * and without copying, through shared memory of fixed size. Neither side ever
 * allocates; a full ring makes the writer wait, which is the back-pressure.
 */

/** Words from one to the next that the two sides write: a cache line holds 16. */
const LINE = 16;
/** Written by the writer alone. */
const HEAD = 0;
/** Written by the reader alone. */
const TAIL = LINE;
/** Set by a side that sleeps until the other rings its doorbell. */
const READER_WAITS = 2 * LINE;
const WRITER_WAITS = READER_WAITS + 1;
/** Set by a side that blocks its thread: waking costs a lock, so it is done for nobody in vain. */
const READER_BLOCKS = READER_WAITS + 2;
const WRITER_BLOCKS = READER_WAITS + 3;
const CLOSED = READER_WAITS + 4;
/** Counters of the worker; read by the owner. */
const COUNTERS = 3 * LINE;
const CONTROL_WORDS = 4 * LINE;

/** Length and tag before each record; keeps records aligned to 8 bytes. */
const RECORD_HEADER = 8;
/** In place of a length: the rest up to the end of the memory is not used. */
const SKIP = 0xffff_ffff;

export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
  /** Of the data, from its beginning. */
  readonly size: number;
}

/** @param size bytes of the data, a power of two; what is behind them is not the ring's */
export function ringMemory(data: SharedArrayBuffer, size = data.byteLength): RingMemory {
  return { control: new SharedArrayBuffer(CONTROL_WORDS * 4), data, size };
}

class RingEnd {
  readonly control: Int32Array;
  readonly bytes: Uint8Array;
  protected readonly words: Uint32Array;
  protected readonly size: number;

  constructor(memory: RingMemory) {
    this.control = new Int32Array(memory.control);
    this.bytes = new Uint8Array(memory.data, 0, memory.size);
    this.words = new Uint32Array(memory.data, 0, memory.size / 4);
    this.size = memory.size;
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
    return Atomics.load(this.control, COUNTERS + index) >>> 0;
  }
}

export class RingWriter extends RingEnd {
  #at = 0;
  #head: number;
  /** As last seen: the other side's word is fetched only when this says too little. */
  #tail: number;

  constructor(memory: RingMemory) {
    super(memory);
    this.#head = Atomics.load(this.control, HEAD);
    this.#tail = Atomics.load(this.control, TAIL);
  }

  /** Start of `length` free bytes in {@link bytes}, or -1 when the ring is too full. */
  reserve(length: number): number {
    const need = RECORD_HEADER + ((length + 7) & ~7);
    const head = this.#head >>> 0;
    const at = head & (this.size - 1);
    const untilEnd = this.size - at;
    if (untilEnd >= need) {
      if (!this.#free(need)) return -1;
      this.#at = at;
    } else {
      if (!this.#free(untilEnd + need)) return -1;
      this.words[at >>> 2] = SKIP;
      this.#publish(untilEnd);
      this.#at = 0;
    }
    return this.#at + RECORD_HEADER;
  }

  /** Publishes the reserved record with its true length. True when the reader asked to be woken. */
  commit(length: number, tag: number): boolean {
    this.words[this.#at >>> 2] = length;
    this.words[(this.#at >>> 2) + 1] = tag;
    this.#publish(RECORD_HEADER + ((length + 7) & ~7));
    if (Atomics.load(this.control, READER_WAITS) === 0) return false;
    return Atomics.exchange(this.control, READER_WAITS, 0) === 1;
  }

  /** Wakes a reader whose thread is blocked; to be called after one or several commits. */
  wakeReader(): void {
    if (Atomics.load(this.control, READER_BLOCKS) === 1) Atomics.notify(this.control, HEAD);
  }

  /** Blocks a worker while there is no room, until half is free or the time is over. */
  waitForSpace(length: number, timeoutMs: number): void {
    const tail = Atomics.load(this.control, TAIL);
    Atomics.store(this.control, WRITER_BLOCKS, 1);
    if (!this.#roomFor(length)) Atomics.wait(this.control, TAIL, tail, timeoutMs);
    Atomics.store(this.control, WRITER_BLOCKS, 0);
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
    Atomics.add(this.control, COUNTERS + index, by);
  }

  /** Enough wherever in the memory the next record would begin. */
  #roomFor(length: number): boolean {
    return this.closed || this.#free(2 * (length + 2 * RECORD_HEADER));
  }

  #free(bytes: number): boolean {
    const most = this.size - bytes;
    if ((this.#head - this.#tail) >>> 0 <= most) return true;
    this.#tail = Atomics.load(this.control, TAIL);
    return (this.#head - this.#tail) >>> 0 <= most;
  }

  #publish(bytes: number): void {
    this.#head = (this.#head + bytes) | 0;
    Atomics.store(this.control, HEAD, this.#head);
  }
}

export class RingReader extends RingEnd {
  /** Of the record found by the last successful {@link next}. */
  offset = 0;
  length = 0;
  tag = 0;
  #tail: number;
  /** As last seen. */
  #head: number;

  constructor(memory: RingMemory) {
    super(memory);
    this.#head = Atomics.load(this.control, HEAD);
    this.#tail = Atomics.load(this.control, TAIL);
  }

  /** Finds the next record without taking it. */
  next(): boolean {
    for (;;) {
      if (this.#empty()) return false;
      const at = (this.#tail >>> 0) & (this.size - 1);
      const length = this.words[at >>> 2] as number;
      if (length === SKIP) {
        this.#free(this.size - at);
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
    this.#free(RECORD_HEADER + ((this.length + 7) & ~7));
    const blocks = Atomics.load(this.control, WRITER_BLOCKS) === 1;
    const waits = Atomics.load(this.control, WRITER_WAITS) === 1;
    if (!blocks && !waits) return false;
    // Not at each record: a full ring would else change threads for every one of them.
    if (this.#used() > this.size / 2) return false;
    if (blocks) Atomics.notify(this.control, TAIL);
    return waits && Atomics.exchange(this.control, WRITER_WAITS, 0) === 1;
  }

  /** Blocks a worker until something was written or the time is over. */
  waitForRecord(timeoutMs: number): void {
    const head = Atomics.load(this.control, HEAD);
    Atomics.store(this.control, READER_BLOCKS, 1);
    if (this.#empty() && !this.closed) Atomics.wait(this.control, HEAD, head, timeoutMs);
    Atomics.store(this.control, READER_BLOCKS, 0);
  }

  /** Asks to be rung; true when there is a record already and no ring will come. */
  askForRecord(): boolean {
    Atomics.store(this.control, READER_WAITS, 1);
    if (!this.#empty() || this.closed) {
      Atomics.store(this.control, READER_WAITS, 0);
      return true;
    }
    return false;
  }

  count(index: number, by: number): void {
    Atomics.add(this.control, COUNTERS + index, by);
  }

  #used(): number {
    this.#head = Atomics.load(this.control, HEAD);
    return (this.#head - this.#tail) >>> 0;
  }

  #empty(): boolean {
    return this.#head === this.#tail && this.#used() === 0;
  }

  #free(bytes: number): void {
    this.#tail = (this.#tail + bytes) | 0;
    Atomics.store(this.control, TAIL, this.#tail);
  }
}
