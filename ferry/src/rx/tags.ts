/**
 * Guarantee: the frames of tags of one object that wait for their chunks, the newest first; what is kept, and what a
 * frame costs, is bounded whatever it says, and nothing is believed of them here (SPEC.md §13.6).
 */
import type { SmProvider } from "@lightferry/proto/sm";
import { readTags, SET_BYTES, TAG_BYTES, tagKey, tagNonce } from "../tags.ts";
import type { Budget } from "./budget.ts";
import type { TagCheck } from "./check-task.ts";

/** Of an object: those of two blocks of 16 MiB, and as many again. */
const MAX_TAGS = 1_024;
/** Of an object: a block has some three and every link of a lane may be at one. All are looked through for a chunk. */
const MAX_FRAMES = 128;
/** What one takes beside its payload, measured. */
const FRAME_COST = 700;

interface KeptFrame {
  readonly epoch: number;
  readonly set: number;
  /** Chunk of its first tag, and behind its last. */
  readonly first: number;
  readonly end: number;
  readonly payload: Uint8Array;
}

/** Secret of an epoch; undefined while it is not known. */
export type SecretOf = (epoch: number) => Uint8Array | undefined;

export class KeptTags {
  readonly #provider: SmProvider;
  readonly #secretOf: SecretOf;
  readonly #budget: Budget;
  readonly #objectId: number;
  /** The oldest first. */
  readonly #frames: KeptFrame[] = [];
  /** In all of them. */
  #tags = 0;
  /** The last one that was made, and of which secret. */
  #key: { readonly secret: Uint8Array; readonly key: Uint8Array } | undefined;

  constructor(provider: SmProvider, secretOf: SecretOf, budget: Budget, objectId: number) {
    this.#provider = provider;
    this.#secretOf = secretOf;
    this.#budget = budget;
    this.#objectId = objectId;
  }

  /**
   * Takes the payload of a frame; it is copied. What no known secret could show to be right is forgotten: else anybody's
   * frame of a made-up epoch would take the place of an honest one, and no tag would be wrong.
   * @param first its first chunk @param chunks how many the object has
   * @param wanted whether a chunk is still to be judged
   * @returns false when it says nothing of this object
   */
  take(
    epoch: number,
    first: number,
    payload: Uint8Array,
    chunks: number,
    wanted: (chunk: number) => boolean,
  ): boolean {
    const read = readTags(payload, first, chunks);
    if (read === undefined) return false;
    const end = first + read.tags.length / TAG_BYTES;
    if (this.#secretOf(epoch) === undefined || !some(first, end, wanted)) return true;
    // Behind each copy of the manifest the same ones come again.
    const same = this.#frames.findIndex(
      (kept) =>
        kept.first === first &&
        kept.epoch === epoch &&
        kept.end === end &&
        Buffer.compare(kept.payload, payload) === 0,
    );
    const [kept] = same < 0 ? [] : this.#frames.splice(same, 1);
    if (kept !== undefined) {
      this.#frames.push(kept);
      return true;
    }
    this.#add({ epoch, set: read.set, first, end, payload: new Uint8Array(payload) });
    return true;
  }

  /** What a chunk is judged by; undefined when that is not known. */
  of(chunk: number): TagCheck | undefined {
    const kept = this.#frames.findLast(({ first, end }) => first <= chunk && chunk < end);
    const key = kept && this.#keyOf(kept.epoch);
    if (kept === undefined || key === undefined) return undefined;
    const at = SET_BYTES + (chunk - kept.first) * TAG_BYTES;
    const tag = kept.payload.slice(at, at + TAG_BYTES);
    return { key, nonce: tagNonce(kept.set, chunk), tag };
  }

  clear(): void {
    for (const { payload } of this.#frames.splice(0)) {
      this.#budget.used -= FRAME_COST + payload.length;
    }
    this.#tags = 0;
  }

  #add(frame: KeptFrame): void {
    this.#frames.push(frame);
    this.#tags += frame.end - frame.first;
    this.#budget.used += FRAME_COST + frame.payload.length;
    while (this.#tags > MAX_TAGS || this.#frames.length > MAX_FRAMES) {
      const { first, end, payload } = this.#frames.shift() as KeptFrame;
      this.#tags -= end - first;
      this.#budget.used -= FRAME_COST + payload.length;
    }
  }

  #keyOf(epoch: number): Uint8Array | undefined {
    const secret = this.#secretOf(epoch);
    if (secret === undefined) return undefined;
    if (this.#key?.secret !== secret) {
      this.#key = { secret, key: tagKey(this.#provider, secret, this.#objectId) };
    }
    return this.#key.key;
  }
}

function some(first: number, end: number, wanted: (chunk: number) => boolean): boolean {
  for (let chunk = first; chunk < end; chunk += 1) if (wanted(chunk)) return true;
  return false;
}
