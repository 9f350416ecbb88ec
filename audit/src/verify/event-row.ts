/** Guarantee: names every typed column of a row that does not say what the event's own bytes say. */
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { columnText } from "./column-text.ts";
import type { EventRow } from "./rows.ts";

type Event = lightferry.audit.v1.Event;

/** Undefined when the bytes are not a canonical event. */
export function decodeEvent(bytes: Uint8Array): Event | undefined {
  try {
    return decodeCanonical(lightferry.audit.v1.Event, bytes);
  } catch {
    return undefined;
  }
}

/** Names of the columns that disagree; `logged_ms` and `leaf` are checked against the tree instead. */
export function disagreeingColumns(row: EventRow, event: Event): string[] {
  const agrees = {
    event_id: same(row.event_id, event.eventId),
    event_ms: row.event_ms === event.timeMs,
    node: row.node === event.node,
    emitter: row.emitter === event.emitter,
    emitter_sequence: row.emitter_sequence === event.emitterSequence,
    type: row.type === event.type,
    outcome: row.outcome === event.outcome,
    code: row.code === columnText(event.code),
    exchange_id: same(row.exchange_id, event.exchangeId),
    bundle_id: same(row.bundle_id, event.bundleId),
    lane: row.lane === columnText(event.lane),
    actor: row.actor === columnText(event.actor),
    client_address: row.client_address === columnText(event.clientAddress),
    service: row.service === columnText(event.service),
    grade: row.grade === columnText(event.grade),
  };
  return Object.entries(agrees).flatMap(([name, ok]) => (ok ? [] : [name]));
}

/** An absent id is null in the table and empty in the message. */
export function same(column: Buffer | null, field: Uint8Array): boolean {
  return column === null ? field.length === 0 : column.length > 0 && column.equals(field);
}

export function attributeOf(event: Event, name: string): string {
  return event.attributes.find((attribute) => attribute.name === name)?.value ?? "";
}
