/**
 * Guarantee: which chunks are worked on together, where they lie, and under
 * which nonce each is sealed or opened: the same on the calling thread and in a
 * worker (proto/SPEC.md §3, §5).
 */
import type { SmProvider } from "../sm/index.ts";
import { GROUP_CHUNKS } from "./chunk-rooms.ts";
import { chunkNonce } from "./keys.ts";
import { chunkOffset, chunkPlaintextSize, type Layout } from "./layout.ts";
import { TAG_BYTES } from "./limits.ts";

export interface ChunkCipher {
  readonly provider: SmProvider;
  /** 16 bytes. */
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
}

/** Up to four neighbouring chunks of a bundle. Plain data: it goes to a worker as it is. */
export interface ChunkGroup {
  /** Index of the first chunk. */
  readonly first: number;
  /** File offset of the first chunk. */
  readonly at: number;
  /** Sealed bytes of each chunk, tag included. */
  readonly lengths: readonly number[];
  /** The last of them is the last of the bundle. */
  readonly final: boolean;
}

export function groupCount(layout: Layout): number {
  return Math.ceil(layout.chunkCount / GROUP_CHUNKS);
}

/** @param index from 0, below {@link groupCount}. */
export function chunkGroup(layout: Layout, index: number): ChunkGroup {
  const first = index * GROUP_CHUNKS;
  const count = Math.min(GROUP_CHUNKS, layout.chunkCount - first);
  return {
    first,
    at: chunkOffset(layout, first),
    lengths: Array.from(
      { length: count },
      (_, lane) => chunkPlaintextSize(layout, first + lane) + TAG_BYTES,
    ),
    final: first + count === layout.chunkCount,
  };
}

/** Nonce of the chunk at `lane` of its group. */
export function groupNonce(group: ChunkGroup, lane: number): Uint8Array {
  return chunkNonce(group.first + lane, group.final && lane === group.lengths.length - 1);
}
