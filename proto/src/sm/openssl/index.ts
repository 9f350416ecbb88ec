/**
 * Guarantee: the default provider. Every algorithm is OpenSSL's, the one that
 * Node itself carries.
 */
import { checkPublicKey, checkScalar } from "../curve.ts";
import type { SmProvider } from "../provider.ts";
import { exportPrivateKey, generatePrivateKey, importPrivateKey } from "./keys.ts";
import { decrypt, encrypt, sign, verify } from "./sm2.ts";
import { createSm3, gcmDecrypt, gcmEncrypt, hmacSm3, sm3 } from "./symmetric.ts";

export const OPENSSL_PROVIDER: SmProvider = Object.freeze({
  name: "openssl",
  sm3,
  createSm3,
  hmacSm3,
  sm4GcmEncrypt: gcmEncrypt,
  sm4GcmDecrypt: gcmDecrypt,
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
});
