/**
 * Guarantee: the encrypted form of one payload, in a column or a spool file.
 *
 * ```
 * header   32 bytes   "LFPAYLD" | version 0x01 | salt (24 random bytes)
 * chunk*   each SM4-GCM: up to 262,144 bytes of plaintext, then a 16-byte tag
 * ```
 *
 * The wrapped payload key is kept elsewhere (beside the exchange's row). The key
 * of one stream is HMAC-SM3(payload key, "lightferry/payload-stream/1" 0x00
 * salt), first 16 bytes, so a payload key may seal any number of streams.
 * Nonce of a chunk: 7 zero bytes | index, 4 bytes big-endian | 0x01 for the last
 * chunk, else 0x00. AAD of every chunk: "lightferry/payload-chunk/1" 0x00 |
 * header | context, the context being the exchange id.
 *
 * Every chunk but the last is full; the last has 1..262,144 bytes, or 0 when the
 * whole payload is empty. Hence: a chunk moved, dropped, repeated or taken from
 * another stream fails its tag by index, salt or context; a stream cut at a
 * chunk border fails because its new last chunk was sealed without the flag; one
 * with bytes appended fails because its old last chunk was sealed with it.
 */
import { GatewayError } from "../errors/index.ts";
import { domainSeparated, GCM_NONCE_BYTES, GCM_TAG_BYTES } from "../sm/index.ts";

/** Plaintext bytes per chunk; the same as in a bundle, about 2 ms of SM4 each. */
export const CHUNK_BYTES = 256 * 1024;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + GCM_TAG_BYTES;
const MAGIC = Buffer.from("LFPAYLD\x01", "latin1");
export const STREAM_SALT_BYTES = 24;
export const HEADER_BYTES = MAGIC.length + STREAM_SALT_BYTES;
export const STREAM_LABEL = "payload-stream/1";
/** The index has four bytes: 1 PiB, far beyond any lane's file limit. */
const MAX_CHUNKS = 2 ** 32;
const INDEX_AT = 7;
const LAST_AT = 11;

/** Bytes that a payload of `plainSize` bytes takes when encrypted. */
export function encryptedSize(plainSize: number): number {
  const chunks = Math.max(1, Math.ceil(plainSize / CHUNK_BYTES));
  return HEADER_BYTES + plainSize + chunks * GCM_TAG_BYTES;
}

export function formatHeader(salt: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  header.set(salt, MAGIC.length);
  return header;
}

/** The salt of a header. @throws GatewayError `sm.decrypt-failed` when it is not one. */
export function parseHeader(header: Uint8Array): Uint8Array {
  if (header.length !== HEADER_BYTES || !MAGIC.equals(header.subarray(0, MAGIC.length))) {
    throw damaged("not an encrypted payload");
  }
  return header.subarray(MAGIC.length);
}

export function chunkAad(header: Uint8Array, context: Uint8Array): Uint8Array {
  return domainSeparated("payload-chunk/1", header, context);
}

/** @throws GatewayError `sm.operation-failed` past 2^32 chunks. */
export function chunkNonce(index: number, last: boolean): Uint8Array {
  if (index >= MAX_CHUNKS) {
    throw new GatewayError("sm.operation-failed", { detail: "payload over 1 PiB" });
  }
  const nonce = Buffer.alloc(GCM_NONCE_BYTES);
  nonce.writeUInt32BE(index, INDEX_AT);
  nonce[LAST_AT] = last ? 1 : 0;
  return nonce;
}

export function damaged(detail: string): GatewayError {
  return new GatewayError("sm.decrypt-failed", { detail });
}
