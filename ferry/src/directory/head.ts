/**
 * Guarantee: a file counts only when its head was signed by a ferry key of the expected sender for this lane
 * and its numbers fit together (DIRECTORY.md §3). Lengths are checked before anything is allocated for them,
 * entries are counted before they are decoded, and no byte of any file makes this throw.
 */
import { lightferry } from "@lightferry/proto/gen";
import { SIGNED_PAGE_BYTES } from "../inventory.ts";
import { countFields, fieldBytes } from "../media/wire.ts";
import {
  DIRECTORY_LABEL,
  type LinkSigner,
  type LinkVerifier,
  MAX_CERTIFICATES,
  signMessage,
  verifyMessage,
} from "../signed.ts";
import { Plan, planFault } from "./plan.ts";

const { FileHead } = lightferry.ferry.v1;
type HeadProperties = lightferry.ferry.v1.FileHead.$Properties;
type FilePart = InstanceType<typeof lightferry.ferry.v1.FilePart>;
export type Head = InstanceType<typeof FileHead>;

/** "LFDIR", line end, version 1: a transfer as text changes it, and a text never begins so. */
export const MAGIC = Uint8Array.of(0x4c, 0x46, 0x44, 0x49, 0x52, 0x0d, 0x0a, 0x01);
/** Magic and length of the head. */
export const PREFIX_BYTES = MAGIC.length + 4;
/** Two certificates of about 700 bytes and eight streams with the longest names leave half of it free. */
const MAX_HEAD_BYTES = 8_192;
/** Kept free in every file for prefix and head. */
export const HEAD_ROOM = PREFIX_BYTES + MAX_HEAD_BYTES;
const HEAD_VERSION = 1;
/** Streams named in one head; with more they take turns. */
export const HEAD_STREAMS = 8;
/** "<lane>/<sender>/<priority>": three names and two strokes (proto/SPEC.md §9). */
const MAX_STREAM_CHARS = 191;
const ID_BYTES = 16;
const DIGEST_BYTES = 32;
/** Numbers of fields in the schemas. */
const FIELD = { payload: 1, certificates: 4, streams: 7 } as const;

/** Prefix and signed head of a file. @throws GatewayError `certificate.unknown` when no key is in force */
export function writeHead(signer: LinkSigner, head: Omit<HeadProperties, "version">): Uint8Array {
  const signed = signMessage(
    signer,
    DIRECTORY_LABEL,
    FileHead,
    { version: HEAD_VERSION, ...head },
    true,
  );
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.set(MAGIC);
  prefix.writeUInt32BE(signed.length, MAGIC.length);
  return Buffer.concat([prefix, signed]);
}

/** Length of the head behind a whole prefix, or why it is none. */
export function headLength(prefix: Uint8Array): number | "magic" | "head-length" {
  const bytes = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length);
  if (Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0) return "magic";
  const length = bytes.readUInt32BE(MAGIC.length);
  return length > 0 && length <= MAX_HEAD_BYTES ? length : "head-length";
}

/** A believed head and how its shipment is cut; a heartbeat and an inventory have none. */
export interface BelievedHead {
  readonly head: Head;
  /** Bytes of the signed inventory behind it; 0: none. */
  readonly inventory: number;
  readonly part:
    | { readonly facts: FilePart; readonly plan: Plan; readonly bytes: number }
    | undefined;
}

/** Why a head counts for nothing. */
export type HeadFault = string;

export function readHead(
  verifier: LinkVerifier,
  lane: string,
  bytes: Uint8Array,
): BelievedHead | HeadFault {
  if (countFields(bytes, FIELD.certificates) > MAX_CERTIFICATES[DIRECTORY_LABEL]) {
    return "certificates";
  }
  const payload = fieldBytes(bytes, FIELD.payload);
  if (countFields(payload, FIELD.streams) > HEAD_STREAMS) return "streams";
  const head = verifyMessage(
    verifier,
    DIRECTORY_LABEL,
    FileHead,
    bytes,
    ({ timeMs }: Head) => timeMs,
  );
  if (typeof head === "string") return head;
  if (head.version !== HEAD_VERSION) return "version";
  if (head.sender !== verifier.sender) return "sender";
  if (head.lane !== lane) return "lane";
  if (head.epoch < 1 || head.number < 1) return "number";
  if (!head.streams.every(isPosition)) return "streams";
  const { inventorySize: inventory } = head;
  if (inventory > SIGNED_PAGE_BYTES) return "inventory-size";
  const facts = head.part as FilePart | null | undefined;
  if (facts === null || facts === undefined) return { head, inventory, part: undefined };
  if (inventory > 0) return "inventory-size";
  if (facts.shipmentId.length !== ID_BYTES) return "shipment";
  if (facts.digest.length !== DIGEST_BYTES) return "digest-length";
  const fault = planFault(facts);
  if (fault !== undefined) return fault;
  const plan = new Plan(facts);
  if (facts.group >= plan.groups) return "group";
  if (facts.index >= plan.dataParts(facts.group) + plan.parityParts(facts.group)) return "index";
  const length = plan.partLength(facts.group, facts.index);
  return { head, inventory, part: { facts, plan, bytes: length } };
}

function isPosition({ stream, sequence }: lightferry.ferry.v1.StreamPosition.$Properties): boolean {
  const length = stream?.length ?? 0;
  return length > 0 && length <= MAX_STREAM_CHARS && (sequence ?? 0) > 0;
}
