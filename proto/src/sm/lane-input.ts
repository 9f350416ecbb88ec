/** Guarantee: the measures of a table hasher, and the one refusal of numbers outside them. */
import { GatewayError } from "../errors/index.ts";

/** 32 bytes: one SM3 result. */
export const LEAF_BYTES = 32;
/** Chunks that are hashed at once. */
export const LANE_COUNT = 4;
/** Longest chunk with its tag: 256 KiB and 16 bytes (proto/SPEC.md §3). */
export const LANE_BYTES = 256 * 1024 + 16;
/** RFC 6962 §2.1. */
export const LEAF_PREFIX = 0x00;

/** @throws GatewayError `sm.operation-failed`, always. */
export function refuse(detail: string): never {
  throw new GatewayError("sm.operation-failed", { detail: `table hasher: ${detail}` });
}

export function checkLane(lane: number, length: number): void {
  if (!Number.isInteger(lane) || lane < 0 || lane >= LANE_COUNT) refuse(`lane ${lane}`);
  checkLength(length);
}

export function checkDigest(length: number, n: number, into: Uint8Array): void {
  checkLength(length);
  if (!Number.isInteger(n) || n < 1 || n > LANE_COUNT) refuse(`${n} lanes`);
  checkRoom(n, into);
}

export function checkRoom(n: number, into: Uint8Array): void {
  if (into.length < n * LEAF_BYTES) refuse(`${into.length} bytes for ${n} digests`);
}

function checkLength(length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > LANE_BYTES) refuse(`length ${length}`);
}
