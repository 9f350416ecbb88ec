/**
 * Guarantee: both halves cut an object into segments, groups and shards in the
 * same way, and a manifest is believed only when its numbers fit together
 * (SPEC.md §3). One object is one bundle file.
 */
import type { lightferry } from "@lightferry/proto/gen";
import { FRAME_HEADER, GROUP_SHARDS, MAX_FRAME_SIZE, MIN_FRAME_SIZE } from "./frame.ts";

type ObjectManifest = lightferry.ferry.v1.ObjectManifest;

export const MANIFEST_VERSION = 1;
/** SM3. */
export const DIGEST_BYTES = 32;
const ID_BYTES = 16;

/**
 * Groups covered by one manifest: 11 MB at MTU 1500. Hashing so much takes 40 ms,
 * so sending starts at once; a manifest then fits two frames and is seldom lost.
 */
export const SEGMENT_GROUPS = 64;

/**
 * Largest object: 2^20 chunks of 256 KiB with tags and digests, and its header
 * (proto/SPEC.md §9). Checked before anything is allocated for it.
 */
export const MAX_OBJECT_BYTES = 2 ** 20 * (256 * 1024 + 16 + 32) + 2 ** 21;
/** Prefix, empty header, signature: nothing shorter is a bundle. */
const MIN_OBJECT_BYTES = 64;

/** An object id is the epoch it was begun in and its number in that epoch. */
const NUMBERS_PER_EPOCH = 2 ** 32;
/** Together they stay a safe integer: two million restarts of a sender. */
export const MAX_EPOCH = 2 ** 21 - 1;

export function objectIdOf(epoch: number, number: number): number {
  return epoch * NUMBERS_PER_EPOCH + number;
}

export function epochOf(objectId: number): number {
  return Math.floor(objectId / NUMBERS_PER_EPOCH);
}

/** How an object of a size is cut on a link. */
export class Geometry {
  readonly size: number;
  readonly shardSize: number;
  readonly groupShards: number;
  /** Bytes of every group but the last. */
  readonly groupBytes: number;
  readonly groups: number;
  readonly segments: number;

  constructor(size: number, shardSize: number, groupShards: number = GROUP_SHARDS) {
    this.size = size;
    this.shardSize = shardSize;
    this.groupShards = groupShards;
    this.groupBytes = shardSize * groupShards;
    this.groups = Math.ceil(size / this.groupBytes);
    this.segments = Math.ceil(this.groups / SEGMENT_GROUPS);
  }

  groupLength(group: number): number {
    return Math.min(this.groupBytes, this.size - group * this.groupBytes);
  }

  /** Data shards of a group; the last group has as many as it needs. */
  shardsOf(group: number): number {
    return Math.ceil(this.groupLength(group) / this.shardSize);
  }

  shardLength(group: number, shard: number): number {
    return Math.min(this.shardSize, this.groupLength(group) - shard * this.shardSize);
  }

  segmentGroups(segment: number): number {
    return Math.min(SEGMENT_GROUPS, this.groups - segment * SEGMENT_GROUPS);
  }
}

/** Why a signed manifest is not believed, or undefined. */
export function manifestFault(
  manifest: ObjectManifest,
  expected: { readonly sender: string; readonly lane: string },
): string | undefined {
  if (manifest.version !== MANIFEST_VERSION) return "version";
  if (manifest.sender !== expected.sender) return "sender";
  if (manifest.lane !== expected.lane) return "lane";
  if (!isSafe(manifest.objectId) || epochOf(manifest.objectId) !== manifest.epoch) return "object";
  if (manifest.bundleId.length !== ID_BYTES) return "bundle-id";
  if (manifest.headerDigest.length !== DIGEST_BYTES) return "header-digest";
  if (!isSafe(manifest.size)) return "size";
  if (manifest.size < MIN_OBJECT_BYTES || manifest.size > MAX_OBJECT_BYTES) return "size";
  return groupsFault(manifest);
}

function groupsFault(manifest: ObjectManifest): string | undefined {
  const { shardSize, groupShards, firstGroup, groupDigests } = manifest;
  if (shardSize < MIN_FRAME_SIZE - FRAME_HEADER) return "shard-size";
  if (shardSize > MAX_FRAME_SIZE - FRAME_HEADER) return "shard-size";
  if (groupShards !== GROUP_SHARDS) return "group-shards";
  const geometry = new Geometry(manifest.size, shardSize, groupShards);
  if (firstGroup % SEGMENT_GROUPS !== 0 || firstGroup >= geometry.groups) return "first-group";
  if (groupDigests.length !== geometry.segmentGroups(firstGroup / SEGMENT_GROUPS)) return "groups";
  if (!groupDigests.every((digest) => digest.length === DIGEST_BYTES)) return "group-digest";
  return undefined;
}

function isSafe(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
