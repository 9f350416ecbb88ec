/**
 * Guarantee: one rule says whether anything may be sealed for a lane: the
 * revocation lists of both its ends are fresh enough for it, and a valid
 * encryption certificate of the receiving node is known. The queue asks it, so
 * that one lane does not hold up another, and seal asks again before it signs.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { Registry } from "@lightferry/proto/registry";
import type { TrustStore } from "@lightferry/proto/trust";
import { directoryOf } from "./directory.ts";

/** @returns `trust.list-outdated`, `seal.recipient-unknown`, or undefined when nothing is in the way. */
export function laneFault(
  registry: Registry,
  trust: TrustStore,
  laneId: string,
  nowMs: number,
): GatewayError | undefined {
  const lane = registry.lane(laneId);
  if (lane === undefined) return new GatewayError("seal.recipient-unknown", { detail: laneId });
  for (const zone of [lane.from, lane.to]) {
    const list = trust.revocationList(zone);
    if (list === undefined) {
      return new GatewayError("trust.list-outdated", { detail: `${laneId}: no list of ${zone}` });
    }
    const outdatedMs = list.thisUpdateMs + lane.revocationFreshnessSeconds * 1_000;
    if (nowMs > outdatedMs) {
      return new GatewayError("trust.list-outdated", {
        detail: `${laneId}: list ${list.number} of ${zone}`,
      });
    }
  }
  const recipient = registry.nodeOfZone(lane.to)?.id ?? lane.to;
  if (directoryOf(registry, trust).encryptKey(recipient, nowMs) === undefined) {
    return new GatewayError("seal.recipient-unknown", { detail: recipient });
  }
  return undefined;
}
