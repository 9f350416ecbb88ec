/**
 * Guarantee: which shards of an object's groups are there. What was never
 * written down is concluded from the spans that are good, so that a restart or a
 * lack of memory forgets nothing that is on disk. A shard that is had has its
 * bytes in every span that it touches.
 */
import type { Geometry } from "../object.ts";
import type { Budget } from "./budget.ts";
import type { Spans } from "./spans.ts";
import type { Store } from "./store.ts";

export interface Group {
  /** One entry for each shard, parity too: 1 = there. */
  readonly have: Uint8Array;
  /** Data shards that are not there. */
  missing: number;
  /** Payloads of parity shards, by shard number − k. */
  readonly parity: (Uint8Array | undefined)[];
  parityCount: number;
  /** Bytes of it are being read back from the file. */
  reading: boolean;
}

export class Groups {
  readonly #geometry: Geometry;
  readonly #spans: Spans;
  readonly #store: Store;
  readonly #budget: Budget;
  readonly #open = new Map<number, Group>();
  readonly #complete: Uint8Array;

  constructor(geometry: Geometry, spans: Spans, store: Store, budget: Budget) {
    this.#geometry = geometry;
    this.#spans = spans;
    this.#store = store;
    this.#budget = budget;
    this.#complete = new Uint8Array((geometry.groups + 7) >> 3);
  }

  /** The group if it lacks data shards, else undefined. */
  lacking(group: number): Group | undefined {
    const open = this.#open.get(group);
    if (open !== undefined) return open;
    return this.isComplete(group) ? undefined : this.#begin(group);
  }

  /** A group of which something is known, without beginning one. */
  peek(group: number): Group | undefined {
    return this.#open.get(group);
  }

  isComplete(group: number): boolean {
    return ((this.#complete[group >> 3] as number) & (1 << (group & 7))) !== 0;
  }

  /** All data shards are there. */
  complete(group: number, held: Group): void {
    this.dropParity(held);
    this.#open.delete(group);
    this.#complete[group >> 3] = (this.#complete[group >> 3] as number) | (1 << (group & 7));
  }

  addParity(held: Group, index: number, payload: Uint8Array): void {
    const bytes = Uint8Array.from(payload);
    held.parity[index] = bytes;
    held.parityCount += 1;
    this.#budget.used += bytes.length;
  }

  dropParity(held: Group): void {
    for (const bytes of held.parity) this.#budget.used -= bytes?.length ?? 0;
    held.parity.length = 0;
    held.parityCount = 0;
  }

  /** The shards with a byte in a span count as never received, and its groups' parity shards too. */
  forget(span: number): void {
    const { groupBytes, shardSize } = this.#geometry;
    const start = this.#spans.start(span);
    const end = this.#spans.end(span);
    for (let group = Math.floor(start / groupBytes); group * groupBytes < end; group += 1) {
      const held =
        this.#open.get(group) ?? (this.isComplete(group) ? this.#reopen(group) : undefined);
      if (held === undefined) continue;
      const k = this.#geometry.dataShards(group);
      held.have.fill(0, k);
      this.dropParity(held);
      const origin = group * groupBytes;
      const first = Math.max(0, Math.floor((start - origin) / shardSize));
      for (let shard = first; shard < k && origin + shard * shardSize < end; shard += 1) {
        if (held.have[shard] === 0) continue;
        held.have[shard] = 0;
        held.missing += 1;
        const length = this.#geometry.shardLength(group, shard);
        this.#store.unplace(origin + shard * shardSize, length, span);
      }
    }
  }

  /** Forgets everything; what is good will be concluded again. */
  clear(): void {
    for (const held of this.#open.values()) this.dropParity(held);
    this.#open.clear();
    this.#complete.fill(0);
  }

  #begin(group: number): Group | undefined {
    const geometry = this.#geometry;
    const k = geometry.dataShards(group);
    const have = new Uint8Array(k + geometry.parityShards(group));
    const held: Group = { have, missing: k, parity: [], parityCount: 0, reading: false };
    this.#conclude(group, held, k);
    if (held.missing > 0) {
      this.#open.set(group, held);
      return held;
    }
    this.complete(group, held);
    return undefined;
  }

  /** Takes as there what lies in spans that need not come again. */
  #conclude(group: number, held: Group, k: number): void {
    const geometry = this.#geometry;
    const origin = group * geometry.groupBytes;
    if (!this.#sure(origin, origin + geometry.groupLength(group), "some")) return;
    for (let shard = 0; shard < k; shard += 1) {
      const from = origin + shard * geometry.shardSize;
      if (!this.#sure(from, from + geometry.shardLength(group, shard), "all")) continue;
      held.have[shard] = 1;
      held.missing -= 1;
    }
  }

  #sure(from: number, to: number, which: "some" | "all"): boolean {
    const last = this.#spans.at(to - 1);
    for (let span = this.#spans.at(from); span <= last; span += 1) {
      if (this.#store.isSure(span) === (which === "some")) return which === "some";
    }
    return which === "all";
  }

  #reopen(group: number): Group {
    const k = this.#geometry.dataShards(group);
    const have = new Uint8Array(k + this.#geometry.parityShards(group)).fill(1);
    const held: Group = { have, missing: 0, parity: [], parityCount: 0, reading: false };
    this.#complete[group >> 3] = (this.#complete[group >> 3] as number) & ~(1 << (group & 7));
    this.#open.set(group, held);
    return held;
  }
}
