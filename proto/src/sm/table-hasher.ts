/**
 * Guarantee: digests of a bundle's table, SM3(0x00 || chunk) of 32 bytes each
 * (proto/SPEC.md §5, the leaf rule of RFC 6962 §2.1), the same whichever code
 * computes them: four chunks at once where the machine has a tested vector code,
 * one after the other by the provider elsewhere.
 */
import { GatewayError } from "../errors/index.ts";
import type { SmProvider } from "./provider.ts";

/** 32 bytes: one SM3 result. */
export const LEAF_BYTES = 32;
/** Chunks that are hashed at once. */
export const LANE_COUNT = 4;
/** Longest chunk with its tag: 256 KiB and 16 bytes (proto/SPEC.md §3). */
export const LANE_BYTES = 256 * 1024 + 16;
const LEAF_PREFIX = Uint8Array.of(0x00);

/** Four places for chunks of one length; a chunk made there is hashed without being copied. */
export interface HashLanes {
  readonly count: typeof LANE_COUNT;
  /** Longest chunk in bytes. */
  readonly capacity: number;
  /**
   * The first `length` bytes of a lane, to encrypt or read into. It keeps what is put there until
   * something else is, and is never moved; digesting does not change it.
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
 * Holds about 1 MiB of its own; one at a time may use it. Who writes the last four chunks to a
 * disk while the next four are made needs two.
 */
export interface TableHasher {
  /** "wasm-simd-4", or the provider's name when it does all the work. */
  readonly name: string;
  readonly lanes: HashLanes;
  /**
   * Writes SM3(0x00 || chunk) of each chunk to `into`, 32 bytes each in their order. Chunks of one
   * length that stand together are hashed four at a time.
   * @param into at least 32 bytes a chunk. @throws GatewayError `sm.operation-failed`.
   */
  leaves(chunks: readonly Uint8Array[], into: Uint8Array): void;
}

function refuse(detail: string): never {
  throw new GatewayError("sm.operation-failed", { detail: `table hasher: ${detail}` });
}

function checkLane(lane: number, length: number): void {
  if (!Number.isInteger(lane) || lane < 0 || lane >= LANE_COUNT) refuse(`lane ${lane}`);
  checkLength(length);
}

function checkLength(length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > LANE_BYTES) refuse(`length ${length}`);
}

function checkDigest(length: number, n: number, into: Uint8Array): void {
  checkLength(length);
  if (!Number.isInteger(n) || n < 1 || n > LANE_COUNT) refuse(`${n} lanes`);
  checkRoom(n, into);
}

function checkRoom(n: number, into: Uint8Array): void {
  if (into.length < n * LEAF_BYTES) refuse(`${into.length} bytes for ${n} digests`);
}

/** A hasher whose every digest is the provider's. */
export function providerHasher(provider: SmProvider): TableHasher {
  const rooms: (Uint8Array | undefined)[] = [];
  const room = (lane: number): Uint8Array => {
    rooms[lane] ??= Buffer.allocUnsafeSlow(LANE_BYTES);
    return rooms[lane];
  };
  const lanes: HashLanes = {
    count: LANE_COUNT,
    capacity: LANE_BYTES,
    buffer(lane, length) {
      checkLane(lane, length);
      return room(lane).subarray(0, length);
    },
    digest(length, n, into) {
      checkDigest(length, n, into);
      for (let lane = 0; lane < n; lane += 1) {
        into.set(provider.sm3(LEAF_PREFIX, room(lane).subarray(0, length)), lane * LEAF_BYTES);
      }
    },
  };
  return {
    name: provider.name,
    lanes,
    leaves(chunks, into) {
      checkRoom(chunks.length, into);
      for (const [i, chunk] of chunks.entries()) {
        into.set(provider.sm3(LEAF_PREFIX, chunk), i * LEAF_BYTES);
      }
    },
  };
}

/** The fastest tested way on this machine. Never fails for want of vector code. */
export function createTableHasher(provider: SmProvider): TableHasher {
  return providerHasher(provider);
}
