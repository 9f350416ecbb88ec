/**
 * Guarantee: which shards of an object's groups are there, and by which pass
 * they came. What was never written down is concluded from the spans that are
 * good, so that a restart or a lack of memory forgets nothing that is on disk. A
 * shard that is there has its bytes in every span that it touches.
 */
import type { Geometry } from "../object.ts";
import type { Budget } from "./budget.ts";
import { type Payload, viewOf } from "./shard.ts";
import type { Spans } from "./spans.ts";
import type { Store } from "./store.ts";

/** How a shard came: a repeated pass speaks against what came before it. */
export const CAME = { not: 0, first: 1, again: 2 } as const;
export type Came = typeof CAME.first | typeof CAME.again;

/** What a group takes besides its marks: forged frames can name any. */
const GROUP_COST = 256;

export interface Group {
  /** Data shards. */
  readonly k: number;
  /** One {@link CAME} for each shard, parity too. */
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
  /** Groups all of whose spans are good. */
  readonly #closed: Uint8Array;

  constructor(geometry: Geometry, spans: Spans, store: Store, budget: Budget) {
    this.#geometry = geometry;
    this.#spans = spans;
    this.#store = store;
    this.#budget = budget;
    this.#closed = new Uint8Array((geometry.groups + 7) >> 3);
  }

  /** The group, unless all its spans are good. */
  open(group: number): Group | undefined {
    const held = this.#open.get(group);
    if (held !== undefined) return held;
    return this.#isClosed(group) ? undefined : this.#begin(group);
  }

  /** A group of which something is known, without beginning one. */
  peek(group: number): Group | undefined {
    return this.#open.get(group);
  }

  /** Whether it lacks no data shard. */
  isComplete(group: number): boolean {
    return this.#isClosed(group) || this.#open.get(group)?.missing === 0;
  }

