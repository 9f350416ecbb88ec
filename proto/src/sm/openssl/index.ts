/**
 * Guarantee: the default provider. Every algorithm is OpenSSL's, the one that
 * Node itself carries; SM4-GCM of more than a few bytes and SM3 announced as long
 * are libgcrypt's where the system has a tested one (../bulk.ts).
 */
import { BULK_BYTES, BULK_HASH_BYTES, type Sm4Bulk, sm4Bulk } from "../bulk.ts";
import { checkPublicKey, checkScalar } from "../curve.ts";
import { GCM_TAG_BYTES } from "../gcm-input.ts";
import type { Sm4Gcm, SmProvider } from "../provider.ts";
import { exportPrivateKey, generatePrivateKey, importPrivateKey } from "./keys.ts";
import { decrypt, encrypt, sign, verify } from "./sm2.ts";
import { createSm3, gcmDecrypt, gcmEncrypt, gmac, hmacSm3, sm3 } from "./symmetric.ts";

const OWN_GCM: Sm4Gcm = { encrypt: gcmEncrypt, decrypt: gcmDecrypt };

/** What does SM4-GCM of more than a few bytes in this thread, and why. */
export function bulkInUse(): Sm4Bulk {
  return sm4Bulk(OWN_GCM);
}

const gcmFor = (bytes: number): Sm4Gcm =>
  (bytes >= BULK_BYTES ? bulkInUse().gcm : undefined) ?? OWN_GCM;

const provider: SmProvider = {
  name: "openssl",
  get bulk() {
    return bulkInUse().name;
  },
  sm3,
  createSm3: (bytes = 0) =>
    (bytes >= BULK_HASH_BYTES ? bulkInUse().sm3?.() : undefined) ?? createSm3(),
  hmacSm3,
  sm4GcmEncrypt: (key, nonce, plaintext, aad, into) =>
    gcmFor(plaintext.length).encrypt(key, nonce, plaintext, aad, into),
  sm4GcmDecrypt: (key, nonce, sealed, aad, into) =>
    gcmFor(sealed.length - GCM_TAG_BYTES).decrypt(key, nonce, sealed, aad, into),
  sm4Gmac: gmac,
  generateSm2: generatePrivateKey,
  importSm2(scalar: Uint8Array) {
    checkScalar(scalar);
    return importPrivateKey(scalar);
  },
  exportSm2: exportPrivateKey,
  checkPublicKey,
  sm2Sign: sign,
  sm2Verify: verify,
  sm2Encrypt: encrypt,
  sm2Decrypt: decrypt,
};

export const OPENSSL_PROVIDER: SmProvider = Object.freeze(provider);
