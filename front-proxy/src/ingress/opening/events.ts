/** Guarantee: every step of an item has one audit event of one shape. */
import type { ErrorCode } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import type { FrontProxyContext } from "../../context.ts";
import type { Candidate, FaultyCandidate, Origin, Ruling } from "./candidate.ts";

export interface Arrivals {
  /** Content verified. */
  readonly good: readonly Candidate[];
  readonly faulty: readonly FaultyCandidate[];
  readonly replayed: readonly Candidate[];
}

export function arrivalEvents(origin: Origin, items: Arrivals): EventInput[] {
  return [
    ...[...items.good, ...items.faulty].map((item) => event(origin, item, "exchange.arrived")),
    ...items.good.map((item) => event(origin, item, "exchange.verified")),
    ...items.faulty.map((item) => stoppedEvent(origin, item, item.fault)),
    ...items.replayed.map((item) => stoppedEvent(origin, item, "exchange.replayed")),
  ];
}

export function hasTarget(context: FrontProxyContext, { entry }: Candidate): boolean {
  return Object.hasOwn(context.config.targets, entry.service);
}

/** Permitted or refused; a permit that has nowhere to go ends at once as a dead letter. */
export function rulingEvents(
  context: FrontProxyContext,
  origin: Origin,
  candidate: Candidate,
  ruling: Ruling,
): EventInput[] {
  const ruled = rulingEvent(origin, candidate, ruling);
  if (!ruling.permit || hasTarget(context, candidate)) return [ruled];
  return [
    ruled,
    {
      type: "exchange.failed",
      outcome: "error",
      code: "target.unknown",
      ...base(origin, candidate),
    },
  ];
}

function base(origin: Origin, { entry }: Candidate) {
  return {
    exchangeId: entry.exchangeId,
    bundleId: origin.bundleId,
    lane: origin.lane,
    service: entry.service,
    actor: entry.caller,
    grade: entry.grade,
    digest: entry.digest,
    size: entry.size,
  };
}

function event(
  origin: Origin,
  candidate: Candidate,
  type: "exchange.arrived" | "exchange.verified",
): EventInput {
  return { type, outcome: "ok", ...base(origin, candidate) };
}

export function stoppedEvent(origin: Origin, candidate: Candidate, code: ErrorCode): EventInput {
  return { type: "exchange.quarantined", outcome: "refused", code, ...base(origin, candidate) };
}

function rulingEvent(origin: Origin, candidate: Candidate, ruling: Ruling): EventInput {
  const { policyVersion } = ruling;
  if (ruling.permit) {
    return {
      type: "exchange.import-permitted",
      outcome: "ok",
      ...base(origin, candidate),
      ruleIds: ruling.ruleIds,
      policyVersion,
    };
  }
  return {
    type: "exchange.import-refused",
    outcome: ruling.held ? "held" : "refused",
    code: ruling.code,
    ...base(origin, candidate),
    ruleIds: ruling.rule === "" ? [] : [ruling.rule],
    policyVersion,
  };
}
