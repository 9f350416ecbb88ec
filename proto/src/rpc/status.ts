/**
 * Guarantee: a GatewayError leaves a server with its code and detail and
 * arrives at the client as the same error; every other fault of the transport
 * becomes one of the `rpc.*` codes.
 */
import { Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import {
  asGatewayError,
  type ErrorCode,
  GatewayError,
  GRPC_STATUS,
  isErrorCode,
} from "../errors/index.ts";

const CODE_KEY = "lf-code";
/** `-bin`: details may hold Chinese, and plain metadata is ASCII only. */
const DETAIL_KEY = "lf-detail-bin";
/** Trailers must fit one HTTP/2 header frame comfortably. */
const MAX_DETAIL_BYTES = 4_096;

const TRANSPORT_CODES: ReadonlyMap<status, ErrorCode> = new Map([
  [status.DEADLINE_EXCEEDED, "rpc.deadline"],
  [status.CANCELLED, "rpc.cancelled"],
  [status.RESOURCE_EXHAUSTED, "rpc.too-large"],
  [status.PERMISSION_DENIED, "rpc.peer-not-allowed"],
  [status.UNAUTHENTICATED, "rpc.peer-not-allowed"],
  [status.UNIMPLEMENTED, "rpc.bad-message"],
]);

/** What a server sends for a thrown value. Unknown faults travel without their text. */
export function toStatus(thrown: unknown): StatusObject {
  const error = asGatewayError(thrown);
  const metadata = new Metadata();
  metadata.set(CODE_KEY, error.code);
  if (error.detail !== "") {
    metadata.set(DETAIL_KEY, Buffer.from(error.detail, "utf8").subarray(0, MAX_DETAIL_BYTES));
  }
  return { code: GRPC_STATUS[error.row.grpc], details: error.code, metadata };
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number";
}

/** What a client throws for a failed call. */
export function fromStatus(failure: unknown, method: string): GatewayError {
  if (!isServiceError(failure)) return asGatewayError(failure);
  const code = failure.metadata?.get(CODE_KEY)[0];
  if (typeof code === "string" && isErrorCode(code)) {
    const detail = failure.metadata.get(DETAIL_KEY)[0];
    return new GatewayError(code, Buffer.isBuffer(detail) ? { detail: detail.toString() } : {});
  }
  // Everything a connection can do wrong otherwise: the peer cannot be reached now.
  const transport = TRANSPORT_CODES.get(failure.code) ?? "rpc.unavailable";
  return new GatewayError(transport, { detail: `${method}: ${failure.details}`, cause: failure });
}
