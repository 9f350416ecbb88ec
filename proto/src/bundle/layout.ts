/**
 * Guarantee: where every byte of a bundle lies follows from the header length
 * and two header fields (proto/SPEC.md §3); nothing is searched for.
 */
import type { lightferry } from "../gen/index.js";
import { DIGEST_BYTES, LENGTH_BYTES, MAGIC, SIGNATURE_BYTES, TAG_BYTES } from "./limits.ts";

/** Bytes before the header. */
export const PREFIX_BYTES = MAGIC.length + LENGTH_BYTES;

export interface ChunkPlan {
  /** Plaintext bytes of every chunk but the last. */
  readonly chunkSize: number;
  readonly chunkCount: number;
  /** Plaintext bytes altogether, at least 1. */
  readonly plaintextSize: number;
}

export interface Layout extends ChunkPlan {
  readonly signatureAt: number;
  readonly tableAt: number;
  readonly chunksAt: number;
  readonly fileSize: number;
}

export function planChunks(plaintextSize: number, chunkSize: number): ChunkPlan {
  return { plaintextSize, chunkSize, chunkCount: Math.ceil(plaintextSize / chunkSize) };
}

export function layoutOf(
  headerLength: number,
  header: Pick<lightferry.bundle.v1.Header, "chunkSize" | "chunkCount" | "plaintextSize">,
): Layout {
  const { chunkSize, chunkCount, plaintextSize } = header;
  const signatureAt = PREFIX_BYTES + headerLength;
  const tableAt = signatureAt + SIGNATURE_BYTES;
  const chunksAt = tableAt + chunkCount * DIGEST_BYTES;
  const fileSize = chunksAt + plaintextSize + chunkCount * TAG_BYTES;
  return { chunkSize, chunkCount, plaintextSize, signatureAt, tableAt, chunksAt, fileSize };
}

/** Plaintext bytes of chunk `index`. */
export function chunkPlaintextSize(plan: ChunkPlan, index: number): number {
  return index === plan.chunkCount - 1
    ? plan.plaintextSize - index * plan.chunkSize
    : plan.chunkSize;
}

/** File offset of chunk `index` (ciphertext, then tag). */
export function chunkOffset(layout: Layout, index: number): number {
  return layout.chunksAt + index * (layout.chunkSize + TAG_BYTES);
}
