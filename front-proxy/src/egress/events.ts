/**
 * Guarantee: every step of an exchange on the sending side has one audit event
 * of one shape, and events of many exchanges are journalled with one fsync.
 */
import type { EventInput } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { parseId } from "@lightferry/proto/ids";
import type { Moved, Refusal } from "./exchange-rows.ts";

const { AppendRequest } = lightferry.audit.v1;

/** What events say of an exchange. */
export interface EventSubject {
  readonly exchangeId: Uint8Array;
  readonly lane: string;
  readonly service: string;
  readonly caller: string;
  readonly clientAddress: string;
  readonly grade: string;
  readonly size: number;
}

/** A row that just moved, as the subject of its event. */
export function subjectOf(moved: Moved): EventSubject {
  return {
    exchangeId: parseId(moved.id),
    lane: moved.lane,
    service: moved.service,
    caller: moved.caller,
    clientAddress: moved.client_address,
    grade: moved.grade,
    size: moved.size,
  };
}

function base(subject: EventSubject) {
  return {
    exchangeId: subject.exchangeId,
    lane: subject.lane,
    service: subject.service,
    actor: subject.caller,
    clientAddress: subject.clientAddress,
    grade: subject.grade,
    size: subject.size,
  };
}

export function receivedEvent(subject: EventSubject): EventInput {
  return { type: "exchange.received", outcome: "ok", ...base(subject) };
}

export function permittedEvent(
  subject: EventSubject,
  permit: { readonly ruleIds: readonly string[]; readonly policyVersion: string },
): EventInput {
  return {
    type: "exchange.permitted",
    outcome: "ok",
    ...base(subject),
    ruleIds: permit.ruleIds,
    policyVersion: permit.policyVersion,
  };
}

/** Refused, held, expired, cancelled or failed: an outcome with a code and, where one spoke, a rule. */
export function stoppedEvent(
  subject: EventSubject,
  type:
    | "exchange.refused"
    | "exchange.held"
    | "exchange.expired"
    | "exchange.cancelled"
    | "exchange.failed",
  refusal: Refusal,
  policyVersion = "",
): EventInput {
  return {
    type,
    outcome: OUTCOME[type],
    code: refusal.code,
    ...base(subject),
    ruleIds: refusal.rule === "" ? [] : [refusal.rule],
    policyVersion,
  };
}

const OUTCOME = {
  "exchange.refused": "refused",
  "exchange.held": "held",
  "exchange.expired": "error",
  "exchange.cancelled": "ok",
  "exchange.failed": "error",
} as const;

/** Sealed into a bundle that waits for the gate, or gone through it. */
export function carriedEvent(
  subject: EventSubject,
  type: "exchange.queued" | "exchange.emitted" | "exchange.retried",
  bundleId?: Uint8Array,
): EventInput {
  return {
    type,
    outcome: "ok",
    ...base(subject),
    ...(bundleId === undefined ? {} : { bundleId }),
  };
}

/** An exchange's own events as one column. */
export function packTrail(events: readonly Uint8Array[]): Uint8Array {
  return AppendRequest.encode({ events: [...events] }).finish();
}

export function unpackTrail(trail: Uint8Array | null): Uint8Array[] {
  return trail === null ? [] : AppendRequest.decode(trail).events;
}
