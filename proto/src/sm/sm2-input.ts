/**
 * Guarantee: what both providers demand of their SM2 inputs before any
 * arithmetic, so that they refuse the same things.
 */
import { GatewayError } from "../errors/index.ts";
import { MAX_SM2_PLAINTEXT_BYTES } from "./der.ts";

/** ENTL counts bits in 16 bits (GB/T 32918.2 §5.5), so an id has at most 8,191 bytes. */
const MAX_USER_ID_BYTES = 8191;

/** The user id as bytes. @throws GatewayError `sm.operation-failed` when empty or too long. */
export function userIdBytes(userId: string): Uint8Array {
  const bytes = Buffer.from(userId, "utf8");
  if (bytes.length === 0 || bytes.length > MAX_USER_ID_BYTES) {
    throw new GatewayError("sm.operation-failed", { detail: "a user id has 1..8191 bytes" });
  }
  return bytes;
}

/** @throws GatewayError `sm.operation-failed` unless 1..1024 bytes. */
export function checkPlaintext(plaintext: Uint8Array): void {
  if (plaintext.length === 0 || plaintext.length > MAX_SM2_PLAINTEXT_BYTES) {
    throw new GatewayError("sm.operation-failed", { detail: "SM2 encrypts 1..1024 bytes" });
  }
}
