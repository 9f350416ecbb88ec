/**
 * Guarantee: the shards of one block in the order of SPEC.md §4.1: shard 0 of each group, shard 1
 * of each, …; a group that has no such shard is passed over; each shard once.
 */
import type { ErasureGroup } from "../erasure/index.ts";
import { FRAME_TYPE, type FrameHeader } from "../frame.ts";
import type { Geometry } from "../object.ts";
import type { BurstWriter } from "./burst.ts";
import type { Groups } from "./memory.ts";
import type { TagFrame } from "./tagger.ts";

export class Block {
  readonly groups: Groups;
  /** Of its chunks. */
  readonly tags: readonly TagFrame[];
  readonly #geometry: Geometry;
  readonly #first: number;
  /** Shards of the longest group. */
  readonly #rows: number;
  #row = 0;
  #column = 0;

  /** @param first number of the first group; all are filled and encoded */
  constructor(geometry: Geometry, first: number, groups: Groups, tags: readonly TagFrame[] = []) {
    this.#geometry = geometry;
    this.#first = first;
    this.groups = groups;
    this.tags = tags;
    this.#rows = Math.max(...groups.map(({ k, m }) => k + m));
  }

  /** True when every shard was written. */
  get over(): boolean {
    return this.#row === this.#rows;
  }

  /** Writes the next shard; the header says already whose it is. */
  write(burst: BurstWriter, header: FrameHeader): void {
    const group = this.groups[this.#column] as ErasureGroup;
    const row = this.#row;
    header.type = row < group.k ? FRAME_TYPE.DATA : FRAME_TYPE.PARITY;
    header.group = this.#first + this.#column;
    header.shard = row;
    header.k = group.k;
    header.m = group.m;
    burst.addShard(header, group, row, this.#length(group, row));
    this.#advance();
  }

  /** Bytes of a shard that are sent. */
  #length({ k, shardBytes }: ErasureGroup, row: number): number {
    // Only the last data shard of an object may be shorter than what was coded.
    return row === k - 1 ? this.#geometry.shardLength(this.#first + this.#column, row) : shardBytes;
  }

  #advance(): void {
    do {
      this.#column += 1;
      if (this.#column === this.groups.length) {
        this.#column = 0;
        this.#row += 1;
      }
    } while (this.#row < this.#rows && this.#absent());
  }

  #absent(): boolean {
    const { k, m } = this.groups[this.#column] as ErasureGroup;
    return this.#row >= k + m;
  }
}
