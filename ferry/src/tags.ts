/**
 * Guarantee: both halves make and read tags in one way (SPEC.md §13.5): a tag is right only for these
 * bytes as this chunk of this object, under a secret that the two zones share for one epoch.
 */
import { domainSeparated, type SmProvider } from "@lightferry/proto/sm";
import { SMALL_OBJECT_BYTES } from "./object.ts";

/** Set number before the tags of a frame. */
export const SET_BYTES = 8;
/** SM4-GMAC. */
export const TAG_BYTES = 16;
/** Shorter chunks, which no sealer here makes, are hashed: a block has at most 256 that are tagged. */
export const MIN_TAGGED_CHUNK = 65_552;
const KEY_BYTES = 16;
const NONCE_BYTES = 12;

/** Whether an object of such sizes has tags at all. */
export function isTagged(size: number, chunkBytes: number): boolean {
  return size > SMALL_OBJECT_BYTES && chunkBytes >= MIN_TAGGED_CHUNK;
}

/** @returns 16 bytes, for SM4 */
export function tagKey(provider: SmProvider, secret: Uint8Array, objectId: number): Uint8Array {
  const id = Buffer.alloc(8);
  id.writeBigUInt64BE(BigInt(objectId));
  return provider.hmacSm3(secret, domainSeparated("ferry-tags/1", id)).subarray(0, KEY_BYTES);
}

/** 12 bytes; never the same twice under one key as long as no set number is. */
export function tagNonce(set: number, chunk: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeBigUInt64BE(BigInt(set));
  nonce.writeUInt32BE(chunk, SET_BYTES);
  return nonce;
}

/** @param parts of the chunk, in their order @returns 16 bytes */
export function tagOf(
  provider: SmProvider,
  key: Uint8Array,
  set: number,
  chunk: number,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return provider.sm4Gmac(key, tagNonce(set, chunk), ...parts);
}

/** What a TAGS frame says. */
export interface ReadTags {
  readonly set: number;
  /** One after the other, {@link TAG_BYTES} each; a view of the payload. */
  readonly tags: Uint8Array;
}

/**
 * @param first chunk of the first tag @param chunks how many the object has
 * @returns undefined for a payload that is none, or names chunks beyond the object
 */
export function readTags(payload: Uint8Array, first: number, chunks: number): ReadTags | undefined {
  const bytes = payload.length - SET_BYTES;
  const count = bytes / TAG_BYTES;
  if (!Number.isInteger(count) || count < 1 || first + count > chunks) return undefined;
  const set = Number(Buffer.from(payload.buffer, payload.byteOffset, SET_BYTES).readBigUInt64BE());
  if (set < 1 || !Number.isSafeInteger(set)) return undefined;
  return { set, tags: payload.subarray(SET_BYTES) };
}
