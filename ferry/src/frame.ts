/**
 * Guarantee: a frame is written in exactly one way, and a datagram of any
 * length and content is either a well-formed frame or a named reason; nothing
 * is allocated and nothing thrown while finding out. SPEC.md §2 is the byte map.
 */
import { frameSum } from "./frame-sum/index.ts";

/** "LF". */
export const FRAME_MAGIC = 0x4c46;
export const FRAME_VERSION = 2;
/** Bytes before the payload; fixed so that a receiver needs no parsing state. */
export const FRAME_HEADER = 48;
const CHECKSUM_AT = 4;

/** UDP payload that fits an Ethernet MTU of 1500 with 16 bytes to spare for a tunnel tag. */
export const DEFAULT_FRAME_SIZE = 1456;
/** Below this a manifest would need more than 255 parts' worth of overhead. */
export const MIN_FRAME_SIZE = 256;
/** UDP payload that fits a jumbo MTU of 9000; larger frames would be fragmented by IP. */
export const MAX_FRAME_SIZE = 8944;

export const FRAME_TYPE = {
  DATA: 1,
  /** Made by the erasure code from the data shards of the group. */
  PARITY: 2,
  MANIFEST: 3,
  HEARTBEAT: 4,
  INVENTORY: 5,
  /** By which the receiver may know chunks (SPEC.md §13). */
  TAGS: 6,
} as const;

/** Priorities of a link, in the order in which they are served. */
export const CHANNEL = { urgent: 0, normal: 1, bulk: 2 } as const;
const CHANNEL_COUNT = 3;

/** Set on every frame of a repeated pass. */
export const FLAG_REPEAT = 1;
/** Set on the frame that ends a pass of its object. */
export const FLAG_PASS_END = 2;
const KNOWN_FLAGS = FLAG_REPEAT | FLAG_PASS_END;

/** Links of one receiving half, and lanes that share them: each number is half a byte. */
export const LINK_COUNT = 16;
export const LANE_COUNT = 16;

/** Data and parity shards of a group, or parts of a message: shard numbers fit the u8 field and the code over GF(2^8). */
export const MAX_SHARDS = 255;

/** The fields of the header; all numbers are safe integers. */
export interface FrameHeader {
  type: number;
  epoch: number;
  seq: number;
  objectId: number;
  group: number;
  shard: number;
  k: number;
  /** Parity shards of the group; 0 in frames of other types. */
  m: number;
  channel: number;
  objectSize: number;
  /** Whose socket pair it goes through. */
  link: number;
  /** Whose bundle it is of; in heartbeats any lane of the sender. */
  lane: number;
  flags: number;
}

/** Why a datagram is not a frame. */
export const FRAME_FAULTS = [
  "length",
  "magic",
  "version",
  "checksum",
  "type",
  "number",
  "shard",
  "channel",
  "flags",
] as const;
export type FrameFault = (typeof FRAME_FAULTS)[number];

export function emptyHeader(): FrameHeader {
  return {
    type: 0,
    epoch: 0,
    seq: 0,
    objectId: 0,
    group: 0,
    shard: 0,
    k: 0,
    m: 0,
    channel: 0,
    objectSize: 0,
    link: 0,
    lane: 0,
    flags: 0,
  };
}

/** 2^32, to write and read 64-bit fields without big integers. */
const WORD = 0x1_0000_0000;
/** Upper word of the greatest safe integer. */
const SAFE_HIGH = 0x1f_ffff;

function getU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function putU64(out: DataView, at: number, value: number): void {
  out.setUint32(at, Math.floor(value / WORD));
  out.setUint32(at + 4, value >>> 0);
}

/** -1 when the field is above the greatest safe integer. */
function getU64(bytes: Uint8Array, at: number): number {
  const high = getU32(bytes, at);
  return high > SAFE_HIGH ? -1 : high * WORD + getU32(bytes, at + 4);
}

/**
 * Writes header and checksum before a payload that already lies at
 * `at + FRAME_HEADER`. Fields must be in range; the caller owns that.
 * @returns bytes of the whole frame
 */
export function encodeFrame(
  out: Uint8Array,
  at: number,
  header: FrameHeader,
  payloadLength: number,
): number {
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  encodeHeader(view, at, header);
  const length = FRAME_HEADER + payloadLength;
  encodeChecksum(view, at, frameSum(out, at, length));
  return length;
}

/** Writes a header without its checksum, four bytes at a time. Fields must be in range; the caller owns that. */
export function encodeHeader(out: DataView, at: number, header: FrameHeader): void {
  const { objectSize } = header;
  out.setUint32(at, (FRAME_MAGIC << 16) | (FRAME_VERSION << 8) | header.type);
  putU64(out, at + 8, header.epoch);
  putU64(out, at + 16, header.seq);
  putU64(out, at + 24, header.objectId);
  out.setUint32(at + 32, header.group);
  out.setUint32(
    at + 36,
    (header.shard << 24) | (header.k << 16) | (header.m << 8) | header.channel,
  );
  // The upper half of 48 bits; then its lower one, link and lane, and the flags.
  out.setUint32(at + 40, Math.floor(objectSize / 0x1_0000));
  out.setUint32(
    at + 44,
    ((objectSize % 0x1_0000) << 16) | (header.link << 12) | (header.lane << 8) | header.flags,
  );
}

/** Writes the sum of the whole frame into its header. */
export function encodeChecksum(out: DataView, at: number, sum: number): void {
  out.setUint32(at + CHECKSUM_AT, sum);
}

/**
 * Reads one datagram into `into`, which is meaningful only when the answer is
 * undefined. The payload is everything after the first 48 bytes.
 */
export function decodeFrame(datagram: Uint8Array, into: FrameHeader): FrameFault | undefined {
  const length = datagram.length;
  if (length < FRAME_HEADER || length > MAX_FRAME_SIZE) return "length";
  if (datagram[0] !== FRAME_MAGIC >>> 8 || datagram[1] !== (FRAME_MAGIC & 0xff)) return "magic";
  if (datagram[2] !== FRAME_VERSION) return "version";
  if (frameSum(datagram, 0, length) !== getU32(datagram, CHECKSUM_AT)) return "checksum";
  const type = datagram[3] as number;
  if (type < FRAME_TYPE.DATA || type > FRAME_TYPE.TAGS) return "type";
  into.type = type;
  into.epoch = getU64(datagram, 8);
  into.seq = getU64(datagram, 16);
  into.objectId = getU64(datagram, 24);
  if (into.epoch < 0 || into.seq < 0 || into.objectId < 0) return "number";
  into.group = getU32(datagram, 32);
  into.shard = datagram[36] as number;
  into.k = datagram[37] as number;
  into.m = datagram[38] as number;
  if (!shardFits(into)) return "shard";
  into.channel = datagram[39] as number;
  if (into.channel >= CHANNEL_COUNT) return "channel";
  into.objectSize =
    (((datagram[40] as number) << 8) | (datagram[41] as number)) * WORD + getU32(datagram, 42);
  into.link = (datagram[46] as number) >>> 4;
  into.lane = (datagram[46] as number) & 15;
  into.flags = datagram[47] as number;
  if ((into.flags & ~KNOWN_FLAGS) !== 0) return "flags";
  return undefined;
}

function shardFits({ type, shard, k, m }: FrameHeader): boolean {
  if (k < 1 || k + m > MAX_SHARDS) return false;
  if (type === FRAME_TYPE.PARITY) return shard >= k && shard < k + m;
  if (type === FRAME_TYPE.TAGS && k !== 1) return false;
  return shard < k && (m === 0 || type === FRAME_TYPE.DATA);
}
