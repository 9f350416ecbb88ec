/**
 * Guarantee: SM3 (GB/T 32905), HMAC-SM3 and SM4-GCM (GB/T 32907, NIST SP
 * 800-38D with a 12-byte nonce and a 16-byte tag) through node:crypto.
 * Plaintext leaves `gcmDecrypt` only after its tag has been checked.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash,
} from "node:crypto";
import { checkKeyAndNonce, GCM_TAG_BYTES, gcmFailure, placed, roomFor } from "../gcm-input.ts";
import type { Sm3Hash } from "../provider.ts";

/** Node has the cipher of this name; its type declarations list only the AES ones. */
const SM4_GCM = "sm4-gcm" as string as CipherGCMTypes;
/** Below this many bytes joining the parts costs less than a hash object. */
const JOIN_LIMIT = 2048;

export function sm3(...parts: readonly Uint8Array[]): Uint8Array {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return hash("sm3", only, "buffer");
  let total = 0;
  for (const part of parts) total += part.length;
  if (total <= JOIN_LIMIT) return hash("sm3", Buffer.concat(parts, total), "buffer");
  const running = createHash("sm3");
  for (const part of parts) running.update(part);
  return running.digest();
}

export function createSm3(): Sm3Hash {
  const running = createHash("sm3");
  const self: Sm3Hash = {
    update(data) {
      running.update(data);
      return self;
    },
    digest: () => running.digest(),
  };
  return self;
}

export function hmacSm3(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const running = createHmac("sm3", key);
  for (const part of parts) running.update(part);
  return running.digest();
}

export function gcmEncrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
  into?: Uint8Array,
): Uint8Array {
  checkKeyAndNonce(key, nonce);
  const cipher = createCipheriv(SM4_GCM, key, nonce, { authTagLength: GCM_TAG_BYTES });
  if (aad.length > 0) cipher.setAAD(aad);
  const size = plaintext.length + GCM_TAG_BYTES;
  const sealed = into === undefined ? Buffer.allocUnsafe(size) : roomFor(into, size);
  const body = cipher.update(plaintext);
  sealed.set(body, 0);
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

export function gcmDecrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
  into?: Uint8Array,
): Uint8Array {
  checkKeyAndNonce(key, nonce);
  if (sealed.length < GCM_TAG_BYTES) throw gcmFailure();
  const length = sealed.length - GCM_TAG_BYTES;
  const decipher = createDecipheriv(SM4_GCM, key, nonce, { authTagLength: GCM_TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(length));
  if (aad.length > 0) decipher.setAAD(aad);
  const plaintext = decipher.update(sealed.subarray(0, length));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw gcmFailure();
  }
  return placed(plaintext, into);
}

/** The tag of {@link gcmEncrypt} without plaintext; the parts are not joined. */
export function gmac(
  key: Uint8Array,
  nonce: Uint8Array,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  checkKeyAndNonce(key, nonce);
  const cipher = createCipheriv(SM4_GCM, key, nonce, { authTagLength: GCM_TAG_BYTES });
  for (const part of parts) if (part.length > 0) cipher.setAAD(part);
  cipher.final();
  return cipher.getAuthTag();
}
