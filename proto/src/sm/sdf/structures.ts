/**
 * Guarantee: the structures of GM/T 0018 clause 5 are read and written byte for
 * byte as a C compiler lays them out on the little-endian 64-bit machines that we
 * run on: 4-byte unsigned integers, 64-byte big-endian fields with the 32 bytes of
 * an SM2 number on the right. Whatever a device returns is checked before use.
 */
import { GatewayError } from "../../errors/index.ts";
import { checkPublicKey, FIELD_BYTES, PUBLIC_KEY_BYTES } from "../curve.ts";
import {
  cipherFromDer,
  cipherToDer,
  isSignatureInRange,
  MAX_SM2_PLAINTEXT_BYTES,
  SIGNATURE_BYTES,
} from "../der.ts";
import type { Sm2PublicKey, Sm2Signature } from "../provider.ts";

/** ECCref_MAX_LEN: room for curves of 512 bits. */
const REFERENCE_BYTES = 64;
const UNUSED_BYTES = REFERENCE_BYTES - FIELD_BYTES;
const SM2_BITS = 256;

/** ECCrefPublicKey { bits, x[64], y[64] }. */
export const PUBLIC_KEY_STRUCT_BYTES = 4 + 2 * REFERENCE_BYTES;
/** ECCSignature { r[64], s[64] }. */
export const SIGNATURE_STRUCT_BYTES = 2 * REFERENCE_BYTES;
/** ECCCipher { x[64], y[64], M[32], L, C[] }. */
const CIPHER_DIGEST_AT = 2 * REFERENCE_BYTES;
const CIPHER_LENGTH_AT = CIPHER_DIGEST_AT + FIELD_BYTES;
const CIPHER_BODY_AT = CIPHER_LENGTH_AT + 4;
/**
 * Every ECCCipher that a library gets has this room, also for a short secret: some makers declare
 * C[] with 136 bytes or more and copy the whole structure.
 */
const CIPHER_STRUCT_BYTES = CIPHER_BODY_AT + MAX_SM2_PLAINTEXT_BYTES;
/** DEVICEINFO: three texts of 40, 16 and 16 bytes, seven integers. */
export const DEVICE_INFO_BYTES = 40 + 16 + 16 + 7 * 4;

/** What a device says of itself; not checked, for the operator's eyes. */
export interface SdfDeviceInfo {
  readonly issuer: string;
  readonly model: string;
  readonly serial: string;
  readonly deviceVersion: number;
  /** 1: GM/T 0018-2012, 2: GM/T 0018-2023. */
  readonly standardVersion: number;
}

function strange(what: string): GatewayError {
  return new GatewayError("sm.hsm-failed", { detail: `the device returned ${what}` });
}

function put(into: Buffer, at: number, number: Uint8Array): void {
  into.set(number, at + UNUSED_BYTES);
}

/** The right half of a field. @throws GatewayError `sm.hsm-failed` when the left half is not zero */
function take(from: Buffer, at: number): Buffer {
  const end = at + REFERENCE_BYTES;
  if (from.subarray(at, at + UNUSED_BYTES).some((byte) => byte !== 0)) {
    throw strange("a number that does not fit SM2 (another structure layout?)");
  }
  return from.subarray(at + UNUSED_BYTES, end);
}

/** `key` as an ECCrefPublicKey. */
export function publicKeyStruct(key: Sm2PublicKey): Buffer {
  const struct = Buffer.alloc(PUBLIC_KEY_STRUCT_BYTES);
  struct.writeUInt32LE(SM2_BITS, 0);
  put(struct, 4, key.subarray(1, 1 + FIELD_BYTES));
  put(struct, 4 + REFERENCE_BYTES, key.subarray(1 + FIELD_BYTES));
  return struct;
}

/** @throws GatewayError `sm.hsm-failed` when it is no SM2 key, `sm.key-invalid` when off the curve */
export function publicKeyOf(struct: Buffer): Sm2PublicKey {
  if (struct.readUInt32LE(0) !== SM2_BITS) throw strange(`a key of ${struct.readUInt32LE(0)} bits`);
  const key = Buffer.alloc(PUBLIC_KEY_BYTES);
  key[0] = 4;
  key.set(take(struct, 4), 1);
  key.set(take(struct, 4 + REFERENCE_BYTES), 1 + FIELD_BYTES);
  return checkPublicKey(key);
}

/** @param signature 64 bytes, r || s */
export function signatureStruct(signature: Sm2Signature): Buffer {
  const struct = Buffer.alloc(SIGNATURE_STRUCT_BYTES);
  put(struct, 0, signature.subarray(0, FIELD_BYTES));
  put(struct, REFERENCE_BYTES, signature.subarray(FIELD_BYTES));
  return struct;
}

/** @throws GatewayError `sm.hsm-failed` when r or s is out of range */
export function signatureOf(struct: Buffer): Sm2Signature {
  const signature = new Uint8Array(SIGNATURE_BYTES);
  signature.set(take(struct, 0), 0);
  signature.set(take(struct, REFERENCE_BYTES), FIELD_BYTES);
  if (!isSignatureInRange(signature)) throw strange("a signature out of range");
  return signature;
}

/** Room for an ECCCipher that a device fills. */
export function emptyCipherStruct(): Buffer {
  return Buffer.alloc(CIPHER_STRUCT_BYTES);
}

/**
 * An SM2Cipher (DER, GB/T 35276) as an ECCCipher.
 * @throws GatewayError `sm.decrypt-failed` when it is malformed
 */
export function cipherStruct(der: Uint8Array): Buffer {
  const { x, y, hash, cipher } = cipherFromDer(der);
  const struct = emptyCipherStruct();
  put(struct, 0, x);
  put(struct, REFERENCE_BYTES, y);
  struct.set(hash, CIPHER_DIGEST_AT);
  struct.writeUInt32LE(cipher.length, CIPHER_LENGTH_AT);
  struct.set(cipher, CIPHER_BODY_AT);
  return struct;
}

/** Bytes of plaintext in an ECCCipher: as many as of ciphertext. */
export function cipherLength(struct: Buffer): number {
  return struct.readUInt32LE(CIPHER_LENGTH_AT);
}

/** An ECCCipher as SM2Cipher DER. @throws GatewayError `sm.hsm-failed` */
export function cipherDer(struct: Buffer): Uint8Array {
  const length = cipherLength(struct);
  if (length === 0 || length > MAX_SM2_PLAINTEXT_BYTES) throw strange(`${length} bytes of cipher`);
  return cipherToDer({
    x: take(struct, 0),
    y: take(struct, REFERENCE_BYTES),
    hash: struct.subarray(CIPHER_DIGEST_AT, CIPHER_LENGTH_AT),
    cipher: struct.subarray(CIPHER_BODY_AT, CIPHER_BODY_AT + length),
  });
}

export function deviceInfoOf(struct: Buffer): SdfDeviceInfo {
  // Texts are padded with zeros or spaces; anything unprintable would only spoil a log line.
  const text = (at: number, length: number): string =>
    struct
      .toString("latin1", at, at + length)
      .replaceAll(/[^\x20-\x7e]/g, " ")
      .trim();
  return {
    issuer: text(0, 40),
    model: text(40, 16),
    serial: text(56, 16),
    deviceVersion: struct.readUInt32LE(72),
    standardVersion: struct.readUInt32LE(76),
  };
}
