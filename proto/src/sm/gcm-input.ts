/**
 * Guarantee: the sizes of SM4-GCM stand once, and a wrong key or nonce length
 * is refused before a cipher sees it.
 */
import { GatewayError } from "../errors/index.ts";

export const SM4_KEY_BYTES = 16;
export const GCM_NONCE_BYTES = 12;
export const GCM_TAG_BYTES = 16;

/** @throws GatewayError `sm.operation-failed` unless the key has 16 and the nonce 12 bytes. */
export function checkKeyAndNonce(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== SM4_KEY_BYTES || nonce.length !== GCM_NONCE_BYTES) {
    throw new GatewayError("sm.operation-failed", {
      detail: "SM4-GCM takes a 16-byte key and a 12-byte nonce",
    });
  }
}

/**
 * The part of `into` that a result of `length` bytes takes.
 * @throws GatewayError `sm.operation-failed` when it is too short.
 */
export function roomFor(into: Uint8Array, length: number): Uint8Array {
  if (into.length < length) {
    throw new GatewayError("sm.operation-failed", {
      detail: `${length} bytes do not go into ${into.length}`,
    });
  }
  return into.subarray(0, length);
}

/** A result that was made elsewhere, put into `into` when there is one; the original is wiped then. */
export function placed(result: Uint8Array, into: Uint8Array | undefined): Uint8Array {
  if (into === undefined) return result;
  const room = roomFor(into, result.length);
  room.set(result);
  result.fill(0);
  return room;
}

/** The one error of a failed opening. */
export function gcmFailure(): GatewayError {
  return new GatewayError("sm.decrypt-failed", { detail: "SM4-GCM" });
}