  /** Groups with a byte in a span. */
  *touching(span: number): Generator<number> {
    const { groupBytes } = this.#geometry;
    const end = this.#spans.end(span);
    let group = Math.floor(this.#spans.start(span) / groupBytes);
    for (; group * groupBytes < end; group += 1) yield group;
  }

  /** Spans with a byte in a group. */
  *touched(group: number): Generator<number> {
    const from = group * this.#geometry.groupBytes;
    const last = this.#spans.at(from + this.#geometry.groupLength(group) - 1);
    for (let span = this.#spans.at(from); span <= last; span += 1) yield span;
  }

  /** A span became good: groups that have no other need not be known any more. */
  close(span: number): void {
    for (const group of this.touching(span)) {
      const held = this.#open.get(group);
      if (held === undefined || held.missing > 0 || !this.#allGood(group)) continue;
      this.#forgetOne(group, held);
      this.#setClosed(group);
    }
  }

  addParity(held: Group, index: number, payload: Payload): void {
    const before = held.parity[index];
    held.parity[index] = Uint8Array.from(viewOf(payload));
    if (before !== undefined) return;
    held.parityCount += 1;
    this.#budget.used += payload.length;
  }

  dropParity(held: Group, came: Came = CAME.again): void {
    for (const [index, bytes] of held.parity.entries()) {
      const at = held.k + index;
      if (bytes === undefined || (held.have[at] as number) > came) continue;
      held.have[at] = CAME.not;
      held.parity[index] = undefined;
      held.parityCount -= 1;
      this.#budget.used -= bytes.length;
    }
  }

  /** A shard will come anew although it is there: it counts as from before any repeated pass. */
  demote(group: number, shard: number): void {
    const held = this.#open.get(group);
    if (held?.have[shard] === CAME.again) held.have[shard] = CAME.first;
  }

  /**
   * The shards with a byte in a span count as never received, and its groups' parity shards too. Where
   * a repeated pass has brought some of them already, only those from before it: it brings none twice.
   * @param keep whether bytes of the span are still there, so that any of its shards can be kept
   */
  forget(span: number, keep: boolean): void {
    let came: Came = CAME.again;
    for (const { held, shard } of this.#shards(span)) {
      if (keep && held.have[shard] === CAME.first) came = CAME.first;
    }
    const { groupBytes, shardSize } = this.#geometry;
    for (const { held, shard, group } of this.#shards(span)) {
      const had = held.have[shard] as number;
      if (had === CAME.not || had > came) continue;
      held.have[shard] = CAME.not;
      held.missing += 1;
      const length = this.#geometry.shardLength(group, shard);
      this.#store.unplace(group * groupBytes + shard * shardSize, length);
    }
    for (const group of this.touching(span)) {
      const held = this.#open.get(group);
      if (held !== undefined) this.dropParity(held, came);
      else this.#closed[group >> 3] = (this.#closed[group >> 3] as number) & ~(1 << (group & 7));
    }
  }

  /** Bytes of a span whose shards are not there. */
  lacking(span: number): number {
    const { groupBytes, shardSize } = this.#geometry;
    const [start, end] = [this.#spans.start(span), this.#spans.end(span)];
    let bytes = end - start;
    for (const { held, shard, group } of this.#shards(span)) {
      if (held.have[shard] === CAME.not) continue;
      const from = group * groupBytes + shard * shardSize;
      bytes -= Math.min(end, from + shardSize, (group + 1) * groupBytes) - Math.max(start, from);
    }
    return bytes;
  }

  /** Forgets everything; what is good will be concluded again. */
  clear(): void {
    for (const [group, held] of this.#open) this.#forgetOne(group, held);
    this.#closed.fill(0);
  }

  #begin(group: number): Group | undefined {
    const k = this.#geometry.dataShards(group);
    const have = new Uint8Array(k + this.#geometry.parityShards(group));
    const held: Group = { k, have, missing: k, parity: [], parityCount: 0, reading: false };
    this.#conclude(group, held);
    if (held.missing === 0 && this.#allGood(group)) {
      this.#setClosed(group);
      return undefined;
    }
    this.#open.set(group, held);
    this.#budget.used += GROUP_COST + have.length;
    return held;
  }

  #forgetOne(group: number, held: Group): void {
    this.dropParity(held);
    this.#open.delete(group);
    this.#budget.used -= GROUP_COST + held.have.length;
  }

  /** Takes as there what lies in spans that need not come again. */
  #conclude(group: number, held: Group): void {
    const geometry = this.#geometry;
    const origin = group * geometry.groupBytes;
    if (!this.#anySure(group)) return;
    for (let shard = 0; shard < held.k; shard += 1) {
      const from = origin + shard * geometry.shardSize;
      const last = this.#spans.at(from + geometry.shardLength(group, shard) - 1);
      let sure = true;
      for (let span = this.#spans.at(from); sure && span <= last; span += 1) {
        sure = this.#store.isSure(span);
      }
      if (!sure) continue;
      held.have[shard] = CAME.first;
      held.missing -= 1;
    }
  }

  #anySure(group: number): boolean {
    for (const span of this.touched(group)) if (this.#store.isSure(span)) return true;
    return false;
  }

  #allGood(group: number): boolean {
    for (const span of this.touched(group)) if (!this.#spans.isGood(span)) return false;
    return true;
  }

  /** Data shards with a byte in a span, of groups of which something is known. */
  *#shards(span: number): Generator<{ held: Group; shard: number; group: number }> {
    const { groupBytes, shardSize } = this.#geometry;
    for (const group of this.touching(span)) {
      const held = this.#open.get(group);
      if (held === undefined) continue;
      const origin = group * groupBytes;
      const first = Math.max(0, Math.floor((this.#spans.start(span) - origin) / shardSize));
      const last = Math.floor((this.#spans.end(span) - 1 - origin) / shardSize);
      for (let shard = first; shard <= Math.min(last, held.k - 1); shard += 1) {
        yield { held, shard, group };
      }
    }
  }

  #isClosed(group: number): boolean {
    return ((this.#closed[group >> 3] as number) & (1 << (group & 7))) !== 0;
  }

  #setClosed(group: number): void {
    this.#closed[group >> 3] = (this.#closed[group >> 3] as number) | (1 << (group & 7));
  }
}
