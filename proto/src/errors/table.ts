/**
 * Guarantee: an error row says what happened, who must act and what to do, in
 * Chinese and English, and carries the HTTP and gRPC status it travels with.
 */

/** Who must act on a refusal. `caller` = the submitting business system's integrator. */
export type Actor =
  | "caller"
  | "system-admin"
  | "security-admin"
  | "auditor"
  | "data-owner"
  | "far-side";

/** The subset of gRPC status names the gateway uses; numbers are gRPC's. */
export const GRPC_STATUS = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatus = keyof typeof GRPC_STATUS;

export interface ErrorRow {
  /** HTTP status of the problem+json answer. */
  readonly http: number;
  readonly grpc: GrpcStatus;
  readonly actor: Actor;
  /** What happened. */
  readonly zh: string;
  readonly en: string;
  /** What to do now. */
  readonly doZh: string;
  readonly doEn: string;
}

export type ErrorTable = Readonly<Record<string, ErrorRow>>;
