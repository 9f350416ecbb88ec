/**
 * Guarantee: one place decides whether an error speaks against the data (it is
 * refused, and kept) or against our own house (the work waits and is done again).
 */
import { asGatewayError, type ErrorCode, GatewayError } from "@lightferry/proto/errors";

/** Codes of these families come out of checking the bytes of a bundle. */
const AGAINST_DATA = /^(?:bundle|verdict|certificate)\./;

/** Raised outside the families above while decoding or decrypting bundle bytes. */
const AGAINST_DATA_CODES: ReadonlySet<ErrorCode> = new Set([
  "rpc.bad-message",
  "id.invalid",
  "sm.decrypt-failed",
] as const);

/** The code that refuses the data, or undefined when the fault is ours and the work must wait. */
export function refusalCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof GatewayError)) return undefined;
  // Clocks are at fault, not the bundle: it is held until they are right (proto/SPEC.md §8.2).
  if (error.code === "bundle.from-future") return undefined;
  if (error.code === "bundle.secret-unwrap-failed" && !speaksOfCiphertext(error.cause)) {
    return undefined;
  }
  if (AGAINST_DATA.test(error.code) || AGAINST_DATA_CODES.has(error.code)) return error.code;
  return undefined;
}

/** A key that could not be used (its use not recorded, its handle just freed) says nothing of the bundle. */
function speaksOfCiphertext(cause: unknown): boolean {
  return !(cause instanceof GatewayError) || cause.code === "sm.decrypt-failed";
}

/**
 * Keys that were good once and are refused now: what they signed may well be genuine, so a person must
 * look at it, and it is kept until then.
 */
export const WITHDRAWN_KEY_CODES: readonly ErrorCode[] = [
  "certificate.revoked",
  "certificate.denied",
];

/** What is really wrong: where a key could not be used, its machine or its count, and not the bundle. */
export function ownFault(error: unknown): unknown {
  const wraps = error instanceof GatewayError && error.code === "bundle.secret-unwrap-failed";
  return wraps && !speaksOfCiphertext(error.cause) ? error.cause : asStorageFault(error);
}

/** For logs: code and detail, never content. */
export function describeFault(error: unknown): { code: ErrorCode; detail: string; cause?: string } {
  const fault = asGatewayError(error);
  const cause = fault.cause instanceof Error ? fault.cause.message : undefined;
  return { code: fault.code, detail: fault.detail, ...(cause === undefined ? {} : { cause }) };
}

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** A full disk gets its own name; anything else stays as it is. */
export function asStorageFault(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "string" && FULL.has(code)) {
    return new GatewayError("spool.disk-full", { detail: code, cause: error });
  }
  return error;
}
