/**
 * Guarantee: one pass over one object: each segment's manifest before its
 * groups, again in the middle and at the end, every group once. What is read
 * ahead of the gate is bounded.
 *
 * States: reading (produce fills the queue) → drained (all frames written) or
 * failed. `finished` settles exactly once.
 */
import { emptyHeader, FLAG_PASS_END, FLAG_REPEAT, FRAME_TYPE, type FrameHeader } from "../frame.ts";
import type { BurstWriter } from "./burst.ts";
import type { Ready } from "./order.ts";
import type { ObjectSource, Segment } from "./source.ts";

/** Frames of one manifest copy or one group, written from `next` on. */
interface Piece {
  readonly type: number;
  readonly group: number;
  readonly count: number;
  payload(index: number): Uint8Array;
  /** All of it was written. */
  over?(): void;
  next: number;
  last: boolean;
}

/** Groups read ahead: one on its way to the gate and two being read. */
const READ_AHEAD = 3;

export class Pass implements Ready {
  readonly finished: Promise<void>;
  readonly #source: ObjectSource;
  readonly #header: FrameHeader = emptyHeader();
  readonly #flags: number;
  readonly #wake: () => void;
  readonly #queue: Piece[] = [];
  #roomWanted: (() => void) | undefined;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #stopped = false;

  /** @param wake called whenever frames became ready */
  constructor(
    source: ObjectSource,
    options: { readonly epoch: number; readonly channel: number; readonly repeat: boolean },
    wake: () => void,
  ) {
    this.#source = source;
    this.#wake = wake;
    this.#flags = options.repeat ? FLAG_REPEAT : 0;
    this.#header.epoch = options.epoch;
    this.#header.channel = options.channel;
    this.#header.objectId = source.facts.objectId;
    this.#header.objectSize = source.facts.geometry.size;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#produce().catch((error: unknown) => this.#fail(error));
  }

  get ready(): boolean {
    return this.#queue.length > 0;
  }

  /** Writes frames until the burst is full or nothing is ready. */
  fill(burst: BurstWriter): void {
    for (let piece = this.#queue[0]; piece !== undefined; piece = this.#queue[0]) {
      while (piece.next < piece.count) {
        if (!burst.open) return;
        this.#write(burst, piece);
      }
      this.#queue.shift();
      piece.over?.();
      this.#roomWanted?.();
      if (piece.last) {
        this.#resolve();
        return;
      }
    }
  }

  /** Gives the pass up; `finished` rejects. */
  stop(reason: unknown): void {
    this.#fail(reason);
  }

  #write(burst: BurstWriter, piece: Piece): void {
    const header = this.#header;
    header.type = piece.type;
    header.group = piece.group;
    header.shard = piece.next;
    header.k = piece.count;
    const end = piece.last && piece.next === piece.count - 1;
    header.flags = this.#flags | (end ? FLAG_PASS_END : 0);
    burst.add(header, piece.payload(piece.next));
    piece.next += 1;
  }

  async #produce(): Promise<void> {
    const { geometry } = this.#source.facts;
    let segment = await this.#source.segment(0);
    for (let index = 0; index < geometry.segments; index += 1) {
      const last = index === geometry.segments - 1;
      // The next segment is hashed while this one is sent.
      const following = last ? undefined : this.#source.segment(index + 1);
      following?.catch(() => undefined);
      await this.#sendSegment(segment, last);
      if (this.#stopped) return;
      if (following !== undefined) segment = await following;
    }
  }

  async #sendSegment(segment: Segment, last: boolean): Promise<void> {
    const { geometry } = this.#source.facts;
    this.#push(manifestPiece(segment, false));
    for (let index = 0; index < segment.groups; index += 1) {
      const group = segment.firstGroup + index;
      const bytes = await this.#source.group(group);
      await this.#room();
      if (this.#stopped) return;
      this.#push({
        type: FRAME_TYPE.DATA,
        group,
        count: geometry.shardsOf(group),
        payload: (shard) => {
          const start = shard * geometry.shardSize;
          return bytes.subarray(start, start + geometry.shardSize);
        },
        over: () => this.#source.giveBack(bytes),
        next: 0,
        last: false,
      });
      if (index === segment.groups >> 1 && segment.groups > 2) {
        this.#push(manifestPiece(segment, false));
      }
    }
    this.#push(manifestPiece(segment, last));
  }

  #push(piece: Piece): void {
    this.#queue.push(piece);
    this.#wake();
  }

  async #room(): Promise<void> {
    while (this.#queue.length >= READ_AHEAD && !this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#roomWanted = resolve;
      });
      this.#roomWanted = undefined;
    }
  }

  #fail(error: unknown): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#roomWanted?.();
    this.#reject(error);
  }
}

function manifestPiece({ parts, firstGroup }: Segment, last: boolean): Piece {
  return {
    type: FRAME_TYPE.MANIFEST,
    group: firstGroup,
    count: parts.length,
    payload: (index) => parts[index] as Uint8Array,
    next: 0,
    last,
  };
}
