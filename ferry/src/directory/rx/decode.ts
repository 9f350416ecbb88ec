/**
 * Guarantee: missing data parts of a group come back from any k of its parts, column by column, so that memory
 * does not grow with the size of a file; the content is synced when it resolves.
 */
import { Turns } from "@lightferry/proto/service";
import { ErasureCoder, type ErasureGroup } from "../../erasure/index.ts";
import { MAX_SHARDS } from "../../frame.ts";
import type { Plan } from "../plan.ts";
import type { PartStore } from "./part-store.ts";

/** Of each part at a time: with the widest code 8 MiB together. */
const COLUMN_BYTES = 1 << 15;

export class Decoder {
  readonly #turns = new Turns(1);
  /** Made when first needed: most links lose nothing. */
  #coder: ErasureCoder | undefined;

  /** @param present one for each part of the group; at least k of them true */
  async restore(
    store: PartStore,
    plan: Plan,
    group: number,
    present: readonly boolean[],
  ): Promise<void> {
    await this.#turns.run(async () => {
      this.#coder ??= ErasureCoder.open({ shards: MAX_SHARDS, shardBytes: COLUMN_BYTES });
      const k = plan.dataParts(group);
      const length = plan.codedLength(group);
      for (let from = 0; from < length; from += COLUMN_BYTES) {
        const count = Math.min(COLUMN_BYTES, length - from);
        const shards = this.#coder.allocate(k, present.length - k, count);
        // One group at a time: there is room.
        if (shards === undefined) return;
        try {
          await column(store, plan, group, present, from, shards);
        } finally {
          shards.free();
        }
      }
      await store.sync();
    });
  }
}

async function column(
  store: PartStore,
  plan: Plan,
  group: number,
  present: readonly boolean[],
  from: number,
  shards: ErasureGroup,
): Promise<void> {
  const lengthOf = (index: number): number =>
    Math.max(0, Math.min(plan.partLength(group, index) - from, shards.shardBytes));
  for (const [index, there] of present.entries()) {
    const shard = shards.shard(index);
    const length = lengthOf(index);
    // Behind the end of the last data part the code has zeros.
    shard.fill(0, there ? length : 0);
    if (there) await store.readPart(group, index, from, shard.subarray(0, length));
  }
  shards.decode(Uint8Array.from(present, Number));
  for (let index = 0; index < shards.k; index += 1) {
    if (present[index] === true) continue;
    const shard = shards.shard(index).subarray(0, lengthOf(index));
    await store.writePart(group, index, from, shard);
  }
}
