/**
 * Guarantee: frames that came together are read where they lie in the receiver's ring, by the rules of
 * ferry/SPEC.md §2, and what each says is written into a row of the table that the caller names; bytes of a
 * shard are copied to where the caller says. It reads and writes nothing else and keeps nothing between calls.
 *
 * AssemblyScript, made into frames-in.wasm by `npm run gen`. The memory is the caller's and shared.
 */
import { frameSum } from "./frame-sum";

const HEADER: usize = 48;
const MAX_FRAME: usize = 8944;
const MAX_SHARDS: i32 = 255;
const CHANNELS: i32 = 3;
const KNOWN_FLAGS: i32 = 3;
const DATA: i32 = 1;
const PARITY: i32 = 2;
const TAGS: i32 = 6;
/** The greatest safe integer. */
const SAFE: u64 = 0x1f_ffff_ffff_ffff;
/** "LF" and version 2, as three bytes read at once. */
const BEGINNING: u32 = 0x02464c;

/** Faults by their place in FRAME_FAULTS (ferry/src/frame.ts), counted from 1. */
const LENGTH: i32 = 1;
const MAGIC: i32 = 2;
const VERSION: i32 = 3;
const CHECKSUM: i32 = 4;
const TYPE: i32 = 5;
const NUMBER: i32 = 6;
const SHARD: i32 = 7;
const CHANNEL: i32 = 8;
const FLAGS: i32 = 9;

@inline function big64(at: usize): u64 {
  return bswap<u64>(load<u64>(at));
}

/** Reads a frame of at least a header and at most MAX_FRAME bytes. @returns its fault, 0 = none */
function read(at: usize, length: usize, row: usize): i32 {
  const beginning = load<u32>(at) & 0xff_ffff;
  if (beginning != BEGINNING) return (beginning ^ BEGINNING) & 0xffff ? MAGIC : VERSION;
  if (frameSum(at, length) != bswap<u32>(load<u32>(at, 4))) return CHECKSUM;
  const type = <i32>load<u8>(at, 3);
  if (type < DATA || type > TAGS) return TYPE;
  const epoch = big64(at + 8);
  const seq = big64(at + 16);
  const object = big64(at + 24);
  if (epoch > SAFE || seq > SAFE || object > SAFE) return NUMBER;
  const shard = <i32>load<u8>(at, 36);
  const k = <i32>load<u8>(at, 37);
  const m = <i32>load<u8>(at, 38);
  if (k < 1 || k + m > MAX_SHARDS) return SHARD;
  if (type == PARITY ? shard < k || shard >= k + m : shard >= k || (m != 0 && type != DATA)) return SHARD;
  if (type == TAGS && k != 1) return SHARD;
  const channel = <i32>load<u8>(at, 39);
  if (channel >= CHANNELS) return CHANNEL;
  const flags = <i32>load<u8>(at, 47);
  if ((flags & ~KNOWN_FLAGS) != 0) return FLAGS;
  store<f64>(row, <f64>epoch);
  store<f64>(row, <f64>seq, 8);
  store<f64>(row, <f64>object, 16);
  store<f64>(row, <f64>(big64(at + 40) >> 16), 24);
  store<i32>(row, type, 36);
  store<u32>(row, bswap<u32>(load<u32>(at, 32)), 40);
  store<i32>(row, shard, 44);
  store<i32>(row, k, 48);
  store<i32>(row, m, 52);
  store<i32>(row, channel, 56);
  store<i32>(row, (<i32>load<u8>(at, 46) << 8) | flags, 60);
  return 0;
}

/**
 * Reads `length` bytes at `at`, datagrams of `size` bytes each but the last, into rows of 64 bytes; as many as there are rows.
 * @returns how many datagrams it has read
 */
export function readFrames(at: usize, length: usize, size: usize, table: usize, rows: usize): usize {
  let count: usize = 0;
  for (const end = at + length; at < end && count < rows; at += size, count += 1) {
    const bytes = min<usize>(size, end - at);
    const row = table + (count << 6);
    const fits = bytes >= HEADER && bytes <= MAX_FRAME;
    store<i32>(row, fits ? read(at, bytes, row) : LENGTH, 32);
  }
  return count;
}

/** The two places do not overlap. */
export function copyBytes(to: usize, from: usize, length: usize): void {
  let left = length;
  for (; left >= 64; left -= 64, from += 64, to += 64) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
  }
  for (; left >= 8; left -= 8, from += 8, to += 8) store<u64>(to, load<u64>(from));
  for (; left > 0; left -= 1, from += 1, to += 1) store<u8>(to, load<u8>(from));
}
