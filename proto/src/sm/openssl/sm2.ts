/**
 * Guarantee: SM2 signatures (GB/T 32918.2 §6, §7) and SM2 encryption (GB/T
 * 32918.4) by OpenSSL's own implementation, with the user id of the caller.
 * Every context is freed on every path; a failing verification is `false`, a
 * failing decryption is an error without plaintext.
 */
import { GatewayError } from "../../errors/index.ts";
import {
  cipherFromDer,
  isSignatureInRange,
  MAX_SIGNATURE_DER_BYTES,
  MAX_SM2_CIPHER_BYTES,
  MAX_SM2_PLAINTEXT_BYTES,
  signatureFromDer,
  signatureToDer,
} from "../der.ts";
import { DEFAULT_USER_ID, type Sm2PrivateKey, type Sm2PublicKey } from "../provider.ts";
import { checkPlaintext, userIdBytes } from "../sm2-input.ts";
import { type Binding, guarded, must, mustPointer, type Pointer } from "./binding.ts";
import { OpensslPrivateKey, publicPkey } from "./keys.ts";

let sm3Digest: Pointer | undefined;

/** The SM3 of OpenSSL, fetched once and kept for the life of the process. */
function sm3Of(native: Binding): Pointer {
  sm3Digest ??= mustPointer(native, native.fetchDigest(null, "SM3", null), "EVP_MD_fetch SM3");
  return sm3Digest;
}

const DEFAULT_USER_ID_BYTES = userIdBytes(DEFAULT_USER_ID);

/** Runs `body` with a digest context bound to `pkey` and the user id. */
function withDigest<T>(
  native: Binding,
  pkey: Pointer,
  userId: string | undefined,
  body: (digest: Pointer) => T,
): T {
  const id = userId === undefined ? DEFAULT_USER_ID_BYTES : userIdBytes(userId);
  const context = mustPointer(native, native.contextOf(pkey, null), "EVP_PKEY_CTX_new");
  let digest: Pointer | undefined;
  try {
    must(native, native.setUserId(context, id, id.length), "EVP_PKEY_CTX_set1_id");
    digest = mustPointer(native, native.newDigest(), "EVP_MD_CTX_new");
    native.setKeyContext(digest, context);
    return body(digest);
  } finally {
    // The digest context does not own a context that was set into it: free both, it first.
    if (digest !== undefined) native.freeDigest(digest);
    native.freeContext(context);
  }
}

export function sign(key: Sm2PrivateKey, message: Uint8Array, userId?: string): Uint8Array {
  const pkey = OpensslPrivateKey.pkeyOf(key);
  const der = new Uint8Array(MAX_SIGNATURE_DER_BYTES);
  const length = BigUint64Array.of(BigInt(der.length));
  guarded((native) => {
    withDigest(native, pkey, userId, (digest) => {
      const md = sm3Of(native);
      must(native, native.signInit(digest, null, md, null, pkey), "EVP_DigestSignInit");
      must(native, native.sign(digest, der, length, message, message.length), "EVP_DigestSign");
    });
  });
  return signatureFromDer(der.subarray(0, Number(length[0])));
}

export function verify(
  key: Sm2PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  userId?: string,
): boolean {
  if (!isSignatureInRange(signature)) return false;
  const der = signatureToDer(signature);
  return guarded((native) => {
    const pkey = publicPkey(native, key);
    return withDigest(native, pkey, userId, (digest) => {
      const md = sm3Of(native);
      must(native, native.verifyInit(digest, null, md, null, pkey), "EVP_DigestVerifyInit");
      return native.verify(digest, der, der.length, message, message.length) === 1;
    });
  });
}

/** Runs `body` with an encryption or decryption context of `pkey`. */
function withContext<T>(native: Binding, pkey: Pointer, body: (context: Pointer) => T): T {
  const context = mustPointer(native, native.contextOf(pkey, null), "EVP_PKEY_CTX_new");
  try {
    return body(context);
  } finally {
    native.freeContext(context);
  }
}

export function encrypt(key: Sm2PublicKey, plaintext: Uint8Array): Uint8Array {
  checkPlaintext(plaintext);
  const out = new Uint8Array(MAX_SM2_CIPHER_BYTES);
  const length = BigUint64Array.of(BigInt(out.length));
  guarded((native) => {
    withContext(native, publicPkey(native, key), (context) => {
      must(native, native.encryptInit(context), "EVP_PKEY_encrypt_init");
      must(
        native,
        native.encrypt(context, out, length, plaintext, plaintext.length),
        "EVP_PKEY_encrypt",
      );
    });
  });
  return out.slice(0, Number(length[0]));
}

export function decrypt(key: Sm2PrivateKey, ciphertext: Uint8Array): Uint8Array {
  const pkey = OpensslPrivateKey.pkeyOf(key);
  const expected = cipherFromDer(ciphertext).cipher.length;
  const out = new Uint8Array(MAX_SM2_PLAINTEXT_BYTES);
  const length = BigUint64Array.of(BigInt(out.length));
  try {
    return guarded((native) =>
      withContext(native, pkey, (context) => {
        must(native, native.decryptInit(context), "EVP_PKEY_decrypt_init");
        const result = native.decrypt(context, out, length, ciphertext, ciphertext.length);
        // One message whatever went wrong: the reason would help only a prober.
        if (result !== 1 || Number(length[0]) !== expected) {
          throw new GatewayError("sm.decrypt-failed", { detail: "SM2" });
        }
        return out.slice(0, expected);
      }),
    );
  } finally {
    out.fill(0);
  }
}
