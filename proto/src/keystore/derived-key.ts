/**
 * Guarantee: every SM4 key of the keystore is used for one sealing only. It is
 * HMAC-SM3(secret, "lightferry/" label 0x00 salt) with a fresh random salt, so
 * counter or derived nonces never repeat under one key, however often a secret
 * is used. Derived bytes are wiped after use.
 */
import { randomFillSync } from "node:crypto";
import { domainSeparated, GCM_NONCE_BYTES, SM4_KEY_BYTES, type SmProvider } from "../sm/index.ts";

/** Unlock keys, vault keys and payload keys: as long as the HMAC-SM3 output. */
export const SECRET_BYTES = 32;

/** Fresh random bytes in memory of their own, never in Node's shared pool. */
export function freshBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}

/** Runs `body` with the SM4 key (16 bytes) and nonce (12 bytes) of that salt, then wipes both. */
export function withDerivedKey<T>(
  provider: SmProvider,
  secret: Uint8Array,
  label: string,
  salt: Uint8Array,
  body: (key: Uint8Array, nonce: Uint8Array) => T,
): T {
  const derived = provider.hmacSm3(secret, domainSeparated(label, salt));
  try {
    return body(
      derived.subarray(0, SM4_KEY_BYTES),
      derived.subarray(SM4_KEY_BYTES, SM4_KEY_BYTES + GCM_NONCE_BYTES),
    );
  } finally {
    derived.fill(0);
  }
}
