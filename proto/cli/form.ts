/**
 * Guarantee: reads as much of a bundle as is there, and names the first check
 * of SPEC §8.1 that fails with the byte at which it fails. The reader of the
 * bundle decides; this only explains.
 */
import {
  type BundleHeader,
  HEADER_MAX,
  type ReceivedBundle,
  readHeader,
} from "../src/bundle/index.ts";
import { type Layout, layoutOf, PREFIX_BYTES } from "../src/bundle/layout.ts";
import { MAGIC, SIGNATURE_BYTES } from "../src/bundle/limits.ts";
import { fileSource, readExactly } from "../src/bundle/source.ts";
import { type ErrorCode, GatewayError } from "../src/errors/index.ts";
import { lightferry } from "../src/gen/index.js";
import { walkFields } from "./wire.ts";

const { Header } = lightferry.bundle.v1;

/** Fields by the names that `bundle.header-invalid` gives. */
const FIELD_NUMBERS: Readonly<Record<string, number>> = {
  version: 1,
  bundle_id: 2,
  lane: 3,
  stream: 4,
  sequence: 5,
  previous_digest: 6,
  sender: 7,
  sign_key_id: 8,
  created_ms: 9,
  expires_ms: 10,
  grade: 11,
  chunk_size: 12,
  chunk_count: 13,
  plaintext_size: 14,
  ciphertext_root: 15,
  item_root: 16,
  recipients: 17,
  key_commitment: 18,
  verdict_batches: 19,
  items: 20,
  policy_version: 21,
  checkpoint: 22,
  certificates: 23,
};

export interface FormFault {
  /** Of SPEC §8.1. */
  readonly step: number;
  readonly code: ErrorCode;
  readonly detail: string;
  /** Byte of the file. */
  readonly offset: number;
}

export interface BundleForm {
  /** Bytes of the file. */
  readonly size: number;
  /** As the file says; undefined when it does not get that far. */
  readonly headerLength?: number;
  /** Whole when there is no fault; else the fields in front of the first bad one, unchecked. */
  readonly header?: BundleHeader;
  readonly layout?: Layout;
  /** Well-formed as a whole. */
  readonly received?: ReceivedBundle;
  readonly fault?: FormFault;
}

/** @throws Node's own error when the file cannot be read. */
export async function readForm(path: string): Promise<BundleForm> {
  try {
    const received = await readHeader(path);
    const { header, headerBytes, layout } = received;
    const size = layout.fileSize;
    return { size, headerLength: headerBytes.length, header, layout, received };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return explain(await readFront(path), error);
  }
}

/** What stands before the digest table, as far as it is there. */
interface Front {
  readonly size: number;
  readonly bytes: Uint8Array;
}

async function readFront(path: string): Promise<Front> {
  const reader = await fileSource(path).open();
  try {
    const length = Math.min(reader.size, PREFIX_BYTES + HEADER_MAX + SIGNATURE_BYTES);
    return { size: reader.size, bytes: await readExactly(reader, 0, length) };
  } finally {
    await reader.close();
  }
}

function explain({ size, bytes }: Front, { code, detail }: GatewayError): BundleForm {
  const fault = (step: number, offset: number): FormFault => ({ step, code, detail, offset });
  if (bytes.length < PREFIX_BYTES) return { size, fault: fault(1, size) };
  const wrong = MAGIC.findIndex((byte, index) => bytes[index] !== byte);
  if (wrong !== -1) return { size, fault: fault(1, wrong) };
  const headerLength = Buffer.from(bytes.buffer, bytes.byteOffset).readUInt32BE(MAGIC.length);
  if (headerLength > HEADER_MAX) return { size, headerLength, fault: fault(2, MAGIC.length) };
  const headerBytes = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerLength);
  const { header, badAt } = decodeFront(headerBytes);
  const known = { size, headerLength, header };
  if (size < PREFIX_BYTES + headerLength + SIGNATURE_BYTES)
    return { ...known, fault: fault(3, size) };
  const layout = layoutOf(headerLength, header);
  const at = (offset: number) => PREFIX_BYTES + offset;
  switch (code) {
    case "bundle.header-malformed":
      return { ...known, fault: fault(4, at(badAt)) };
    case "bundle.version-unsupported":
      return { ...known, fault: fault(5, at(fieldAt(headerBytes, "version"))) };
    case "bundle.not-canonical":
      return { ...known, fault: fault(6, at(firstDifference(header, headerBytes))) };
    case "bundle.header-invalid":
      return { ...known, fault: fault(7, at(fieldAt(headerBytes, detail))) };
    case "bundle.trailing-bytes":
      return { ...known, layout, fault: fault(8, layout.fileSize) };
    default:
      return { ...known, layout, fault: fault(8, size) };
  }
}

/** The header up to the first field that does not decode. */
function decodeFront(bytes: Uint8Array): { header: BundleHeader; badAt: number } {
  const { fields, end } = walkFields(bytes);
  const bad = fields.find(({ start, end: until }) => !decodes(bytes.subarray(start, until)));
  const badAt = bad?.start ?? end;
  return { header: Header.decode(bytes.subarray(0, badAt)) as BundleHeader, badAt };
}

function decodes(field: Uint8Array): boolean {
  try {
    Header.decode(field);
    return true;
  } catch {
    return false;
  }
}

/** Offset of the first such field; where it would have to stand when it is missing. */
function fieldAt(bytes: Uint8Array, name: string): number {
  const wanted = FIELD_NUMBERS[name.split(".")[0] ?? ""] ?? 0;
  const { fields, end } = walkFields(bytes);
  const found = fields.find(({ number }) => number === wanted);
  return (found ?? fields.find(({ number }) => number > wanted))?.start ?? end;
}

function firstDifference(header: BundleHeader, bytes: Uint8Array): number {
  const again = Header.encode(header as lightferry.bundle.v1.Header.$Properties).finish();
  const place = bytes.findIndex((byte, index) => again[index] !== byte);
  return place === -1 ? bytes.length : place;
}
