/**
 * Guarantee: what both providers demand of their SM2 inputs before any
 * arithmetic, so that they refuse the same things.
 */
import { GatewayError } from "../errors/index.ts";
import { MAX_SM2_PLAINTEXT_BYTES } from "./der.ts";

/** ENTL counts bits in 16 bits (GB/T 32918.2 §5.5), so an id has at most 8,191 bytes. */
const MAX_USER_ID_BYTES = 8191;

/**
 * The user id as bytes. Empty is allowed: node:crypto and some devices sign so,
 * and the registry may say it of a key.
 * @throws GatewayError `sm.operation-failed` when over 8,191 bytes.
 */
export function userIdBytes(userId: string): Uint8Array {
  const bytes = Buffer.from(userId, "utf8");
  if (bytes.length > MAX_USER_ID_BYTES) {
    throw new GatewayError("sm.operation-failed", { detail: "a user id has at most 8191 bytes" });
  }
  return bytes;
}

/** @throws GatewayError `sm.operation-failed` unless 1..1024 bytes. */
export function checkPlaintext(plaintext: Uint8Array): void {
  if (plaintext.length === 0 || plaintext.length > MAX_SM2_PLAINTEXT_BYTES) {
    throw new GatewayError("sm.operation-failed", { detail: "SM2 encrypts 1..1024 bytes" });
  }
}
