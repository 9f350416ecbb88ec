/**
 * Guarantee: what a caller hands over has one form for all ways in (API,
 * folder), and what the registry already rules out is refused before content is read.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { LaneEntry, Registry } from "@lightferry/proto/registry";

export type Kind = "request" | "file" | "receipt";

/** What is known of a submission before its content. */
export interface SubmissionHead {
  readonly caller: string;
  /** Peer address for the log; "folder" for watched folders. */
  readonly clientAddress: string;
  readonly lane: string;
  readonly service: string;
  /** As the caller wrote it; may be empty or a secrecy mark, which policy refuses. */
  readonly grade: string;
  readonly purpose: string;
  /** Empty = unordered. */
  readonly orderingKey: string;
}

export interface IdempotencyClaim {
  /** SM3 of the caller's key. */
  readonly keyDigest: Uint8Array;
  /** SM3 over everything that makes two submissions the same. */
  readonly contentDigest: Uint8Array;
}

export interface RequestSubmission extends SubmissionHead {
  /** Absent: receipts, which the gateway itself hands over (src/receipts). */
  readonly http?: lightferry.bundle.v1.HttpRequest.$Properties;
  readonly content: Uint8Array;
  readonly idempotency?: IdempotencyClaim;
}

/** What is submitted at once and whole: requests, and the gateway's own receipts. */
export function kindOf({ http }: RequestSubmission): Kind {
  return http === undefined ? "receipt" : "request";
}

/** What the caller is told. `refusal` is set exactly when the state is refused. */
export interface Receipt {
  readonly exchangeId: Uint8Array;
  readonly state: string;
  readonly refusal?: { readonly code: string; readonly rule: string; readonly reason: string };
  /** True when this answers a repetition of an earlier submission. */
  readonly repeated: boolean;
}

/** Rule id shown for what this program checks against the registry by itself. */
export const REGISTRY_RULE = "front-proxy:registry";

/**
 * Why the registry rules this out, or undefined. Policy decides the same again, and the rest:
 * grants, grades, state of the lane.
 * @param size content bytes if known, else 0.
 */
export function registryRefusal(
  registry: Registry,
  zone: string,
  kind: Kind,
  head: Pick<SubmissionHead, "lane" | "service">,
  size: number,
): GatewayError | undefined {
  const lane = registry.lane(head.lane);
  if (lane === undefined) return new GatewayError("submit.lane-unknown", { detail: head.lane });
  if (lane.from !== zone) {
    return new GatewayError("submit.direction-wrong", {
      detail: `${lane.id} starts in ${lane.from}`,
    });
  }
  const service = registry.service(head.service);
  if (service === undefined || service.zone !== lane.to) {
    return new GatewayError("submit.service-unknown", { detail: head.service });
  }
  if (service.kind !== kind || !lane.kinds.includes(kind)) {
    return new GatewayError("submit.kind-mismatch", { detail: `${kind} to ${service.id}` });
  }
  const limit = Math.min(laneLimit(lane, kind), service.maxBytes);
  if (size > limit) {
    return new GatewayError("submit.too-large", { detail: `limit ${limit} bytes` });
  }
  return undefined;
}

/** Most content bytes that lane and service take, once {@link registryRefusal} found nothing. */
export function contentLimit(registry: Registry, kind: Kind, head: SubmissionHead): number {
  const lane = registry.lane(head.lane);
  const service = registry.service(head.service);
  if (lane === undefined || service === undefined) return 0;
  return Math.min(laneLimit(lane, kind), service.maxBytes);
}

function laneLimit(lane: LaneEntry, kind: Kind): number {
  return kind === "file" ? lane.maxFileBytes : lane.maxRequestBytes;
}

/** The message that policy decides on. */
export function policySubmission(
  exchangeId: Uint8Array,
  kind: Kind,
  head: SubmissionHead,
  rest: {
    readonly http?: lightferry.bundle.v1.HttpRequest.$Properties;
    readonly file?: lightferry.bundle.v1.FileInfo.$Properties;
    readonly submittedMs: number;
    readonly size: number;
  },
): lightferry.policy.v1.Submission.$Properties {
  return {
    exchangeId,
    kind,
    lane: head.lane,
    service: head.service,
    caller: head.caller,
    declaredGrade: head.grade,
    purpose: head.purpose,
    ...(rest.http === undefined ? {} : { http: rest.http }),
    ...(rest.file === undefined ? {} : { file: rest.file }),
    submittedMs: rest.submittedMs,
    orderingKey: head.orderingKey,
    clientAddress: head.clientAddress,
    size: rest.size,
  };
}
