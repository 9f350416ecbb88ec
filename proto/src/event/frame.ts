/**
 * Guarantee: what was written together is read back together or not at all.
 *
 * segment = header, frame*                 (all integers big-endian)
 * header  = "LFJS", u32 version, u64 first record, u64 first event sequence, 8 random bytes, u32 crc
 * frame   = "LFJG", u64 first record, u32 records, u32 payload bytes, u32 crc, payload
 * payload = (u8 kind, u32 length, bytes)*
 *
 * One frame is one group commit, so a crash can spoil only the last frame. The
 * crc covers the segment's random bytes: text inside an event cannot pose as a frame.
 */
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

export const RECORD_KIND = { event: 1, peerTrail: 2 } as const;
export type RecordKind = (typeof RECORD_KIND)[keyof typeof RECORD_KIND];

export interface JournalRecord {
  readonly kind: RecordKind;
  readonly bytes: Uint8Array;
}

export interface SegmentHeader {
  readonly firstRecord: number;
  /** Sequence that the first event of this segment has. */
  readonly firstSequence: number;
  readonly nonce: Buffer;
}

export interface Frame {
  readonly firstRecord: number;
  readonly records: JournalRecord[];
  /** Offset behind the frame. */
  readonly end: number;
}

const SEGMENT_MAGIC = 0x4c_46_4a_53;
const FRAME_MAGIC = 0x4c_46_4a_47;
const VERSION = 1;
const NONCE_BYTES = 8;
export const SEGMENT_HEADER_BYTES = 36;
export const FRAME_HEADER_BYTES = 24;
export const RECORD_HEADER_BYTES = 5;
/** Bounds what a reader allocates for one frame; the writer closes a group far earlier. */
export const MAX_FRAME_PAYLOAD = 8 * 1024 * 1024;

export function encodeSegmentHeader(firstRecord: number, firstSequence: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.writeUInt32BE(SEGMENT_MAGIC, 0);
  header.writeUInt32BE(VERSION, 4);
  header.writeBigUInt64BE(BigInt(firstRecord), 8);
  header.writeBigUInt64BE(BigInt(firstSequence), 16);
  randomBytes(NONCE_BYTES).copy(header, 24);
  header.writeUInt32BE(crc32(header.subarray(0, 32)), 32);
  return header;
}

/** Undefined when the bytes are not a whole, intact header of this version. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  if (bytes.readUInt32BE(0) !== SEGMENT_MAGIC || bytes.readUInt32BE(4) !== VERSION) {
    return undefined;
  }
  if (bytes.readUInt32BE(32) !== crc32(bytes.subarray(0, 32))) return undefined;
  return {
    firstRecord: Number(bytes.readBigUInt64BE(8)),
    firstSequence: Number(bytes.readBigUInt64BE(16)),
    nonce: Buffer.from(bytes.subarray(24, 32)),
  };
}

export function encodeFrame(
  firstRecord: number,
  records: readonly JournalRecord[],
  nonce: Buffer,
): Buffer {
  let length = 0;
  for (const record of records) length += RECORD_HEADER_BYTES + record.bytes.length;
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
  frame.writeUInt32BE(FRAME_MAGIC, 0);
  frame.writeBigUInt64BE(BigInt(firstRecord), 4);
  frame.writeUInt32BE(records.length, 12);
  frame.writeUInt32BE(length, 16);
  let at = FRAME_HEADER_BYTES;
  for (const record of records) {
    frame.writeUInt8(record.kind, at);
    frame.writeUInt32BE(record.bytes.length, at + 1);
    frame.set(record.bytes, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + record.bytes.length;
  }
  frame.writeUInt32BE(frameCrc(frame, nonce), 20);
  return frame;
}

/** Payload length of the frame that begins with these bytes, or undefined when none can. */
export function framePayloadLength(header: Buffer): number | undefined {
  if (header.length < FRAME_HEADER_BYTES || header.readUInt32BE(0) !== FRAME_MAGIC) {
    return undefined;
  }
  const length = header.readUInt32BE(16);
  return length <= MAX_FRAME_PAYLOAD ? length : undefined;
}

/** Reads the frame at `offset`; undefined when none stands there whole and intact. */
export function decodeFrame(bytes: Buffer, offset: number, nonce: Buffer): Frame | undefined {
  const length = framePayloadLength(bytes.subarray(offset, offset + FRAME_HEADER_BYTES));
  if (length === undefined) return undefined;
  const end = offset + FRAME_HEADER_BYTES + length;
  if (end > bytes.length) return undefined;
  const frame = bytes.subarray(offset, end);
  if (frame.readUInt32BE(20) !== frameCrc(frame, nonce)) return undefined;
  const count = frame.readUInt32BE(12);
  const records: JournalRecord[] = [];
  let at = FRAME_HEADER_BYTES;
  while (at < frame.length) {
    if (at + RECORD_HEADER_BYTES > frame.length) return undefined;
    const kind = frame.readUInt8(at);
    const size = frame.readUInt32BE(at + 1);
    const from = at + RECORD_HEADER_BYTES;
    if (
      from + size > frame.length ||
      (kind !== RECORD_KIND.event && kind !== RECORD_KIND.peerTrail)
    ) {
      return undefined;
    }
    records.push({ kind, bytes: frame.subarray(from, from + size) });
    at = from + size;
  }
  if (records.length !== count) return undefined;
  return { firstRecord: Number(frame.readBigUInt64BE(4)), records, end };
}

/** True when an intact frame begins anywhere behind `offset`. */
export function intactFrameAfter(bytes: Buffer, offset: number, nonce: Buffer): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(FRAME_MAGIC);
  for (let at = bytes.indexOf(magic, offset + 1); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (decodeFrame(bytes, at, nonce) !== undefined) return true;
  }
  return false;
}

function frameCrc(frame: Buffer, nonce: Buffer): number {
  const head = crc32(frame.subarray(0, 20), crc32(nonce));
  return crc32(frame.subarray(FRAME_HEADER_BYTES), head);
}
