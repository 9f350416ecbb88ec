/**
 * Guarantee: a group of which k shards are there gives back the data shards that
 * are not (SPEC.md §3.2). Nothing says here that they are right: the digests of
 * the spans do. One place to compute in serves all objects.
 */
import { ErasureCoder, type ErasureGroup, MAX_DATA_SHARDS } from "../erasure/index.ts";
import { MAX_SHARDS } from "../frame.ts";
import type { Geometry } from "../object.ts";
import { CAME, type Group } from "./groups.ts";
import { payloadOf } from "./shard.ts";
import type { Store } from "./store.ts";

/**
 * Groups that are restored again in one second after what they gave was wrong: a tenth of a second
 * of work. Otherwise a few forged frames a chunk would buy the work of a whole group each time,
 * where chunks are much shorter than groups; a first restoring costs what its frames cost.
 */
const MAX_AGAIN = 512;

export class Restorer {
  /** Data shards that the code gave back so far. */
  restored = 0;
  /** Opened now, for the smallest shards: the choice of code and its self-test must not wait for the first loss. */
  #coder = ErasureCoder.open({ shards: MAX_SHARDS, shardBytes: 1 });
  #group: ErasureGroup | undefined;
  #again = 0;

  /** Once a second. */
  tick(): void {
    this.#again = 0;
  }

  /** Whether a group that gave a wrong span may be restored once more now. */
  mayRepeat(): boolean {
    this.#again += 1;
    return this.#again <= MAX_AGAIN;
  }

  /**
   * Restores the missing data shards of a group into the store.
   * @returns a span whose bytes are needed and not in memory; -1 when it is done
   */
  restore(geometry: Geometry, group: number, held: Group, store: Store): number {
    const k = geometry.dataShards(group);
    const length = geometry.codedLength(group);
    const place = this.#place(k, geometry.parityShards(group), length);
    const origin = group * geometry.groupBytes;
    // What is computed from a shard of before a repeated pass is no better than that.
    const came = held.have.includes(CAME.first) ? CAME.first : CAME.again;
    for (let shard = 0; shard < k; shard += 1) {
      if (held.have[shard] === CAME.not) continue;
      const own = geometry.shardLength(group, shard);
      const bytes = place.shard(shard);
      const absent = store.copyOut(origin + shard * geometry.shardSize, own, bytes);
      if (absent >= 0) return absent;
      if (own < length) bytes.fill(0, own);
    }
    for (const [index, bytes] of held.parity.entries()) {
      if (bytes !== undefined) place.shard(k + index).set(bytes);
    }
    place.decode(held.have);
    for (let shard = 0; shard < k; shard += 1) {
      if (held.have[shard] !== CAME.not) continue;
      held.have[shard] = came;
      this.restored += 1;
      const own = geometry.shardLength(group, shard);
      const payload = payloadOf(place.shard(shard).subarray(0, own));
      store.place(origin + shard * geometry.shardSize, payload, true);
    }
    held.missing = 0;
    return -1;
  }

  /** The groups of one object have one shape, but for the last. */
  #place(k: number, m: number, length: number): ErasureGroup {
    const before = this.#group;
    if (before?.k === k && before.m === m && before.shardBytes === length) return before;
    before?.free();
    this.#group = undefined;
    if (this.#coder.shardBytes < length) {
      this.#coder = ErasureCoder.open({ shards: MAX_SHARDS, shardBytes: length });
    }
    const group = this.#coder.allocate(k, m, length) as ErasureGroup;
    this.#group = group;
    return group;
  }
}

/** Whether the code takes groups of this size at all. */
export function canRestore(k: number): boolean {
  return k <= MAX_DATA_SHARDS;
}
