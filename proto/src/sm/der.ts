/**
 * Guarantee: SM2 signatures and SM2Cipher structures (GB/T 35276-2017 clauses
 * 7.2 and 7.3) are read in exactly one encoding: minimal lengths, minimal
 * non-negative integers, no trailing byte. What decodes here re-encodes to the
 * same bytes.
 */
import { GatewayError } from "../errors/index.ts";
import { CURVE_ORDER, FIELD_BYTES, toInteger } from "./curve.ts";

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
/** Lengths up to this many bytes fit one length byte. */
const SHORT_LENGTH = 0x7f;
const ONE_BYTE_LENGTH = 0x81;
const TWO_BYTE_LENGTH = 0x82;

/** Raw r || s. */
export const SIGNATURE_BYTES = 2 * FIELD_BYTES;
/** Two headers of an integer, a leading zero each, one of the sequence. */
export const MAX_SIGNATURE_DER_BYTES = SIGNATURE_BYTES + 8;
/** Largest SM2 plaintext: wrapped secrets are 32 to 64 bytes, this leaves room and bounds memory. */
export const MAX_SM2_PLAINTEXT_BYTES = 1024;
/** Coordinates with leading zeros (70), digest (34), headers (8) around the ciphertext. */
export const MAX_SM2_CIPHER_BYTES = MAX_SM2_PLAINTEXT_BYTES + 112;

export interface Sm2CipherParts {
  /** Coordinates of C1, 32 bytes each, not yet checked to lie on the curve. */
  readonly x: Uint8Array;
  readonly y: Uint8Array;
  /** C3, 32 bytes. */
  readonly hash: Uint8Array;
  /** C2, 1..1024 bytes. */
  readonly cipher: Uint8Array;
}

class Malformed extends GatewayError {
  constructor(detail: string) {
    super("sm.decrypt-failed", { detail: `malformed encoding: ${detail}` });
  }
}

function header(tag: number, length: number): Uint8Array {
  if (length <= SHORT_LENGTH) return Uint8Array.of(tag, length);
  if (length <= 0xff) return Uint8Array.of(tag, ONE_BYTE_LENGTH, length);
  return Uint8Array.of(tag, TWO_BYTE_LENGTH, length >> 8, length & 0xff);
}

function encode(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([header(tag, length), ...parts]);
}

function encodeInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const body = bytes.subarray(start);
  return ((body[0] ?? 0) & 0x80) === 0
    ? encode(INTEGER, body)
    : encode(INTEGER, Uint8Array.of(0), body);
}

/** Reads one element of `tag` at `at`; returns its body and the place after it. */
function read(der: Uint8Array, at: number, tag: number): { body: Uint8Array; next: number } {
  if (der[at] !== tag) throw new Malformed(`expected tag ${tag} at byte ${at}`);
  const first = der[at + 1] ?? 0;
  let start = at + 2;
  let length = first;
  if (first === ONE_BYTE_LENGTH) {
    length = der[start] ?? 0;
    start += 1;
    if (length <= SHORT_LENGTH) throw new Malformed("length is not minimal");
  } else if (first === TWO_BYTE_LENGTH) {
    length = ((der[start] ?? 0) << 8) | (der[start + 1] ?? 0);
    start += 2;
    if (length <= 0xff) throw new Malformed("length is not minimal");
  } else if (first > SHORT_LENGTH) {
    throw new Malformed("unsupported length form");
  }
  if (start + length > der.length) throw new Malformed("cut short");
  return { body: der.subarray(start, start + length), next: start + length };
}

/** A minimal non-negative INTEGER of at most 32 bytes, left-padded to 32. */
function readInteger(der: Uint8Array, at: number): { value: Uint8Array; next: number } {
  const { body, next } = read(der, at, INTEGER);
  const first = body[0];
  if (first === undefined || first > 0x7f) throw new Malformed("integer is empty or negative");
  const padded = first === 0 && body.length > 1;
  if (padded && (body[1] ?? 0) <= 0x7f) throw new Malformed("integer is not minimal");
  const digits = padded ? body.subarray(1) : body;
  if (digits.length > FIELD_BYTES) throw new Malformed("integer is too long");
  const value = new Uint8Array(FIELD_BYTES);
  value.set(digits, FIELD_BYTES - digits.length);
  return { value, next };
}

function readSequence(der: Uint8Array, limit: number): Uint8Array {
  if (der.length > limit) throw new Malformed(`longer than ${limit} bytes`);
  const { body, next } = read(der, 0, SEQUENCE);
  if (next !== der.length) throw new Malformed("trailing bytes");
  return body;
}

/** Whether a raw signature is 64 bytes with both halves in 1..n-1. */
export function isSignatureInRange(raw: Uint8Array): boolean {
  if (raw.length !== SIGNATURE_BYTES) return false;
  const r = toInteger(raw.subarray(0, FIELD_BYTES));
  const s = toInteger(raw.subarray(FIELD_BYTES));
  return r > 0n && r < CURVE_ORDER && s > 0n && s < CURVE_ORDER;
}

/** Raw r || s (64 bytes) to DER. */
export function signatureToDer(raw: Uint8Array): Uint8Array {
  if (raw.length !== SIGNATURE_BYTES) throw new Malformed("a raw signature is 64 bytes");
  return encode(
    SEQUENCE,
    encodeInteger(raw.subarray(0, FIELD_BYTES)),
    encodeInteger(raw.subarray(FIELD_BYTES)),
  );
}

/** DER signature to raw r || s (64 bytes). */
export function signatureFromDer(der: Uint8Array): Uint8Array {
  const body = readSequence(der, MAX_SIGNATURE_DER_BYTES);
  const r = readInteger(body, 0);
  const s = readInteger(body, r.next);
  if (s.next !== body.length) throw new Malformed("trailing bytes");
  const raw = new Uint8Array(SIGNATURE_BYTES);
  raw.set(r.value, 0);
  raw.set(s.value, FIELD_BYTES);
  return raw;
}

/** SM2Cipher ::= SEQUENCE { x INTEGER, y INTEGER, hash OCTET STRING, cipher OCTET STRING }. */
export function cipherToDer(parts: Sm2CipherParts): Uint8Array {
  return encode(
    SEQUENCE,
    encodeInteger(parts.x),
    encodeInteger(parts.y),
    encode(OCTET_STRING, parts.hash),
    encode(OCTET_STRING, parts.cipher),
  );
}

/** Reads an SM2Cipher; the parts are views into `der` except the coordinates. */
export function cipherFromDer(der: Uint8Array): Sm2CipherParts {
  const body = readSequence(der, MAX_SM2_CIPHER_BYTES);
  const x = readInteger(body, 0);
  const y = readInteger(body, x.next);
  const hash = read(body, y.next, OCTET_STRING);
  const cipher = read(body, hash.next, OCTET_STRING);
  if (cipher.next !== body.length) throw new Malformed("trailing bytes");
  if (hash.body.length !== FIELD_BYTES) throw new Malformed("the digest is not 32 bytes");
  if (cipher.body.length === 0 || cipher.body.length > MAX_SM2_PLAINTEXT_BYTES) {
    throw new Malformed("the ciphertext is empty or too long");
  }
  return { x: x.value, y: y.value, hash: hash.body, cipher: cipher.body };
}
