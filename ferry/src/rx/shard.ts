/** Guarantee: what the receiving half needs of a frame to take its shard, and no more. */
import type { FrameHeader } from "../frame.ts";

/** What a frame says of its shard. */
export type ShardHeader = Pick<FrameHeader, "group" | "shard" | "k" | "m" | "objectSize" | "flags">;

/** The same, for longer than the frame is valid. */
export function copyOf({ group, shard, k, m, objectSize, flags }: ShardHeader): ShardHeader {
  return { group, shard, k, m, objectSize, flags };
}
