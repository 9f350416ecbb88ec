/** Guarantee: nothing is decided for a lane, licence, kind, service or caller that the registry does not name as fitting together. */
import type { CallerEntry, LaneEntry, NodeEntry, ServiceEntry } from "@lightferry/proto/registry";
import type { PolicyDocument } from "./policy-document.ts";
import { type DecisionRequest, type Objection, objection } from "./request.ts";

/** Kinds this version carries. */
const KINDS_BUILT: readonly string[] = ["request", "file", "receipt"];
/** Kinds that DESIGN names and this version refuses. */
const KINDS_NAMED: readonly string[] = ["layer", "order"];

export interface Route {
  readonly lane: LaneEntry;
  readonly service: ServiceEntry;
  readonly caller: CallerEntry;
  /** Node at the far end. */
  readonly receiver: NodeEntry;
}

/** First step: the lane, its state, and the licence of this node for it. */
export function licenceObjection(
  policy: PolicyDocument,
  request: DecisionRequest,
  nowMs: number,
): Objection | undefined {
  const lane = policy.registry.lane(request.lane);
  if (lane === undefined) return objection("policy.lane-unknown", "licence.lane", request.lane);
  const here = request.direction === "export" ? lane.from : lane.to;
  if (here !== policy.zone) {
    return objection(
      "policy.lane-wrong-zone",
      "licence.lane",
      `${lane.id}: ${lane.from} → ${lane.to}`,
    );
  }
  const own = policy.registry.node(policy.node);
  if (own === undefined || own.zone !== policy.zone) {
    return objection("policy.licence-missing", "licence", policy.node);
  }
  const { licence } = own;
  if (nowMs < licence.notBeforeMs || nowMs >= licence.notAfterMs) {
    return objection("policy.licence-expired", "licence", licence.number);
  }
  if (!licence.lanes.includes(lane.id)) {
    return objection("policy.licence-lane", "licence", licence.number);
  }
  // A lane that is closed online may still be carried by medium: the outbox sees to the "how".
  if (lane.state === "closed") return objection("policy.lane-closed", "licence.lane", lane.id);
  return undefined;
}

/** Second step: kind, service and caller fit the lane. */
export function findRoute(policy: PolicyDocument, request: DecisionRequest): Route | Objection {
  const { registry } = policy;
  const lane = registry.lane(request.lane);
  if (lane === undefined) return objection("policy.lane-unknown", "route.lane", request.lane);
  if (!KINDS_BUILT.includes(request.kind)) {
    const code = KINDS_NAMED.includes(request.kind)
      ? "policy.kind-not-built"
      : "policy.kind-unknown";
    return objection(code, "route.kind");
  }
  if (!lane.kinds.includes(request.kind)) {
    return objection(
      "policy.kind-not-allowed",
      "route.kind",
      `${lane.id}: ${lane.kinds.join(", ")}`,
    );
  }
  const service = registry.service(request.service);
  if (service === undefined) return objection("policy.service-unknown", "route.service");
  if (service.zone !== lane.to) {
    return objection(
      "policy.service-wrong-zone",
      "route.service",
      `${service.id}: ${service.zone}`,
    );
  }
  if (service.kind !== request.kind) {
    return objection(
      "policy.service-wrong-kind",
      "route.service",
      `${service.id}: ${service.kind}`,
    );
  }
  const caller = registry.caller(request.caller);
  if (caller === undefined) return objection("policy.caller-unknown", "route.caller");
  if (caller.zone !== lane.from) {
    return objection("policy.caller-wrong-zone", "route.caller", `${caller.id}: ${caller.zone}`);
  }
  if (request.kind === "receipt" && caller.id !== registry.nodeOfZone(lane.from)?.id) {
    return objection("policy.receipt-caller", "route.caller", caller.id);
  }
  const receiver = registry.nodeOfZone(lane.to);
  if (receiver === undefined) return objection("policy.licence-missing", "route.receiver", lane.to);
  const sender = registry.node(request.sender);
  if (sender === undefined || sender.zone !== lane.from) {
    return objection("policy.import-sender", "route.sender", request.sender);
  }
  return { lane, service, caller, receiver };
}
