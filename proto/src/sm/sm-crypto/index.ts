/**
 * Guarantee: the portable reference provider, all JavaScript, sharing no
 * cryptographic code with the openssl provider. Not constant time: for tests and
 * for comparison, never for a node's key.
 */

import smCrypto from "sm-crypto";
import { GatewayError } from "../../errors/index.ts";
import { checkPublicKey, checkScalar, FIELD_BYTES } from "../curve.ts";
import { cipherFromDer, cipherToDer, isSignatureInRange } from "../der.ts";
import { OpaquePrivateKey, unusableKey } from "../opaque-key.ts";
import {
  DEFAULT_USER_ID,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type Sm3Hash,
  type SmProvider,
} from "../provider.ts";
import { checkPlaintext, userIdBytes } from "../sm2-input.ts";
import { gcmDecrypt, gcmEncrypt } from "./gcm.ts";

const { sm2, sm3: sm3Hex } = smCrypto;

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

class PortablePrivateKey extends OpaquePrivateKey {
  #scalar: string | undefined;
  readonly #publicKey: Sm2PublicKey;

  constructor(scalar: string) {
    super();
    this.#scalar = scalar;
    this.#publicKey = checkPublicKey(fromHex(sm2.getPublicKeyFromPrivateKey(scalar)));
  }

  get publicKey(): Sm2PublicKey {
    return Uint8Array.from(this.#publicKey) as Sm2PublicKey;
  }

  /** Forgets the scalar. It was a JavaScript string, so copies may live until collected. */
  destroy(): void {
    this.#scalar = undefined;
  }

  static scalarOf(key: Sm2PrivateKey): string {
    if (!(key instanceof PortablePrivateKey) || key.#scalar === undefined) throw unusableKey();
    return key.#scalar;
  }
}

// Plain arrays: sm-crypto copies its input element by element.
const sm3 = (...parts: readonly Uint8Array[]): Uint8Array =>
  fromHex(sm3Hex(Array.from(Buffer.concat(parts))));

/** sm-crypto has no running hash: parts are gathered and hashed at the end. */
function createSm3(): Sm3Hash {
  const parts: Uint8Array[] = [];
  const self: Sm3Hash = {
    update(data) {
      parts.push(Uint8Array.from(data));
      return self;
    },
    digest: () => sm3(...parts),
  };
  return self;
}

function importSm2(scalar: Uint8Array): Sm2PrivateKey {
  checkScalar(scalar);
  return new PortablePrivateKey(toHex(scalar));
}

function generateSm2(): Sm2PrivateKey {
  for (;;) {
    const scalar = fromHex(sm2.generateKeyPairHex().privateKey);
    try {
      return importSm2(scalar);
    } catch (error) {
      // sm-crypto draws from 1..n-1; n-1 is no SM2 key and is drawn again.
      if (!(error instanceof GatewayError) || error.code !== "sm.key-invalid") throw error;
    }
  }
}

function sm2Sign(key: Sm2PrivateKey, message: Uint8Array, userId = DEFAULT_USER_ID): Uint8Array {
  const scalar = PortablePrivateKey.scalarOf(key);
  userIdBytes(userId);
  const publicKey = toHex(key.publicKey);
  return fromHex(sm2.doSignature(message, scalar, { hash: true, userId, publicKey }));
}

function sm2Verify(
  key: Sm2PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  userId = DEFAULT_USER_ID,
): boolean {
  userIdBytes(userId);
  if (!isSignatureInRange(signature)) return false;
  const options = { hash: true as const, userId };
  return sm2.doVerifySignature(message, toHex(signature), toHex(key), options);
}

function sm2Encrypt(key: Sm2PublicKey, plaintext: Uint8Array): Uint8Array {
  checkPlaintext(plaintext);
  for (;;) {
    const raw = fromHex(sm2.doEncrypt(plaintext, toHex(key), 1));
    const cipher = raw.subarray(3 * FIELD_BYTES);
    // An all-zero key stream must be drawn again (GB/T 32918.4 §6.1 A5); sm-crypto does not.
    if (Buffer.compare(cipher, plaintext) === 0) continue;
    return cipherToDer({
      x: raw.subarray(0, FIELD_BYTES),
      y: raw.subarray(FIELD_BYTES, 2 * FIELD_BYTES),
      hash: raw.subarray(2 * FIELD_BYTES, 3 * FIELD_BYTES),
      cipher,
    });
  }
}

function sm2Decrypt(key: Sm2PrivateKey, ciphertext: Uint8Array): Uint8Array {
  const scalar = PortablePrivateKey.scalarOf(key);
  const { x, y, hash, cipher } = cipherFromDer(ciphertext);
  const raw = toHex(Buffer.concat([x, y, hash, cipher]));
  const plaintext = Uint8Array.from(sm2.doDecrypt(raw, scalar, 1, { output: "array" }));
  if (plaintext.length === 0 || Buffer.compare(plaintext, cipher) === 0) {
    throw new GatewayError("sm.decrypt-failed", { detail: "SM2" });
  }
  return plaintext;
}

export const SM_CRYPTO_PROVIDER: SmProvider = Object.freeze({
  name: "sm-crypto",
  bulk: "sm-crypto",
  sm3,
  createSm3,
  hmacSm3: (key: Uint8Array, ...parts: readonly Uint8Array[]) =>
    fromHex(sm3Hex(Buffer.concat(parts), { key: Uint8Array.from(key), mode: "hmac" })),
  sm4GcmEncrypt: gcmEncrypt,
  sm4GcmDecrypt: gcmDecrypt,
  sm4Gmac: (key: Uint8Array, nonce: Uint8Array, ...parts: readonly Uint8Array[]) =>
    gcmEncrypt(key, nonce, new Uint8Array(), Buffer.concat(parts)),
  generateSm2,
  importSm2,
  exportSm2: (key: Sm2PrivateKey) => fromHex(PortablePrivateKey.scalarOf(key)),
  checkPublicKey,
  sm2Sign,
  sm2Verify,
  sm2Encrypt,
  sm2Decrypt,
});
