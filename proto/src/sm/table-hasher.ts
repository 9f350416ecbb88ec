/**
 * Guarantee: digests of a bundle's table, SM3(0x00 || chunk) of 32 bytes each
 * (proto/SPEC.md §5, the leaf rule of RFC 6962 §2.1), the same whichever code
 * computes them: four chunks at once where the machine has tested vector code
 * (lanes.ts), one after the other by the provider elsewhere.
 */
import {
  checkDigest,
  checkLane,
  checkRoom,
  LANE_BYTES,
  LANE_COUNT,
  LEAF_BYTES,
  LEAF_PREFIX,
  refuse,
} from "./lane-input.ts";
import { type Sm3Lanes, sm3Lanes } from "./lanes.ts";
import type { LaneCore } from "./lanes-module.ts";
import type { SmProvider } from "./provider.ts";

/** Four lanes cost what two of OpenSSL's hashes do: fewer than three are the provider's. */
const FEWEST_LANES = 3;
const PREFIX = Uint8Array.of(LEAF_PREFIX);

/** Four places for chunks of one length; a chunk made there is hashed without being copied. */
export interface HashLanes {
  readonly count: typeof LANE_COUNT;
  /** Longest chunk in bytes. */
  readonly capacity: number;
  /**
   * The first `length` bytes of a lane, to encrypt or read into. It is never moved and keeps what
   * is put there until `leaves` is called; digesting does not change it.
   * @param lane 0..3. @param length up to `capacity`.
   * @throws GatewayError `sm.operation-failed`.
   */
  buffer(lane: number, length: number): Uint8Array;
  /**
   * Writes SM3(0x00 || lane) of lanes 0..n-1 to `into`, 32 bytes each from its first byte.
   * @param length bytes of each lane that count. @param n 1..4.
   * @throws GatewayError `sm.operation-failed` when a number is out of range or `into` too short.
   */
  digest(length: number, n: number, into: Uint8Array): void;
}

/**
 * Holds about 1 MiB of its own, and is for one user at a time. Who writes the last four chunks to
 * a disk while the next four are made needs two.
 */
export interface TableHasher {
  /** "wasm-simd-4", or the provider's name when it does all the work. */
  readonly name: string;
  readonly lanes: HashLanes;
  /**
   * Writes SM3(0x00 || chunk) of each chunk to `into`, 32 bytes each in their order. Chunks of one
   * length that stand together are hashed four at a time.
   * @param chunks none of which lies in the lanes: they are copied there.
   * @param into at least 32 bytes a chunk. @throws GatewayError `sm.operation-failed`.
   */
  leaves(chunks: readonly Uint8Array[], into: Uint8Array): void;
}

/** The fastest tested way on this machine. Never fails for want of vector code. */
export function createTableHasher(provider: SmProvider): TableHasher {
  return tableHasher(provider, sm3Lanes(provider));
}

/** What hashes the chunks of bundles in this thread, and why it is not the vector code. */
export function lanesInUse(provider: SmProvider): {
  readonly name: string;
  readonly reason: string;
} {
  const { name, reason } = sm3Lanes(provider);
  return { name, reason };
}

export function tableHasher(provider: SmProvider, { name, open }: Sm3Lanes): TableHasher {
  let core: LaneCore | undefined;
  try {
    core = open?.();
  } catch {
    // No address space for another memory: the provider needs none.
  }
  const rooms = core?.lanes ?? ownRooms();
  const one = (chunk: Uint8Array, i: number, into: Uint8Array): void =>
    into.set(provider.sm3(PREFIX, chunk), i * LEAF_BYTES);
  const room = (lane: number, length: number): Uint8Array =>
    rooms[lane]?.subarray(0, length) ?? refuse(`lane ${lane}`);
  const lanes: HashLanes = {
    count: LANE_COUNT,
    capacity: LANE_BYTES,
    buffer(lane, length) {
      checkLane(lane, length);
      return room(lane, length);
    },
    digest(length, n, into) {
      checkDigest(length, n, into);
      if (core === undefined || n < FEWEST_LANES) {
        for (let lane = 0; lane < n; lane += 1) one(room(lane, length), lane, into);
      } else {
        into.set(core.digest(length, LEAF_PREFIX).subarray(0, n * LEAF_BYTES));
      }
    },
  };
  return {
    name: core === undefined ? provider.name : name,
    lanes,
    leaves(chunks, into) {
      checkRoom(chunks.length, into);
      for (let at = 0; at < chunks.length; ) {
        const group = core === undefined ? chunks.slice(at, at + 1) : sameLength(chunks, at);
        const [first] = group;
        if (group.length < FEWEST_LANES || first === undefined) {
          group.forEach((chunk, i) => {
            one(chunk, at + i, into);
          });
        } else {
          group.forEach((chunk, lane) => {
            const place = room(lane, chunk.length);
            if (chunk.buffer === place.buffer) refuse("a chunk lies in the lanes");
            place.set(chunk);
          });
          lanes.digest(first.length, group.length, into.subarray(at * LEAF_BYTES));
        }
        at += group.length;
      }
    },
  };
}

/** The longest run from `at` of up to four chunks that fit the lanes and have one length. */
function sameLength(chunks: readonly Uint8Array[], at: number): readonly Uint8Array[] {
  const length = chunks[at]?.length ?? 0;
  let end = at + 1;
  while (
    length <= LANE_BYTES &&
    end < Math.min(at + LANE_COUNT, chunks.length) &&
    chunks[end]?.length === length
  ) {
    end += 1;
  }
  return chunks.slice(at, end);
}

function ownRooms(): readonly Uint8Array[] {
  return Array.from({ length: LANE_COUNT }, () => Buffer.allocUnsafeSlow(LANE_BYTES));
}
