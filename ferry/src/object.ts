/**
 * Guarantee: both halves cut an object into shards, groups and chunks in the
 * same way, and a manifest is believed only when its numbers fit together
 * (SPEC.md §3). One object is one bundle file.
 */
import type { lightferry } from "@lightferry/proto/gen";
import { MAX_DATA_SHARDS, MAX_PARITY_SHARDS } from "./erasure/index.ts";
import { FRAME_HEADER, MAX_FRAME_SIZE, MAX_SHARDS, MIN_FRAME_SIZE } from "./frame.ts";

type ObjectManifest = lightferry.ferry.v1.ObjectManifest;

export const MANIFEST_VERSION = 2;
/** SM3. */
export const DIGEST_BYTES = 32;
const ID_BYTES = 16;

/** Data and parity shards of a full group: with a block of 64 groups a burst of 1,024 frames costs nothing. */
export const DEFAULT_CODE: Code = { groupShards: 128, parityShards: 16 };
/** Groups sent interleaved … */
export const BLOCK_GROUPS = 64;
/** … and the most data in them: at MTU 9000 fewer groups last as long on the line. */
export const BLOCK_BYTES = 16 << 20;

/** Prefix, longest header, signature and table of a bundle: 32 MiB of table for 2^20 chunks (proto/SPEC.md §9). */
const MAX_HEAD_BYTES = 2 ** 20 + 2 ** 16 + DIGEST_BYTES * 2 ** 20;
const MAX_CHUNKS = 2 ** 20;
const TAG_BYTES = 16;
const MIN_CHUNK_BYTES = 4 * 1024 + TAG_BYTES;
export const MAX_CHUNK_BYTES = 256 * 1024 + TAG_BYTES;
/** Largest object; checked before anything is allocated for it. */
export const MAX_OBJECT_BYTES = MAX_HEAD_BYTES + MAX_CHUNKS * MAX_CHUNK_BYTES;

/** Objects up to this size are kept in memory by the receiver and written once, whole: two syncs in all. */
export const SMALL_OBJECT_BYTES = 1 << 20;

/** An object id is the epoch it was begun in and its number in that epoch. */
const NUMBERS_PER_EPOCH = 2 ** 32;
/** An epoch is the ferry and its start; all together stay a safe integer. A ferry may start twenty times a day for 17 years. */
const STARTS_PER_FERRY = 2 ** 17;
export const MAX_START = STARTS_PER_FERRY - 1;

/** @param ferry lowest link number of the process, so that no two ferries of a sender share an epoch */
export function epochOfStart(ferry: number, start: number): number {
  return ferry * STARTS_PER_FERRY + start;
}

/** Number of the ferry whose epoch it is. */
export function ferryOf(epoch: number): number {
  return Math.floor(epoch / STARTS_PER_FERRY);
}

export function startOf(epoch: number): number {
  return epoch % STARTS_PER_FERRY;
}

/** Objects of one epoch: then the sender begins another. */
export const MAX_OBJECT_NUMBER = NUMBERS_PER_EPOCH - 1;

export function objectIdOf(epoch: number, number: number): number {
  return epoch * NUMBERS_PER_EPOCH + number;
}

export function epochOf(objectId: number): number {
  return Math.floor(objectId / NUMBERS_PER_EPOCH);
}

/** Its number in the epoch in which it was begun. */
export function objectNumberOf(objectId: number): number {
  return objectId % NUMBERS_PER_EPOCH;
}

/** How many shards a full group has. */
export interface Code {
  readonly groupShards: number;
  readonly parityShards: number;
}

/** How an object of a size is cut on a link (SPEC.md §3.1). */
export class Geometry {
  readonly size: number;
  readonly shardSize: number;
  readonly code: Code;
  /** Data bytes of every group but the last. */
  readonly groupBytes: number;
  readonly groups: number;

  constructor(size: number, shardSize: number, code: Code = DEFAULT_CODE) {
    this.size = size;
    this.shardSize = shardSize;
    this.code = code;
    this.groupBytes = shardSize * code.groupShards;
    this.groups = Math.ceil(size / this.groupBytes);
  }

  /** Data bytes of a group. */
  groupLength(group: number): number {
    return Math.min(this.groupBytes, this.size - group * this.groupBytes);
  }

  /** k: the last group has as many as it needs. */
  dataShards(group: number): number {
    return Math.ceil(this.groupLength(group) / this.shardSize);
  }

  /** m: fewer for a short group, but never less than two. */
  parityShards(group: number): number {
    const { parityShards } = this.code;
    return Math.min(parityShards, Math.max(2, Math.ceil(this.dataShards(group) / 4)));
  }

  /** Bytes of the group's parity shards, and of its data shards once they are filled up. */
  codedLength(group: number): number {
    return Math.min(this.shardSize, this.groupLength(group));
  }

  /** Bytes of a data shard as it is sent. */
  shardLength(group: number, shard: number): number {
    return Math.min(this.shardSize, this.groupLength(group) - shard * this.shardSize);
  }

  /** Groups of a block, of all blocks but the last. */
  get blockGroups(): number {
    return Math.max(1, Math.min(BLOCK_GROUPS, Math.floor(BLOCK_BYTES / this.groupBytes)));
  }
}

/** Where an object's chunks lie behind its head (SPEC.md §3.3). */
export class Chunks {
  readonly headSize: number;
  readonly chunkBytes: number;
  readonly count: number;
  readonly #size: number;

  constructor(size: number, headSize: number, chunkBytes: number) {
    this.#size = size;
    this.headSize = headSize;
    this.chunkBytes = chunkBytes;
    this.count = Math.ceil((size - headSize) / chunkBytes);
  }

  start(chunk: number): number {
    return this.headSize + chunk * this.chunkBytes;
  }

  length(chunk: number): number {
    return Math.min(this.chunkBytes, this.#size - this.start(chunk));
  }

  /** The chunk a byte belongs to; -1 in the head. */
  at(offset: number): number {
    return offset < this.headSize ? -1 : Math.floor((offset - this.headSize) / this.chunkBytes);
  }

  /** First byte of the table entry of a chunk, within the head. */
  digestAt(chunk: number): number {
    return this.headSize - DIGEST_BYTES * (this.count - chunk);
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
  return codeFault(manifest) ?? chunksFault(manifest);
}

function codeFault({ shardSize, groupShards, parityShards }: ObjectManifest): string | undefined {
  if (shardSize < MIN_FRAME_SIZE - FRAME_HEADER) return "shard-size";
  if (shardSize > MAX_FRAME_SIZE - FRAME_HEADER) return "shard-size";
  if (groupShards < 1 || groupShards > MAX_DATA_SHARDS) return "group-shards";
  if (groupShards + parityShards > MAX_SHARDS) return "group-shards";
  return parityShards > MAX_PARITY_SHARDS ? "parity-shards" : undefined;
}

function chunksFault({
  size,
  headSize,
  headDigest,
  chunkBytes,
}: ObjectManifest): string | undefined {
  if (!isSafe(size) || size > MAX_OBJECT_BYTES) return "size";
  if (headSize < DIGEST_BYTES || headSize > Math.min(size, MAX_HEAD_BYTES)) return "head-size";
  if (headDigest.length !== DIGEST_BYTES) return "head-digest";
  if (chunkBytes < MIN_CHUNK_BYTES || chunkBytes > MAX_CHUNK_BYTES) return "chunk-bytes";
  const { count } = new Chunks(size, headSize, chunkBytes);
  return count < 1 || count > MAX_CHUNKS || count * DIGEST_BYTES > headSize ? "chunks" : undefined;
}

function isSafe(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
