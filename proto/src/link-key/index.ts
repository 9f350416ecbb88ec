/**
 * Guarantee: what wraps a link key (ferry/SPEC.md §13.2) and what opens one agree on its bytes, and opening
 * yields a secret out of nothing else that was encrypted to the same key.
 *
 * Whoever may have link keys opened must not be able to have bundles opened: both are wrapped for the one
 * encryption key of the receiving node. So a link key goes under SM2 as 60 bytes that begin with its own label,
 * while a bundle's wrapped secret is 32 bytes (proto/SPEC.md §4.2) and a content key of an export 16: neither is
 * ever answered, whatever those bytes are. SM2 encryption is not malleable (C3 covers the plaintext), so neither
 * can be made into the other. The other way round, what unwraps a bundle's secret refuses 60 bytes.
 */
import { GatewayError } from "../errors/index.ts";
import {
  constantTimeEqual,
  domainSeparated,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type SmProvider,
} from "../sm/index.ts";

/** Twice an SM4 key: it goes into HMAC-SM3 and is never an SM4 key itself. */
export const LINK_SECRET_BYTES = 32;
/** SM2Cipher of 60 bytes is at most 169 bytes in DER; the limit is the one of a bundle's wrapped secret. */
export const MAX_WRAPPED_BYTES = 256;

const LABEL = "ferry-link-key/1";
const PREFIX = domainSeparated(LABEL);
const PLAINTEXT_BYTES = PREFIX.length + LINK_SECRET_BYTES;

/**
 * @param publicKey the encryption key that the receiving node has in force.
 * @param secret 32 random bytes; the caller wipes its own.
 * @returns SM2Cipher DER (GB/T 35276-2017 §7.2), at most {@link MAX_WRAPPED_BYTES} bytes; another one each time.
 * @throws GatewayError `link-key.invalid` when the secret is not 32 bytes; `sm.*` of the provider
 */
export function wrapLinkKey(
  provider: SmProvider,
  publicKey: Sm2PublicKey,
  secret: Uint8Array,
): Uint8Array {
  if (secret.length !== LINK_SECRET_BYTES) throw new GatewayError("link-key.invalid");
  const plaintext = domainSeparated(LABEL, secret);
  try {
    return provider.sm2Encrypt(publicKey, plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * @param wrapped 1 to {@link MAX_WRAPPED_BYTES} bytes of anybody.
 * @returns the secret, 32 bytes; the caller wipes it.
 * @throws GatewayError `link-key.invalid`, the same whatever is wrong with it; `sm.*` when the key itself could not be
 * used, which says nothing of `wrapped`
 */
export function unwrapLinkKey(
  provider: SmProvider,
  privateKey: Sm2PrivateKey,
  wrapped: Uint8Array,
): Uint8Array {
  if (wrapped.length === 0 || wrapped.length > MAX_WRAPPED_BYTES) {
    throw new GatewayError("link-key.invalid");
  }
  const plaintext = decrypted(provider, privateKey, wrapped);
  try {
    const fits =
      plaintext.length === PLAINTEXT_BYTES &&
      constantTimeEqual(plaintext.subarray(0, PREFIX.length), PREFIX);
    if (!fits) throw new GatewayError("link-key.invalid");
    return Uint8Array.from(plaintext.subarray(PREFIX.length));
  } finally {
    plaintext.fill(0);
  }
}

function decrypted(
  provider: SmProvider,
  privateKey: Sm2PrivateKey,
  wrapped: Uint8Array,
): Uint8Array {
  try {
    return provider.sm2Decrypt(privateKey, wrapped);
  } catch (error) {
    const ofTheBytes = error instanceof GatewayError && error.code === "sm.decrypt-failed";
    throw ofTheBytes ? new GatewayError("link-key.invalid") : error;
  }
}
