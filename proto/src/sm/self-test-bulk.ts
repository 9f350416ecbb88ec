/**
 * Guarantee: a bulk SM4-GCM is used only after it reproduced the published
 * vector, agreed with OpenSSL both ways on sizes around its inner block counts,
 * and refused what was altered; a bulk SM3 after it reproduced the vector and
 * agreed with OpenSSL however the data is cut. Some milliseconds.
 */
import { createHash } from "node:crypto";
import { GatewayError } from "../errors/index.ts";
import { GCM_NONCE_BYTES, SM4_KEY_BYTES } from "./gcm-input.ts";
import { GCM_VECTOR } from "./gcm-vector.ts";
import type { Sm3Hash, Sm4Gcm } from "./provider.ts";

/** Vector code works on 4, 8, 16 and 32 blocks at a time: below, at and above, and never a whole block. */
const SIZES = [0, 1, 15, 16, 17, 63, 127, 129, 255, 257, 513, 1_025, 70_001];

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}

function refuses(body: () => unknown): boolean {
  try {
    body();
    return false;
  } catch (error) {
    return error instanceof GatewayError && error.code === "sm.decrypt-failed";
  }
}

function altered(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** @returns what is wrong, or undefined. An error thrown by either side is the caller's. */
export function selfTestBulk(bulk: Sm4Gcm, reference: Sm4Gcm): string | undefined {
  const { key, nonce, aad, plaintext, sealed } = GCM_VECTOR;
  if (!same(bulk.encrypt(key, nonce, plaintext, aad), sealed)) return "SM4-GCM vector, sealing";
  if (!same(bulk.decrypt(key, nonce, sealed, aad), plaintext)) return "SM4-GCM vector, opening";
  for (let at = 0; at < sealed.length; at += sealed.length - 1) {
    if (!refuses(() => bulk.decrypt(key, nonce, altered(sealed, at), aad))) {
      return "SM4-GCM vector, altered";
    }
  }
  if (!refuses(() => bulk.decrypt(key, nonce, sealed, altered(aad, 0)))) {
    return "SM4-GCM vector, other associated data";
  }
  for (const size of SIZES) {
    const ownKey = pattern(SM4_KEY_BYTES, size);
    const ownNonce = pattern(GCM_NONCE_BYTES, size + 1);
    const text = pattern(size, size + 2);
    const ours = bulk.encrypt(ownKey, ownNonce, text, aad);
    if (
      !same(ours, reference.encrypt(ownKey, ownNonce, text, aad)) ||
      !same(reference.decrypt(ownKey, ownNonce, ours, aad), text) ||
      !same(bulk.decrypt(ownKey, ownNonce, ours, aad), text)
    ) {
      return `SM4-GCM of ${size} bytes differs from OpenSSL`;
    }
  }
  return undefined;
}

/** GB/T 32905 A.1. */
const SM3_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
/** Bytes of one update: never a whole block, so that every place of a block is cut at. */
const SM3_CUT = 61;

/** @returns what is wrong, or undefined. An error thrown by either side is the caller's. */
export function selfTestBulkSm3(start: () => Sm3Hash): string | undefined {
  const abc = start().update(Buffer.from("abc")).digest();
  if (Buffer.from(abc).toString("hex") !== SM3_ABC) return "SM3 vector";
  for (const size of SIZES) {
    const text = pattern(size, size + 3);
    const cut = start();
    for (let at = 0; at < size; at += SM3_CUT) cut.update(text.subarray(at, at + SM3_CUT));
    const expected = createHash("sm3").update(text).digest();
    if (!same(start().update(text).digest(), expected) || !same(cut.digest(), expected)) {
      return `SM3 of ${size} bytes differs from OpenSSL`;
    }
  }
  return undefined;
}
