/**
 * Guarantee: sealed chunks are made or read where they are hashed, four side by
 * side, so that no byte of them is copied for it; the digests are those of the
 * table whatever the lengths are (proto/SPEC.md §3).
 */
import { leafHash } from "../merkle/index.ts";
import { createTableHasher, LANE_COUNT, type SmProvider } from "../sm/index.ts";
import { DIGEST_BYTES, TAG_BYTES } from "./limits.ts";

/** Chunks that are worked on together: what one pass of the hash takes. */
export const GROUP_CHUNKS = LANE_COUNT;

/** Places for the sealed chunks of one group. */
export interface ChunkRooms {
  /** The first `length` bytes of place `lane`, 0..3; what lies there stays until it is overwritten. */
  buffer(lane: number, length: number): Uint8Array;
  /** Table entries of the first `lengths.length` places, which hold so many bytes each. */
  digest(lengths: readonly number[], into: Uint8Array): void;
}

/** A set of four takes 1 MiB; more than this at rest serve nobody. */
const IDLE_MAX = 4;
const idle = new WeakMap<SmProvider, ChunkRooms[]>();

/**
 * Rooms for one seal or one open; {@link giveBackRooms} when it is over.
 * @param chunkCount of the bundle: a single chunk gets a plain buffer of its own size.
 * @param longest plaintext bytes of the longest chunk.
 */
export function borrowRooms(provider: SmProvider, chunkCount: number, longest: number): ChunkRooms {
  if (chunkCount === 1) return singleRoom(provider, longest + TAG_BYTES);
  return idle.get(provider)?.pop() ?? laneRooms(provider);
}

/** They hold ciphertext only, so nothing is wiped. */
export function giveBackRooms(provider: SmProvider, chunkCount: number, rooms: ChunkRooms): void {
  if (chunkCount === 1) return;
  const list = idle.get(provider) ?? [];
  if (list.length < IDLE_MAX) list.push(rooms);
  idle.set(provider, list);
}

function leaf(provider: SmProvider, sealed: Uint8Array): Uint8Array {
  return leafHash((...parts) => provider.sm3(...parts), sealed);
}

function singleRoom(provider: SmProvider, capacity: number): ChunkRooms {
  const room = Buffer.allocUnsafeSlow(capacity);
  return {
    buffer: (_, length) => room.subarray(0, length),
    digest: ([length], into) => into.set(leaf(provider, room.subarray(0, length))),
  };
}

/** Four lanes of the fastest hash of this machine. */
export function laneRooms(provider: SmProvider): ChunkRooms {
  const { lanes } = createTableHasher(provider);
  return {
    buffer: (lane, length) => lanes.buffer(lane, length),
    digest(lengths, into) {
      const [length = 0] = lengths;
      // Only the last chunk of a bundle can be shorter than its neighbours.
      const equal = lengths.filter((other) => other === length).length;
      // One lane alone costs the vector code as much as four.
      const together = equal > 1 ? equal : 0;
      if (together > 0) lanes.digest(length, together, into);
      for (let lane = together; lane < lengths.length; lane += 1) {
        const sealed = lanes.buffer(lane, lengths[lane] ?? 0);
        into.set(leaf(provider, sealed), lane * DIGEST_BYTES);
      }
    },
  };
}
