/** Guarantee: every event the ferry records has one of these types; a refusal carries its code. */

export type FerryEventType =
  | "bundle.emitted"
  | "bundle.arrived"
  | "bundle.refused"
  | "bundle.duplicate"
  | "bundle.repeated"
  | "gate.gap"
  | "gate.gap-unrepaired"
  | "gate.gap-unrepairable"
  | "gate.ticket-accepted"
  | "gate.ticket-refused"
  | "gate.heartbeat-missed"
  | "gate.heartbeat-restored"
  | "gate.alarm"
  | "gate.alarm-over"
  | "gate.frame-rejected"
  | "gate.file-refused"
  | "gate.key-refused"
  | "gate.quarantine-large"
  | "gate.object-incomplete"
  | "gate.object-left-out"
  | "media.exported"
  | "media.imported"
  | "media.refused"
  | "service.impaired"
  | "service.restored";

export interface FerryEvent {
  readonly type: FerryEventType;
  readonly outcome: "ok" | "refused" | "error";
  readonly code?: string;
  /** Who runs a command. */
  readonly actor?: string;
  readonly bundleId?: Uint8Array;
  readonly lane?: string;
  readonly digest?: Uint8Array;
  readonly size?: number;
  readonly attributes?: Record<string, string>;
}

/** Durable when it resolves; the event journal of the shell is one. */
export interface EventSink {
  record(events: FerryEvent[]): Promise<unknown>;
}

/** What the programs need of the shell's logger. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}
