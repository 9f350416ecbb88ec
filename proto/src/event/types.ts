/**
 * Guarantee: every kind of audit event has one name, listed here and explained
 * in audit/EVENTS.md; a test holds the two lists together.
 */

export const EVENT_TYPES = [
  // An exchange on the sending side.
  "exchange.received",
  "exchange.refused",
  "exchange.held",
  "exchange.permitted",
  "exchange.sealed",
  "exchange.queued",
  "exchange.emitted",
  "exchange.expired",
  "exchange.cancelled",
  "exchange.receipted",
  // An exchange on the receiving side.
  "exchange.arrived",
  "exchange.verified",
  "exchange.quarantined",
  "exchange.import-permitted",
  "exchange.import-refused",
  "exchange.dispatching",
  "exchange.delivered",
  "exchange.in-doubt",
  "exchange.failed",
  "exchange.retried",
  "exchange.returned",
  "bundle.sealed",
  "bundle.emitted",
  "bundle.arrived",
  "bundle.refused",
  "bundle.duplicate",
  "bundle.discarded",
  "bundle.recalled",
  "bundle.repeated",
  "policy.decided",
  "policy.loaded",
  "policy.sealed-away",
  "trust.loaded",
  "trust.imported",
  "trust.refused",
  "trust.key-denied",
  "trust.key-denial-lifted",
  "trust.list-ageing",
  "trust.list-outdated",
  "trust.certificate-ageing",
  "key.destroying",
  "key.destroyed",
  "key.destroy-due",
  "token.issued",
  "token.rotated",
  "token.revoked",
  "token.refused",
  "gate.gap",
  "gate.gap-unrepaired",
  "gate.gap-unrepairable",
  "gate.ticket-accepted",
  "gate.ticket-refused",
  "gate.heartbeat-missed",
  "gate.heartbeat-restored",
  "gate.alarm",
  "gate.alarm-over",
  "gate.frame-rejected",
  "gate.file-refused",
  "gate.key-refused",
  "gate.quarantine-large",
  "gate.object-incomplete",
  "gate.object-left-out",
  "receipts.signed",
  "receipts.exported",
  "receipts.imported",
  "receipts.refused",
  "media.exported",
  "media.imported",
  "media.refused",
  "service.started",
  "service.stopped",
  "service.impaired",
  "service.restored",
  "key.action-begun",
  "key.action-ended",
  "key.actions-damaged",
  "key.use-reserved",
  "key.used",
  "audit.append-refused",
  "audit.checkpoint-witnessed",
  "audit.peer-trails-recorded",
  "audit.verified",
  "audit.read",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

export const EVENT_OUTCOMES = ["ok", "refused", "held", "error"] as const;

export type EventOutcome = (typeof EVENT_OUTCOMES)[number];

/** What an emitter says; the journal adds id, time, zone, node, emitter and sequence. */
export interface EventInput {
  readonly type: EventType;
  readonly outcome: EventOutcome;
  /** Error code; absent when the outcome is "ok". */
  readonly code?: string | undefined;
  readonly exchangeId?: Uint8Array | undefined;
  readonly bundleId?: Uint8Array | undefined;
  readonly lane?: string | undefined;
  /** Caller id, officer id or service. */
  readonly actor?: string | undefined;
  readonly clientAddress?: string | undefined;
  /** Far-side service. */
  readonly service?: string | undefined;
  readonly grade?: string | undefined;
  readonly digest?: Uint8Array | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly ruleIds?: readonly string[] | undefined;
  readonly policyVersion?: string | undefined;
  /** Names and numbers that explain; never content. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** The other zone's half of an exchange, as it rode in a verified bundle. */
export interface PeerTrailInput {
  readonly zone: string;
  readonly exchangeId: Uint8Array;
  readonly bundleId: Uint8Array;
  /** Canonical events of the other zone. */
  readonly events: readonly Uint8Array[];
}
