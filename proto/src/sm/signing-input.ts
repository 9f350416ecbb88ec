/**
 * Guarantee: bytes signed for one purpose can never be presented for another,
 * and a key has one name everywhere.
 */
import { timingSafeEqual } from "node:crypto";
import { loadProvider } from "./load.ts";

/** Half of an SM3 digest: 128 bits, so that two keys share a name only by a 2^64 search. */
const KEY_ID_BYTES = 16;

/** Key id used everywhere: the first 16 bytes of SM3(public key), as 32 hex characters. */
export function formatKeyId(publicKey: Uint8Array): string {
  return Buffer.from(loadProvider().sm3(publicKey).subarray(0, KEY_ID_BYTES)).toString("hex");
}

/**
 * The message to sign: `lightferry/<label>`, a zero byte, the parts. Labels
 * hold no zero byte, so no label is the beginning of another's message. Parts
 * are joined without lengths: sign one canonical encoding, or parts of fixed size.
 */
export function domainSeparated(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from(`lightferry/${label}\0`, "utf8"), ...parts]);
}

/** Equality whose time depends only on the lengths. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
