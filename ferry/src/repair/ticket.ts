/**
 * Guarantee: a repair ticket that is read here is at most 64 KiB, was signed by
 * a ferry key of the lane's receiving node for this sender, has not expired, and
 * asks for no more than the outbox answers in bounded time (SPEC.md §10).
 */
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { type ByStream, readStreams } from "../inventory.ts";
import { areRanges, countOf, type Range } from "../ranges.ts";
import {
  type LinkSigner,
  type LinkVerifier,
  signMessage,
  TICKET_LABEL,
  verifyMessage,
} from "../signed.ts";

const { RepairTicket, SignedMessage } = lightferry.ferry.v1;
type Message = lightferry.ferry.v1.RepairTicket;

const VERSION = 1;
const ID_BYTES = 16;
const BUNDLE_ID_BYTES = 16;
/** Signed, with its chain: what a person carries, and a reader holds. */
export const MAX_TICKET_BYTES = 64 << 10;
/** What is missing changes with every pass: a ticket of yesterday asks for what has come since. */
export const TICKET_VALID_MS = 24 * 3_600_000;
/** As the outbox takes them in one call; the shortest takes six bytes of the ticket. */
export const MAX_TICKET_RANGES = 10_000;
/** Ten calls of the outbox, each half a minute at the worst; who lost more writes another ticket. */
export const MAX_TICKET_NUMBERS = 1_000_000;
/** More do not fit with their groups. */
export const MAX_TICKET_OBJECTS = 1_024;

export interface TicketObject {
  /** Hex. */
  readonly bundleId: string;
  readonly objectId: number;
  readonly shardSize: number;
  readonly groupShards: number;
  readonly parityShards: number;
  readonly groups: readonly Range[];
}

export interface Ticket {
  /** Hex. */
  readonly id: string;
  readonly lane: string;
  readonly receiver: string;
  readonly expiresMs: number;
  readonly streams: ByStream;
  readonly objects: readonly TicketObject[];
}

/** Bytes of a ticket. @throws GatewayError `certificate.unknown` when no key is in force */
export function signTicket(
  signer: LinkSigner,
  ticket: lightferry.ferry.v1.RepairTicket.$Properties,
): Uint8Array {
  return signMessage(signer, TICKET_LABEL, RepairTicket, { version: VERSION, ...ticket }, true);
}

/** Who reads a ticket. */
export interface TicketReader {
  readonly provider: SmProvider;
  readonly keys: KeyDirectory;
  readonly node: string;
  /** The receiving node of a lane that is sent from here. */
  readonly receiverOf: (lane: string) => string | undefined;
  readonly nowMs: number;
}

/** What a ticket says of itself, unverified: for a screen, and to find whose key must have signed it. */
export function peekTicket(bytes: Uint8Array): Message {
  if (bytes.length === 0 || bytes.length > MAX_TICKET_BYTES) throw invalid(`${bytes.length} bytes`);
  try {
    const { payload } = decodeCanonical(SignedMessage, Uint8Array.from(bytes));
    return decodeCanonical(RepairTicket, payload);
  } catch (cause) {
    throw new GatewayError("ferry.ticket-invalid", { detail: "not a signed ticket", cause });
  }
}

/**
 * @throws GatewayError `ferry.ticket-invalid`, `ferry.ticket-wrong-party`, `ferry.ticket-signature`,
 * `ferry.ticket-expired`, `certificate.*` for a key that is known and does not count
 */
export function readTicket(bytes: Uint8Array, reader: TicketReader): Ticket {
  const { lane } = peekTicket(bytes);
  const receiver = reader.receiverOf(lane);
  if (receiver === undefined) throw wrongParty(`lane ${lane}`);
  const message = verified(bytes, reader, receiver);
  if (message.sender !== reader.node) throw wrongParty(`for ${message.sender}`);
  if (message.receiver !== receiver) throw wrongParty(`from ${message.receiver}`);
  const { version, ticketId, createdMs, expiresMs } = message;
  if (version !== VERSION) throw invalid("version");
  if (ticketId.length !== ID_BYTES) throw invalid("id");
  const lasts = expiresMs - createdMs;
  // The validity bounds how long ids must be remembered, whatever the far clock says.
  if (!(lasts > 0 && lasts <= TICKET_VALID_MS)) throw invalid("validity");
  if (expiresMs > reader.nowMs + 2 * TICKET_VALID_MS) throw invalid("from the future");
  if (expiresMs <= reader.nowMs) {
    throw new GatewayError("ferry.ticket-expired", { detail: new Date(expiresMs).toISOString() });
  }
  const streams = readStreams(lane, message.streams, MAX_TICKET_RANGES);
  if (streams === undefined) throw invalid("streams");
  if (countOf([...streams.values()].flat()) > MAX_TICKET_NUMBERS) throw invalid("numbers");
  const id = Buffer.from(ticketId).toString("hex");
  return { id, lane, receiver, expiresMs, streams, objects: objectsOf(message) };
}

function verified(bytes: Uint8Array, reader: TicketReader, receiver: string): Message {
  const { provider, keys, nowMs } = reader;
  let refused: GatewayError | undefined;
  const verifier: LinkVerifier = {
    provider,
    sender: receiver,
    ferryKey: (keyId, presented, usedMs = nowMs) => {
      // A ticket is used within a day of its making; an ended key is not dated back further.
      const usedAt = Math.min(Math.max(usedMs, nowMs - TICKET_VALID_MS), nowMs + TICKET_VALID_MS);
      return keys.ferryKey(receiver, keyId, { presented, usedMs: usedAt });
    },
    refused: (keyId, code) => {
      refused = new GatewayError(code, { detail: `${receiver} ${keyId}` });
    },
  };
  const message = verifyMessage(
    ...([verifier, TICKET_LABEL, RepairTicket, bytes] as const),
    ({ createdMs }) => createdMs,
  );
  if (typeof message !== "string") return message;
  if (message === "refused-key" && refused !== undefined) throw refused;
  if (message === "malformed") throw invalid("not a signed ticket");
  throw new GatewayError("ferry.ticket-signature", { detail: message });
}

function objectsOf({ objects }: Message): TicketObject[] {
  if (objects.length > MAX_TICKET_OBJECTS) throw invalid("objects");
  return objects.map((object) => {
    const { bundleId, groups } = object;
    const objectId = object.objectId ?? 0;
    const shardSize = object.shardSize ?? 0;
    const groupShards = object.groupShards ?? 0;
    const parityShards = object.parityShards ?? 0;
    const ranges = (groups ?? []).map(({ first, last }): Range => [first ?? 0, last ?? 0]);
    const known = bundleId?.length === BUNDLE_ID_BYTES && Number.isSafeInteger(objectId);
    if (!known || !areRanges(ranges, 0)) throw invalid("object");
    return {
      bundleId: Buffer.from(bundleId).toString("hex"),
      ...{ objectId, shardSize, groupShards, parityShards, groups: ranges },
    };
  });
}

function invalid(detail: string): GatewayError {
  return new GatewayError("ferry.ticket-invalid", { detail });
}

function wrongParty(detail: string): GatewayError {
  return new GatewayError("ferry.ticket-wrong-party", { detail });
}
