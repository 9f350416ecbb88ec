/**
 * Guarantee: an event in a journal has the form of the schema, is within its
 * limits, and its bytes are canonical: they are what the log hashes.
 */
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { ID_BYTES, newId } from "../ids.ts";
import {
  EVENT_OUTCOMES,
  EVENT_TYPES,
  type EventInput,
  type EventType,
  type PeerTrailInput,
} from "./types.ts";

const { Event, PeerTrail } = lightferry.audit.v1;

/** One event is a line of evidence, not a document; 32 of the largest fit one Append. */
export const MAX_EVENT_BYTES = 32 * 1024;
/** Longer than any name, path template or reason in the registry. */
const MAX_TEXT = 4_096;
const MAX_RULES = 256;
const MAX_ATTRIBUTES = 64;
const ATTRIBUTE_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const DIGEST_BYTES = 32;
const KNOWN_TYPES: ReadonlySet<string> = new Set<EventType>(EVENT_TYPES);
const KNOWN_OUTCOMES: ReadonlySet<string> = new Set(EVENT_OUTCOMES);

export interface Emitter {
  readonly zone: string;
  readonly node: string;
  /** Service name; with the node it names a sequence. */
  readonly emitter: string;
}

/**
 * Canonical bytes of an event.
 * @param sequence from 1, without holes, per emitter
 * @throws GatewayError `event.invalid` naming the field
 */
export function encodeEvent(input: EventInput, emitter: Emitter, sequence: number): Uint8Array {
  if (!KNOWN_TYPES.has(input.type)) fail("type");
  if (!KNOWN_OUTCOMES.has(input.outcome)) fail("outcome");
  const attributes = Object.entries(input.attributes ?? {})
    .map(([name, value]) => {
      if (!ATTRIBUTE_NAME.test(name)) fail("attributes");
      return { name, value: text(value, `attributes.${name}`) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (attributes.length > MAX_ATTRIBUTES) fail("attributes");
  const ruleIds = (input.ruleIds ?? []).map((rule) => text(rule, "ruleIds"));
  if (ruleIds.length > MAX_RULES) fail("ruleIds");
  const size = input.size ?? 0;
  if (!Number.isSafeInteger(size) || size < 0) fail("size");
  const bytes = encodeCanonical(Event, {
    eventId: newId(),
    timeMs: Date.now(),
    zone: emitter.zone,
    node: emitter.node,
    emitter: emitter.emitter,
    emitterSequence: sequence,
    type: input.type,
    outcome: input.outcome,
    code: text(input.code, "code"),
    exchangeId: fixed(input.exchangeId, ID_BYTES, "exchangeId"),
    bundleId: fixed(input.bundleId, ID_BYTES, "bundleId"),
    lane: text(input.lane, "lane"),
    actor: text(input.actor, "actor"),
    clientAddress: text(input.clientAddress, "clientAddress"),
    service: text(input.service, "service"),
    grade: text(input.grade, "grade"),
    digest: fixed(input.digest, DIGEST_BYTES, "digest"),
    size,
    ruleIds,
    policyVersion: text(input.policyVersion, "policyVersion"),
    attributes,
  });
  if (bytes.length > MAX_EVENT_BYTES) fail("size of the event");
  return bytes;
}

/**
 * Canonical PeerTrail messages: one, or several when the trail is longer than
 * one Append may carry.
 * @throws GatewayError `event.invalid`
 */
export function encodePeerTrails(
  input: PeerTrailInput,
  maxEvents: number,
  maxBytes: number,
): Uint8Array[] {
  const parts: Uint8Array[][] = [];
  let current: Uint8Array[] = [];
  let bytes = 0;
  for (const event of input.events) {
    if (event.length > MAX_EVENT_BYTES) fail("events");
    if (current.length === maxEvents || bytes + event.length > maxBytes) {
      parts.push(current);
      current = [];
      bytes = 0;
    }
    current.push(event);
    bytes += event.length;
  }
  parts.push(current);
  return parts.map((events) =>
    encodeCanonical(PeerTrail, {
      zone: text(input.zone, "zone"),
      exchangeId: fixed(input.exchangeId, ID_BYTES, "exchangeId"),
      bundleId: fixed(input.bundleId, ID_BYTES, "bundleId"),
      events,
    }),
  );
}

function text(value: string | undefined, field: string): string {
  if (value === undefined) return "";
  if (typeof value !== "string" || value.length > MAX_TEXT || !value.isWellFormed()) fail(field);
  return value;
}

function fixed(value: Uint8Array | undefined, length: number, field: string): Uint8Array {
  if (value === undefined || value.length === 0) return new Uint8Array();
  if (value.length !== length) fail(field);
  return value;
}

function fail(field: string): never {
  throw new GatewayError("event.invalid", { detail: field });
}
