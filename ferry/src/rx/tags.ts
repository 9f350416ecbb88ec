/**
 * Guarantee: the tags of one object that wait for their chunks, of each chunk the newest; what is kept is bounded and
 * counted, and nothing is believed of them here (SPEC.md §13.6).
 */
import type { SmProvider } from "@lightferry/proto/sm";
import { readTags, TAG_BYTES, tagKey, tagNonce } from "../tags.ts";
import type { Budget } from "./budget.ts";
import type { TagCheck } from "./check-task.ts";

/** Of an object: those of two blocks of 16 MiB, and as many again. */
const MAX_TAGS = 1_024;
/** What one takes. */
const TAG_COST = 96;

interface KeptTag {
  readonly epoch: number;
  readonly set: number;
  readonly tag: Uint8Array;
}

/** Secret of an epoch; undefined while it is not known. */
export type SecretOf = (epoch: number) => Uint8Array | undefined;

export class KeptTags {
  readonly #provider: SmProvider;
  readonly #secretOf: SecretOf;
  readonly #budget: Budget;
  readonly #objectId: number;
  /** By number of the chunk. */
  readonly #kept = new Map<number, KeptTag>();
  #key: { readonly epoch: number; readonly key: Uint8Array } | undefined;

  constructor(provider: SmProvider, secretOf: SecretOf, budget: Budget, objectId: number) {
    this.#provider = provider;
    this.#secretOf = secretOf;
    this.#budget = budget;
    this.#objectId = objectId;
  }

  /**
   * Takes the payload of a frame; it is copied.
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
    for (let at = 0; at < read.tags.length; at += TAG_BYTES) {
      const chunk = first + at / TAG_BYTES;
      if (!wanted(chunk)) continue;
      this.drop(chunk);
      const tag = Uint8Array.from(read.tags.subarray(at, at + TAG_BYTES));
      this.#kept.set(chunk, { epoch, set: read.set, tag });
      this.#budget.used += TAG_COST;
    }
    while (this.#kept.size > MAX_TAGS) this.drop(this.#kept.keys().next().value as number);
    return true;
  }

  /** Takes out what a chunk is judged by; undefined when that is not known. */
  of(chunk: number): TagCheck | undefined {
    const kept = this.#kept.get(chunk);
    if (kept === undefined) return undefined;
    this.drop(chunk);
    const key = this.#keyOf(kept.epoch);
    if (key === undefined) return undefined;
    return { key, nonce: tagNonce(kept.set, chunk), tag: kept.tag };
  }

  drop(chunk: number): void {
    if (this.#kept.delete(chunk)) this.#budget.used -= TAG_COST;
  }

  clear(): void {
    this.#budget.used -= this.#kept.size * TAG_COST;
    this.#kept.clear();
  }

  #keyOf(epoch: number): Uint8Array | undefined {
    if (this.#key?.epoch === epoch) return this.#key.key;
    const secret = this.#secretOf(epoch);
    if (secret === undefined) return undefined;
    const key = tagKey(this.#provider, secret, this.#objectId);
    this.#key = { epoch, key };
    return key;
  }
}
