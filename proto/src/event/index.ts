/** Guarantee: how every service journals what it does before it does more. */
export type { Emitter } from "./encode.ts";
export { type AuditSink, MAX_BATCH_BYTES, MAX_BATCH_EVENTS } from "./forwarder.ts";
export { DEFAULT_MAX_BYTES, EventJournal, type EventJournalOptions } from "./journal.ts";
export {
  EVENT_OUTCOMES,
  EVENT_TYPES,
  type EventInput,
  type EventOutcome,
  type EventType,
  type PeerTrailInput,
} from "./types.ts";
