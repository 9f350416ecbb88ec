/** Guarantee: bytes of the format are taken only in their one canonical encoding (proto/SPEC.md §2). */
import type { MessageType } from "../canonical.ts";
import { type ErrorCode, GatewayError } from "../errors/index.ts";

/**
 * Decodes, without yet asking for the canonical form.
 * @throws GatewayError with the code given.
 */
export function decodeAs<P extends object, M extends P>(
  type: MessageType<P, M>,
  bytes: Uint8Array,
  code: ErrorCode,
): M {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw new GatewayError(code, { detail: "malformed protobuf", cause });
  }
}

/**
 * @param message as {@link decodeAs} returned it: it holds no defaults, so writing it as it is
 * gives the canonical bytes.
 * @throws GatewayError `bundle.not-canonical` when writing the message again gives other bytes.
 */
export function assertCanonical<P extends object>(
  type: MessageType<P>,
  message: P,
  bytes: Uint8Array,
): void {
  if (Buffer.compare(type.encode(message).finish(), bytes) !== 0) {
    throw new GatewayError("bundle.not-canonical");
  }
}
