/** Guarantee: what the receiving half needs of a frame to take its shard, and no more. */
import type { FrameHeader } from "../frame.ts";
import type { IncomingMemory } from "../frames-in/index.ts";

/** What a frame says of its shard. */
export type ShardHeader = Pick<FrameHeader, "group" | "shard" | "k" | "m" | "objectSize" | "flags">;

/** The same, for longer than the frame is valid. */
export function copyOf({ group, shard, k, m, objectSize, flags }: ShardHeader): ShardHeader {
  return { group, shard, k, m, objectSize, flags };
}

/** Where the bytes of a frame's payload lie, valid as long as the frame: a view of its own costs more than most that is done with it. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly length: number;
  /** Whose first bytes {@link bytes} is, so that a place in one is an address in the other. */
  readonly memory: IncomingMemory | undefined;
}

export function payloadOf(bytes: Uint8Array): Payload {
  return { bytes, from: 0, length: bytes.length, memory: undefined };
}

export function viewOf({ bytes, from, length }: Payload): Uint8Array {
  return bytes.subarray(from, from + length);
}
