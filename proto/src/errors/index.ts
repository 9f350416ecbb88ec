/**
 * Guarantee: every refusal in the gateway is a {@link GatewayError} whose code
 * stands in one table, so it has an actor, an action and a status.
 */
import { AUDIT_ERRORS } from "./audit.ts";
import { BUNDLE_ERRORS } from "./bundle.ts";
import { DEPLOY_ERRORS } from "./deploy.ts";
import { DIRECTORY_ERRORS } from "./directory.ts";
import { FERRY_ERRORS } from "./ferry.ts";
import { FRONT_PROXY_ERRORS } from "./front-proxy.ts";
import { KEY_ERRORS } from "./keys.ts";
import { MEDIA_ERRORS } from "./media.ts";
import { PKI_ERRORS } from "./pki.ts";
import { POLICY_ERRORS } from "./policy.ts";
import { RECEIPT_ERRORS } from "./receipt.ts";
import { SERVICE_ERRORS } from "./service.ts";
import { SM_ERRORS } from "./sm.ts";
import type { ErrorRow } from "./table.ts";

export { type Actor, type ErrorRow, GRPC_STATUS, type GrpcStatus } from "./table.ts";

/** Every code of the product. `proto/ERRORS.md` is generated from it. */
export const ERRORS = {
  ...SM_ERRORS,
  ...KEY_ERRORS,
  ...BUNDLE_ERRORS,
  ...SERVICE_ERRORS,
  ...FRONT_PROXY_ERRORS,
  ...FERRY_ERRORS,
  ...MEDIA_ERRORS,
  ...DIRECTORY_ERRORS,
  ...RECEIPT_ERRORS,
  ...PKI_ERRORS,
  ...POLICY_ERRORS,
  ...AUDIT_ERRORS,
  ...DEPLOY_ERRORS,
} as const;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERRORS, value);
}

export function errorRow(code: ErrorCode): ErrorRow {
  return ERRORS[code];
}

export interface GatewayErrorOptions {
  /** Names and numbers that help the actor; never content, never a secret. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/** The only error class the gateway throws on purpose. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, options: GatewayErrorOptions = {}) {
    const detail = options.detail ?? "";
    super(
      detail === "" ? `${code}: ${ERRORS[code].en}` : `${code}: ${ERRORS[code].en} (${detail})`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "GatewayError";
    this.code = code;
    this.detail = detail;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }
}

/** Anything thrown, as a GatewayError: unknown faults become `internal.fault`. */
export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const detail = error instanceof Error ? error.name : typeof error;
  return new GatewayError("internal.fault", { detail, cause: error });
}
