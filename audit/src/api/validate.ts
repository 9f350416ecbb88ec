/**
 * Guarantee: what passes here can be stored: canonical bytes, fields within
 * their limits, no text that PostgreSQL refuses. One bad event must never make
 * a shared batch fail.
 */
import { decodeCanonical, encodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { leafHash, type Sm3Function } from "@lightferry/proto/merkle";
import type { EventMessage, PreparedEvent, PreparedTrail } from "../store/batch.ts";

/** The schema says 512 events and 1 MiB together: one batch of the sequencer. */
export const MAX_REQUEST_EVENTS = 512;
export const MAX_REQUEST_EVENT_BYTES = 1024 * 1024;
/** What a journal lets through (proto/src/event): a line of evidence, not a document. */
export const MAX_EVENT_BYTES = 32 * 1024;
/** A journal counts the events inside trails as events, and leaves empty trails out. */
export const MAX_REQUEST_TRAILS = 512;
/** A journal fills at most 960 KiB; twice that leaves room for its field headers. */
export const MAX_REQUEST_TRAIL_BYTES = 2 * 1024 * 1024;
/** Zone names are short words. */
const MAX_ZONE = 32;
/** Longer than any type in EVENTS.md. */
const MAX_TYPE = 64;
const ID_BYTES = 16;
const DIGEST_BYTES = 32;

const TYPE_FORM = /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/;
const OUTCOMES: ReadonlySet<string> = new Set(["ok", "refused", "held", "error"]);

export interface Sender {
  readonly zone: string;
  readonly node: string;
  readonly emitter: string;
}

/**
 * Decodes and checks events of one emitter.
 * @throws GatewayError `audit.batch-too-large`, `audit.event-invalid`, `audit.emitter-mismatch`.
 */
export function prepareEvents(
  sm3: Sm3Function,
  list: readonly Uint8Array[],
  sender: Sender,
): PreparedEvent[] {
  const total = list.reduce((sum, bytes) => sum + bytes.length, 0);
  if (list.length > MAX_REQUEST_EVENTS || total > MAX_REQUEST_EVENT_BYTES) {
    throw new GatewayError("audit.batch-too-large", {
      detail: `${list.length} events, ${total} bytes`,
    });
  }
  return list.map((bytes, index) => {
    if (bytes.length > MAX_EVENT_BYTES) throw invalid(index, `${bytes.length} bytes`);
    const event = decodeEvent(bytes, index);
    checkFields(event, index);
    if (
      event.zone !== sender.zone ||
      event.node !== sender.node ||
      event.emitter !== sender.emitter
    ) {
      throw new GatewayError("audit.emitter-mismatch", {
        detail: `${event.zone}/${event.node}/${event.emitter} sent by ${sender.emitter}`,
      });
    }
    return { bytes, event, leaf: leafHash(sm3, bytes) };
  });
}

function decodeEvent(bytes: Uint8Array, index: number): EventMessage {
  try {
    return decodeCanonical(lightferry.audit.v1.Event, bytes);
  } catch (cause) {
    throw new GatewayError("audit.event-invalid", { detail: `${index}: not canonical`, cause });
  }
}

function checkFields(event: EventMessage, index: number): void {
  if (event.type.length > MAX_TYPE || !TYPE_FORM.test(event.type)) throw invalid(index, "type");
  if (!OUTCOMES.has(event.outcome)) throw invalid(index, "outcome");
  if (event.eventId.length !== ID_BYTES) throw invalid(index, "event_id");
  if (!isLength(event.exchangeId, ID_BYTES)) throw invalid(index, "exchange_id");
  if (!isLength(event.bundleId, ID_BYTES)) throw invalid(index, "bundle_id");
  if (!isLength(event.digest, DIGEST_BYTES)) throw invalid(index, "digest");
  if (event.emitterSequence < 1 || !Number.isSafeInteger(event.emitterSequence)) {
    throw invalid(index, "emitter_sequence");
  }
  if (!Number.isSafeInteger(event.timeMs)) throw invalid(index, "time_ms");
  if (!Number.isSafeInteger(event.size)) throw invalid(index, "size");
  const names = event.attributes.map((attribute) => attribute.name ?? "");
  if (names.some((name, i) => i > 0 && name <= (names[i - 1] ?? ""))) {
    throw invalid(index, "attributes are not ascending");
  }
}

/**
 * Checks trails of the other zone. What their events say is the sender's
 * matter: they were signed with the bundle and are kept as they came.
 * @throws GatewayError `audit.batch-too-large`, `audit.event-invalid`.
 */
export function prepareTrails(
  sm3: Sm3Function,
  trails: readonly lightferry.audit.v1.PeerTrail.$Properties[],
  ownZone: string,
): PreparedTrail[] {
  if (trails.length > MAX_REQUEST_TRAILS) {
    throw new GatewayError("audit.batch-too-large", { detail: `${trails.length} trails` });
  }
  let total = 0;
  return trails.map((trail, index) => {
    const zone = trail.zone ?? "";
    const exchangeId = trail.exchangeId ?? new Uint8Array();
    const bundleId = trail.bundleId ?? new Uint8Array();
    const bytes = encodeCanonical(lightferry.audit.v1.PeerTrail, {
      ...{ zone, exchangeId, bundleId },
      events: trail.events ?? [],
    });
    total += bytes.length;
    if (total > MAX_REQUEST_TRAIL_BYTES) {
      throw new GatewayError("audit.batch-too-large", { detail: `${total} bytes of trails` });
    }
    if (zone === "" || zone === ownZone || zone.length > MAX_ZONE || zone.includes("\0")) {
      throw invalid(index, "zone of a trail");
    }
    if (exchangeId.length !== ID_BYTES) throw invalid(index, "exchange_id of a trail");
    if (bundleId.length !== ID_BYTES) throw invalid(index, "bundle_id of a trail");
    return { zone, exchangeId, bundleId, bytes, digest: sm3(bytes) };
  });
}

function isLength(bytes: Uint8Array, length: number): boolean {
  return bytes.length === 0 || bytes.length === length;
}

function invalid(index: number, field: string): GatewayError {
  return new GatewayError("audit.event-invalid", { detail: `${index}: ${field}` });
}
