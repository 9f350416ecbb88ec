/**
 * Guarantee: whether receipts may return by a lane is read from the registry
 * alone: a grant for this node itself, to a service of kind `receipt` in the
 * other zone, on a lane that is not closed.
 */
import { isReceiptLane, type Registry } from "@lightferry/proto/registry";

/** How receipts for one zone leave. */
export interface ReceiptRoute {
  readonly lane: string;
  readonly service: string;
}

/** @returns the way back to `farZone`: an open lane before one by medium, then by grant id; undefined: by file. */
export function receiptRoute(
  registry: Registry,
  node: string,
  zone: string,
  farZone: string,
  nowMs: number,
): ReceiptRoute | undefined {
  const found = registry.document.grants.flatMap((grant) => {
    const lane = registry.lane(grant.lane);
    const service = registry.service(grant.service);
    const inForce = grant.notBeforeMs <= nowMs && nowMs < grant.notAfterMs;
    if (!inForce || grant.caller !== node || lane === undefined || lane.state === "closed") {
      return [];
    }
    const leads = lane.from === zone && lane.to === farZone && isReceiptLane(lane);
    if (!leads || service?.kind !== "receipt" || service.zone !== farZone) return [];
    return [{ grant: grant.id, lane, service: service.id }];
  });
  found.sort((a, b) => {
    if (a.lane.state !== b.lane.state) return a.lane.state === "open" ? -1 : 1;
    return a.grant < b.grant ? -1 : 1;
  });
  const [first] = found;
  return first === undefined ? undefined : { lane: first.lane.id, service: first.service };
}
