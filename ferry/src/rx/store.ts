/**
 * Guarantee: the bytes of one object's spans that are in memory, each copied
 * there once. A span is full when every byte of it came; what is being checked
 * or is good is never written to again.
 */
import { MAX_SHARDS } from "../frame.ts";
import { type IncomingMemory, incomingMemoryOf } from "../frames-in/index.ts";
import type { Budget } from "./budget.ts";
import { type Payload, type ShardHeader, viewOf } from "./shard.ts";
import { HEAD, type Spans } from "./spans.ts";

/** Bytes are still coming. */
const FILLING = 0;
/** All there, not looked at yet. */
const FULL = 1;
/** Being hashed or written; a thread reads it. */
const CHECKING = 2;
/** Good; kept in memory because something still needs its bytes. */
const KEPT = 3;

/** A shard that came while its span was being looked at: wanted again if that turns out wrong. */
export interface LateShard {
  readonly header: ShardHeader;
  readonly payload: Uint8Array;
}

interface Held {
  readonly bytes: Uint8Array;
  /** In which the bytes lie, and where. */
  readonly memory: IncomingMemory | undefined;
  readonly address: number;
  /** Where it lies in the object. */
  readonly start: number;
  readonly end: number;
  missing: number;
  /** By their place in the object: one of each. */
  late: Map<number, LateShard> | undefined;
  state: typeof FILLING | typeof FULL | typeof CHECKING | typeof KEPT;
}

export class Store {
  /** Spans that {@link place} made full, for the caller to take out. */
  readonly filled: number[] = [];
  /** Spans that {@link place} left alone because a thread looks at them, likewise. */
  readonly busy: number[] = [];
  readonly #spans: Spans;
  readonly #budget: Budget;
  readonly #held = new Map<number, Held>();
  /** Bytes of a short object, which stays in one buffer until it is whole. */
  readonly #short: number | undefined;
  #whole: Uint8Array | undefined;

  /** @param short bytes of a short object */
  constructor(spans: Spans, budget: Budget, short: number | undefined) {
    this.#spans = spans;
    this.#budget = budget;
    this.#short = short;
  }

  /** All bytes of a short object. */
  get whole(): Uint8Array | undefined {
    return this.#whole;
  }

