/**
 * Guarantee: a repair ticket names what the receiving half lacks, the lowest
 * numbers first, up to a size that can be carried; what found no room is counted
 * and waits for another ticket (SPEC.md §10).
 */
import { randomBytes } from "node:crypto";
import type { lightferry } from "@lightferry/proto/gen";
import { type ByStream, writeStreams } from "../inventory.ts";
import { countOf, type Range, RangeSet } from "../ranges.ts";
import type { LinkSigner } from "../signed.ts";
import type { Begun, Missing } from "./missing.ts";
import {
  MAX_TICKET_BYTES,
  MAX_TICKET_NUMBERS,
  MAX_TICKET_OBJECTS,
  MAX_TICKET_RANGES,
  signTicket,
  TICKET_VALID_MS,
} from "./ticket.ts";

type MissingGroups = lightferry.ferry.v1.MissingGroups.$Properties;

/** Two certificates of at most 2 KiB, signature, names, times. */
const AROUND_BYTES = 5 << 10;
/** Of what is left, for numbers; groups of objects begun take the rest. */
const NUMBERS_SHARE = 3 / 4;
const STREAM_BYTES = 12;
const OBJECT_BYTES = 48;
/** Tag, length and two numbers with their tags. */
const RANGE_BYTES = 4;

export interface IssuedTicket {
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly id: string;
  readonly expiresMs: number;
  readonly bundles: number;
  readonly objects: number;
  /** Numbers that found no room. */
  readonly left: number;
}

/** What can still be asked for. */
export function wantedOf(missing: Missing): ByStream {
  const wanted = new Map<string, readonly Range[]>();
  for (const [name, { open, unrepairable }] of Object.entries(missing.streams)) {
    const gone = new RangeSet(unrepairable);
    const ranges = open.flatMap((range) => gone.without(range));
    if (ranges.length > 0) wanted.set(name, ranges);
  }
  return wanted;
}

/**
 * @param node who asks, and signs
 * @param maxBytes of the signed ticket
 * @returns undefined when nothing is missing
 * @throws GatewayError `certificate.unknown` when no ferry key is in force
 */
export function issueTicket(
  missing: Missing,
  node: string,
  signer: LinkSigner,
  nowMs: number,
  maxBytes: number = MAX_TICKET_BYTES,
): IssuedTicket | undefined {
  const wanted = wantedOf(missing);
  if (wanted.size === 0) return undefined;
  const room = Math.min(maxBytes, MAX_TICKET_BYTES) - AROUND_BYTES;
  const taken = numbersWithin(wanted, room * NUMBERS_SHARE);
  const objects = objectsWithin(missing.objects, room - taken.bytes);
  const ticketId = randomBytes(16);
  // By the sender's clock, which judges the end.
  const createdMs = nowMs + (missing.senderOffsetMs ?? 0);
  const expiresMs = createdMs + TICKET_VALID_MS;
  const bytes = signTicket(signer, {
    ...{ ticketId, lane: missing.lane, sender: missing.sender, receiver: node },
    ...{ createdMs, expiresMs, streams: writeStreams(taken.streams), objects },
  });
  const bundles = countAll(taken.streams);
  return {
    ...{ bytes, id: ticketId.toString("hex"), expiresMs, bundles, objects: objects.length },
    left: countAll(wanted) - bundles,
  };
}

function countAll(streams: ByStream): number {
  return countOf([...streams.values()].flat());
}

function numbersWithin(wanted: ByStream, room: number): { streams: ByStream; bytes: number } {
  const streams = new Map<string, Range[]>();
  let [bytes, ranges, numbers] = [0, 0, 0];
  for (const [name, of] of wanted) {
    const named = STREAM_BYTES + Buffer.byteLength(name);
    for (const [first, last] of of) {
      const cost = rangeBytes(first, last) + (streams.has(name) ? 0 : named);
      const most = MAX_TICKET_NUMBERS - numbers;
      if (bytes + cost > room || ranges === MAX_TICKET_RANGES || most === 0) break;
      const end = Math.min(last, first + most - 1);
      const taken = streams.get(name) ?? [];
      taken.push([first, end]);
      streams.set(name, taken);
      bytes += cost;
      ranges += 1;
      numbers += end - first + 1;
    }
  }
  return { streams, bytes };
}

/** An object that finds no room is sent whole. */
function objectsWithin(begun: readonly Begun[], room: number): MissingGroups[] {
  const objects: MissingGroups[] = [];
  let bytes = 0;
  for (const { bundle, object, groups, shardSize, groupShards, parityShards } of begun) {
    const cost = groups.reduce((sum, [a, b]) => sum + rangeBytes(a, b), OBJECT_BYTES);
    if (groups.length === 0 || bytes + cost > room || objects.length === MAX_TICKET_OBJECTS) {
      continue;
    }
    bytes += cost;
    objects.push({
      ...{ bundleId: Buffer.from(bundle, "hex"), objectId: object },
      ...{ shardSize, groupShards, parityShards },
      groups: groups.map(([first, last]) => ({ first, last })),
    });
  }
  return objects;
}

function rangeBytes(first: number, last: number): number {
  return RANGE_BYTES + varintBytes(first) + varintBytes(last);
}

function varintBytes(value: number): number {
  return Math.max(1, Math.ceil(Math.log2(value + 1) / 7));
}
