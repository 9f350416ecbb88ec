/**
 * Guarantee: of the bytes that a pass reads, one piece after the other, every chunk that is read whole
 * has one tag, under a set number that no other block has (SPEC.md §13.5).
 */
import type { SmProvider } from "@lightferry/proto/sm";
import { FRAME_HEADER } from "../frame.ts";
import { Chunks } from "../object.ts";
import { SET_BYTES, TAG_BYTES, tagOf } from "../tags.ts";
import type { ObjectFacts } from "./source.ts";

/** Tags of consecutive chunks, as one frame says them. */
export interface TagFrame {
  readonly first: number;
  readonly payload: Uint8Array;
}

/** Makes the tagger of one pass over an object; undefined: it has no tags. */
export type TaggerOf = (facts: ObjectFacts, frameSize: number) => Tagger | undefined;

export interface TaggerParts {
  readonly provider: SmProvider;
  /** Of the object, under the secret of the epoch. */
  readonly key: Uint8Array;
  /** A number that was never given before in this epoch, from 1. */
  readonly nextSet: () => number;
  readonly frameSize: number;
}

export class Tagger {
  readonly #parts: TaggerParts;
  readonly #chunks: Chunks;
  /** Where the next bytes must lie to go on with the open chunk. */
  #at = -1;
  /** Chunk of which all bytes up to `#at` are held, or -1. */
  #open = -1;
  #held: Uint8Array[] = [];
  /** Of the present block; 0: it has no tag yet. */
  #set = 0;
  /** Consecutive chunks each, ascending under one set. */
  #runs: { readonly set: number; readonly first: number; readonly tags: Uint8Array[] }[] = [];

  constructor({ geometry, proof }: Pick<ObjectFacts, "geometry" | "proof">, parts: TaggerParts) {
    this.#parts = parts;
    this.#chunks = new Chunks(geometry.size, proof.headSize, proof.chunkBytes);
  }

  /**
   * Takes bytes of the object as they are read.
   * @param bytes stay as they are until {@link block}
   */
  take(offset: number, bytes: Uint8Array): void {
    if (offset !== this.#at) this.#open = -1;
    const end = offset + bytes.length;
    let at = Math.min(end, Math.max(offset, this.#chunks.headSize));
    while (at < end) {
      const chunk = this.#chunks.at(at);
      const from = this.#chunks.start(chunk);
      const to = from + this.#chunks.length(chunk);
      if (at === from) {
        this.#open = chunk;
        this.#held = [];
      }
      const until = Math.min(end, to);
      if (this.#open === chunk) {
        this.#held.push(bytes.subarray(at - offset, until - offset));
        if (until === to) this.#close(chunk);
      }
      at = until;
    }
    this.#at = end;
  }

  /** All of a block was taken. @returns the frames that tell its tags; what is left of a chunk is copied */
  block(): readonly TagFrame[] {
    const frames: TagFrame[] = [];
    const most = Math.floor((this.#parts.frameSize - FRAME_HEADER - SET_BYTES) / TAG_BYTES);
    for (const { set, first, tags } of this.#runs.splice(0)) {
      const number = Buffer.alloc(SET_BYTES);
      number.writeBigUInt64BE(BigInt(set));
      for (let from = 0; from < tags.length; from += most) {
        const payload = Buffer.concat([number, ...tags.slice(from, from + most)]);
        frames.push({ first: first + from, payload });
      }
    }
    this.#set = 0;
    this.#held = this.#open < 0 ? [] : [Buffer.concat(this.#held)];
    return frames;
  }

  #close(chunk: number): void {
    const { provider, key, nextSet } = this.#parts;
    const run = this.#runs.at(-1);
    const next = run === undefined ? 0 : run.first + run.tags.length;
    // What is read a second time, and may be other bytes, is never told under the same nonce.
    if (this.#set === 0 || chunk < next) this.#set = nextSet();
    const tag = tagOf(provider, key, this.#set, chunk, ...this.#held);
    if (run?.set === this.#set && next === chunk) run.tags.push(tag);
    else this.#runs.push({ set: this.#set, first: chunk, tags: [tag] });
    this.#open = -1;
    this.#held = [];
  }
}
