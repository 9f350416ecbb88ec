/**
 * Guarantee: the one door to the SM algorithms. A provider does exactly what
 * GB/T 32905 (SM3), GB/T 32907 (SM4) and GB/T 32918 (SM2) say, with the user id
 * given by the caller, and is held to the published vectors and to sm-crypto.
 */

/** Default SM2 user id, GB/T 35276-2017 §10. Taken from the registry, never from a message. */
export const DEFAULT_USER_ID = "1234567812345678";

/** SM2 public key: 65 bytes, 0x04 || X || Y, checked to lie on the curve. */
export type Sm2PublicKey = Uint8Array & { readonly __brand: "Sm2PublicKey" };

/**
 * SM2 private key inside a provider. It has no enumerable property, prints as
 * `[Sm2PrivateKey]` and throws when serialised.
 */
export interface Sm2PrivateKey {
  readonly publicKey: Sm2PublicKey;
  /** Frees the native memory. The handle is unusable afterwards. */
  destroy(): void;
}

export interface Sm3Hash {
  update(data: Uint8Array): this;
  /** 32 bytes; the hash is spent. */
  digest(): Uint8Array;
}

/** 64 bytes, r || s, each 32 bytes big-endian. */
export type Sm2Signature = Uint8Array;

/** SM4-GCM as a pair of functions; inputs, results and errors as in {@link SmProvider}. */
export interface Sm4Gcm {
  encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    aad: Uint8Array,
    into?: Uint8Array,
  ): Uint8Array;
  decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    aad: Uint8Array,
    into?: Uint8Array,
  ): Uint8Array;
}

export interface SmProvider {
  /** "sdf": keys in a cipher machine, the rest as in openssl. */
  readonly name: "openssl" | "sm-crypto" | "sdf";
  /** What does SM4-GCM of more than a few bytes and SM3 of long data: "libgcrypt 1.10.1", or the provider's own name. */
  readonly bulk: string;
  sm3(...parts: readonly Uint8Array[]): Uint8Array;
  /** @param bytes about as many as will come, where that is known: long data may go to faster code. */
  createSm3(bytes?: number): Sm3Hash;
  hmacSm3(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /**
   * SM4-GCM, 16-byte key, 12-byte nonce. Returns ciphertext || 16-byte tag.
   * @param into where the result goes, from its first byte: at least as long, and apart from
   * `plaintext`. The result is then a view of it, so one buffer serves many chunks.
   */
  sm4GcmEncrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    aad: Uint8Array,
    into?: Uint8Array,
  ): Uint8Array;
  /**
   * @param into as in {@link SmProvider.sm4GcmEncrypt}; zeroed where written when the tag is wrong.
   * @throws GatewayError `sm.decrypt-failed`; never returns unverified plaintext.
   */
  sm4GcmDecrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    aad: Uint8Array,
    into?: Uint8Array,
  ): Uint8Array;
  /**
   * SM4-GMAC (NIST SP 800-38D §3): the 16-byte tag of SM4-GCM without plaintext over the parts one after the other.
   * @param nonce 12 bytes; two messages under one nonce give the key away.
   */
  sm4Gmac(key: Uint8Array, nonce: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  generateSm2(): Sm2PrivateKey;
  /** @param scalar 32 bytes big-endian, 1..n-2. Copied; the caller wipes its own. */
  importSm2(scalar: Uint8Array): Sm2PrivateKey;
  /** 32 bytes; only for wrapping into a key file. The caller wipes it. */
  exportSm2(key: Sm2PrivateKey): Uint8Array;
  /** @throws GatewayError `sm.key-invalid` when not 65 bytes or not on the curve. */
  checkPublicKey(bytes: Uint8Array): Sm2PublicKey;
  /** SM2 signature over SM3(Z || message), GB/T 32918.2 §6. */
  sm2Sign(key: Sm2PrivateKey, message: Uint8Array, userId?: string): Sm2Signature;
  /** False on any mismatch or malformed signature; throws only when the provider itself fails. */
  sm2Verify(
    key: Sm2PublicKey,
    message: Uint8Array,
    signature: Uint8Array,
    userId?: string,
  ): boolean;
  /** SM2 encryption, GB/T 32918.4; output SM2Cipher DER (GB/T 35276-2017 §7.2). At most 1 KiB. */
  sm2Encrypt(key: Sm2PublicKey, plaintext: Uint8Array): Uint8Array;
  /** @throws GatewayError `sm.decrypt-failed`. */
  sm2Decrypt(key: Sm2PrivateKey, ciphertext: Uint8Array): Uint8Array;
}