  /**
   * Takes bytes of a shard to where they belong, if they are wanted there.
   * @param counted whether they come for the first time; otherwise they replace what came before
   */
  place(offset: number, payload: Payload, counted: boolean): void {
    const end = offset + payload.length;
    for (let from = offset; from < end; ) {
      const span = this.#spans.at(from);
      let held = this.#held.get(span);
      if (held === undefined) {
        if (this.#spans.isGood(span)) {
          from = Math.min(end, this.#spans.end(span));
          continue;
        }
        held = this.#begin(span, payload.memory);
      }
      const to = Math.min(end, held.end);
      if (held.state === CHECKING) {
        this.busy.push(span);
      } else if (held.state !== KEPT) {
        put(held, from, payload, payload.from + from - offset, to - from);
        if (counted) this.#count(span, held, to - from);
      }
      from = to;
    }
  }

  /** A shard counts as never received. */
  unplace(offset: number, length: number): void {
    const end = offset + length;
    for (let from = offset; from < end; ) {
      const span = this.#spans.at(from);
      const to = Math.min(end, this.#spans.end(span));
      const held = this.#held.get(span);
      if (held !== undefined && (held.state === FILLING || held.state === FULL)) {
        held.state = FILLING;
        held.missing += to - from;
      }
      from = to;
    }
  }

  /**
   * Copies bytes of a shard out.
   * @returns the span whose bytes are not in memory, or -1 when all were
   */
  copyOut(offset: number, length: number, into: Uint8Array): number {
    const end = offset + length;
    for (let from = offset; from < end; ) {
      const span = this.#spans.at(from);
      const held = this.#held.get(span);
      if (held === undefined) return span;
      const to = Math.min(end, held.end);
      into.set(held.bytes.subarray(from - held.start, to - held.start), from - offset);
      from = to;
    }
    return -1;
  }

  has(span: number): boolean {
    return this.#held.has(span);
  }

  /** Good, or about to be: its bytes need not come again. */
  isSure(span: number): boolean {
    return this.#spans.isGood(span) || this.#held.get(span)?.state === CHECKING;
  }

  /** Spans that are full and wait to be looked at. */
  full(): number[] {
    const full: number[] = [];
    for (const [span, { state }] of this.#held) if (state === FULL) full.push(span);
    return full;
  }

  isFull(span: number): boolean {
    return this.#held.get(span)?.state === FULL;
  }

  /** The bytes of a full span, which nobody changes until it was looked at. */
  checking(span: number): Uint8Array {
    const held = this.#held.get(span) as Held;
    held.state = CHECKING;
    return held.bytes;
  }

  /** It was looked at and is good. */
  keep(span: number): void {
    const held = this.#held.get(span);
    if (held === undefined) return;
    held.state = KEPT;
    this.#dropLate(held);
  }

  /** It was looked at and is wrong: so many of its bytes come again. */
  refill(span: number, missing: number): void {
    const held = this.#held.get(span);
    if (held === undefined) return;
    held.state = FILLING;
    held.missing = missing;
  }

  /** Bytes of a good span, read back from the file. */
  bring(span: number, bytes: Uint8Array): void {
    const [start, end] = [this.#spans.start(span), this.#spans.end(span)];
    const lies = { bytes, memory: undefined, address: 0, start, end };
    this.#held.set(span, { ...lies, missing: 0, late: undefined, state: KEPT });
  }

  /** Keeps a shard until its span was looked at. The payload is copied. */
  keepLate(span: number, late: LateShard): void {
    const held = this.#held.get(span);
    if (held?.state !== CHECKING) return;
    held.late ??= new Map();
    const key = late.header.group * MAX_SHARDS + late.header.shard;
    this.#budget.used += late.payload.length - (held.late.get(key)?.payload.length ?? 0);
    held.late.set(key, late);
  }

  takeLate(span: number): readonly LateShard[] {
    const held = this.#held.get(span);
    return held === undefined ? [] : this.#dropLate(held);
  }

  /** The head's bytes, once it is good. */
  get head(): Uint8Array {
    return (this.#held.get(HEAD) as Held).bytes;
  }

  /** Lets go of a span: not needed in memory, or wrong. */
  drop(span: number): void {
    const held = this.#held.get(span);
    if (held === undefined) return;
    this.#held.delete(span);
    this.#dropLate(held);
    if (this.#whole === undefined) this.#budget.give(held.bytes);
  }

  /** Lets go of good spans that lie in the file too. */
  dropKept(): void {
    for (const [span, { state }] of this.#held) {
      if (state === KEPT && span !== HEAD) this.drop(span);
    }
  }

  /** Lets go of what is unfinished. @returns how many spans */
  dropUnfinished(): number {
    let dropped = 0;
    for (const [span, { state }] of this.#held) {
      if (state !== FILLING && state !== FULL) continue;
      this.drop(span);
      dropped += 1;
    }
    return dropped;
  }

  /** Lets go of everything; of what a thread may be reading the memory is not used again. */
  release(): void {
    for (const held of this.#held.values()) this.#dropLate(held);
    if (this.#whole !== undefined) {
      this.#budget.give(this.#whole, false);
      this.#whole = undefined;
    } else {
      for (const { bytes, state } of this.#held.values()) {
        this.#budget.give(bytes, state !== CHECKING);
      }
    }
    this.#held.clear();
    this.filled.length = 0;
    this.busy.length = 0;
  }

  #count(span: number, held: Held, bytes: number): void {
    held.missing -= bytes;
    if (held.missing > 0) return;
    held.state = FULL;
    this.filled.push(span);
  }

  #dropLate(held: Held): readonly LateShard[] {
    const late = [...(held.late?.values() ?? [])];
    held.late = undefined;
    for (const { payload } of late) this.#budget.used -= payload.length;
    return late;
  }

  #begin(span: number, near: IncomingMemory | undefined): Held {
    const start = this.#spans.start(span);
    const end = this.#spans.end(span);
    const length = end - start;
    if (this.#short !== undefined) this.#whole ??= this.#budget.take(this.#short);
    const bytes = this.#whole?.subarray(start, start + length) ?? this.#budget.take(length, near);
    const memory = incomingMemoryOf(bytes.buffer);
    const lies = { bytes, memory, address: bytes.byteOffset, start, end };
    const held: Held = { ...lies, missing: length, late: undefined, state: FILLING };
    this.#held.set(span, held);
    return held;
  }
}

/** Copies `length` bytes of a payload from `source` of its bytes on to where they lie in the object. */
function put(held: Held, offset: number, payload: Payload, source: number, length: number): void {
  const at = offset - held.start;
  const { memory } = held;
  if (memory !== undefined && memory === payload.memory) {
    memory.copy(held.address + at, source, length);
  } else {
    held.bytes.set(viewOf({ ...payload, from: source, length }), at);
  }
}
