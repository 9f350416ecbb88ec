/**
 * Guarantee: SM3 (GB/T 32905-2016 §5) of one given byte || message for four
 * messages of one length at once, lane i of every vector belonging to message i. It reads
 * and writes nothing but its own memory, whose places are the constants here,
 * and has no imports, no heap and no data-dependent branch or address.
 *
 * AssemblyScript, made into sm3-lanes.wasm and sm3-lanes-relaxed.wasm by `npm run gen`.
 */

/** Longest message: a sealed chunk of 256 KiB and its 16-byte tag. */
const CAPACITY: i32 = 262160;
/** T rotated by j (GB/T 32905-2016 §4.2), four times each: 64 vectors. */
const CONSTANTS: usize = 0;
/** The 68 words of the schedule, a vector each. */
const WORDS: usize = 1024;
/** The last one or two blocks of each message with their padding, 128 bytes each. */
const TAILS: usize = 2176;
/** Four digests of 32 bytes. */
const DIGESTS: usize = 2688;
/** Two patterns of 16 bytes, for rotl8() and swap(). */
const ROTATE_8: usize = 3072;
const REVERSE: usize = 3088;
/** Words of the schedule rotated by 7, each as far from here as the word from WORDS; those before the fourth are not used. */
const SEVENS: usize = 3104;
/** The first message; its prefix stands in the byte before. */
const LANES: usize = 4608;
/** From one message to the next: past its end, and no power of two, which would share cache sets. */
const STRIDE: usize = 262144 + 1088;

@inline function rotl(x: v128, n: i32): v128 {
  return v128.or(i32x4.shl(x, n), i32x4.shr_u(x, 32 - n));
}

/**
 * By 8 bits: whole bytes, so one shuffle instead of three operations. The pattern of a shuffle the engine would
 * make anew at each use, with more instructions than the shuffle itself; one in memory it looks up at once, where it has
 * the instruction for it: 6 to 9 % of a digest.
 */
@inline function rotl8(x: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(x, v128.load(ROTATE_8));
  return i8x16.shuffle(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

/** P0(x) = x ^ (x <<< 9) ^ (x <<< 17), §4.4. */
@inline function p0(x: v128): v128 {
  return v128.xor(x, rotl(v128.xor(x, rotl8(x)), 9));
}

/** P1(x) = x ^ (x <<< 15) ^ (x <<< 23), §4.4. */
@inline function p1(x: v128): v128 {
  return v128.xor(x, rotl(v128.xor(x, rotl8(x)), 15));
}

/** FF and GG of rounds 0..15, §4.3. */
@inline function parity(x: v128, y: v128, z: v128): v128 {
  return v128.xor(v128.xor(x, y), z);
}

/** FF of rounds 16..63: (x & y) | (x & z) | (y & z), written with fewer operations. */
@inline function majority(x: v128, y: v128, z: v128): v128 {
  return v128.xor(v128.and(v128.xor(x, y), v128.xor(y, z)), y);
}

/** GG of rounds 16..63: (x & y) | (~x & z), written with fewer operations. */
@inline function choice(x: v128, y: v128, z: v128): v128 {
  return v128.xor(v128.and(v128.xor(y, z), x), z);
}


/** SS1, §5.3.3, from A <<< 12. */
@inline function ss1(a12: v128, e: v128, at: usize): v128 {
  return rotl(i32x4.add(i32x4.add(a12, e), v128.load(at, CONSTANTS)), 7);
}

@inline function sum(x: v128, y: v128, z: v128, w: v128): v128 {
  return i32x4.add(i32x4.add(x, y), i32x4.add(z, w));
}

/** Sixteen bytes of each message, as four big-endian words of all lanes: words j..j+3. */
@inline function transpose(from: usize, stride: usize, j: usize): void {
  const a = swap(v128.load(from));
  const b = swap(v128.load(from + stride));
  const c = swap(v128.load(from + 2 * stride));
  const d = swap(v128.load(from + 3 * stride));
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  const to = WORDS + (j << 4);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(AB, CD, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(AB, CD, 1, 3), 48);
}

/** Big-endian words from memory, or back. Every index of either pattern is below 16, where all engines say the same. */
@inline function swap(x: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(x, v128.load(REVERSE));
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/**
 * The word of the schedule 16 behind the one at byte `at` of it, §5.3.2. What it takes rotated by 15 is taken
 * rotated by 7 ten words later: that is kept, and a shuffle makes the other of it. No offset is negative:
 * each of those takes an instruction of its own.
 */
@inline function expandOne(at: usize): void {
  const seven = rotl(v128.load(at, WORDS + 208), 7);
  v128.store(at, seven, SEVENS + 208);
  const mixed = v128.xor(
    v128.xor(v128.load(at, WORDS), v128.load(at, WORDS + 112)),
    rotl8(seven),
  );
  const rest = v128.xor(v128.load(at, SEVENS + 48), v128.load(at, WORDS + 160));
  v128.store(at, v128.xor(p1(mixed), rest), WORDS + 256);
}

/** Four words, the first of them 16 behind the one at byte `at`. */
@inline function expand(at: usize): void {
  expandOne(at);
  expandOne(at + 16);
  expandOne(at + 32);
  expandOne(at + 48);
}

/** The chaining value, §5.2: v0 holds word 0 of all lanes. */
let v0: v128 = i32x4.splat(0);
let v1: v128 = i32x4.splat(0);
let v2: v128 = i32x4.splat(0);
let v3: v128 = i32x4.splat(0);
let v4: v128 = i32x4.splat(0);
let v5: v128 = i32x4.splat(0);
let v6: v128 = i32x4.splat(0);
let v7: v128 = i32x4.splat(0);

/** CF of §5.3 over `blocks` blocks of each message; the four messages are `stride` bytes apart. */
function compress(from: usize, stride: usize, blocks: i32): void {
  let a = v0;
  let b = v1;
  let c = v2;
  let d = v3;
  let e = v4;
  let f = v5;
  let g = v6;
  let h = v7;
  for (; blocks > 0; blocks -= 1, from += 64) {
    transpose(from, stride, 0);
    transpose(from + 16, stride, 4);
    transpose(from + 32, stride, 8);
    transpose(from + 48, stride, 12);
    for (let at: usize = 48; at < 208; at += 16) {
      v128.store(at, rotl(v128.load(at, WORDS), 7), SEVENS);
    }
    // Four rounds at a time: after them every register is again in its own place. Words are made
    // sixteen ahead, among the rounds, because neither alone keeps the processor busy.
    for (let at: usize = 0; at < 256; at += 64) {
      expand(at);
      let r = rotl(a, 12);
      let s = ss1(r, e, at);
      let w = v128.load(at, WORDS);
      d = sum(parity(a, b, c), d, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 64)));
      h = p0(sum(parity(e, f, g), h, s, w));
      b = rotl(b, 9);
      f = rotl(f, 19);

      r = rotl(d, 12);
      s = ss1(r, h, at + 16);
      w = v128.load(at, WORDS + 16);
      c = sum(parity(d, a, b), c, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 80)));
      g = p0(sum(parity(h, e, f), g, s, w));
      a = rotl(a, 9);
      e = rotl(e, 19);

      r = rotl(c, 12);
      s = ss1(r, g, at + 32);
      w = v128.load(at, WORDS + 32);
      b = sum(parity(c, d, a), b, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 96)));
      f = p0(sum(parity(g, h, e), f, s, w));
      d = rotl(d, 9);
      h = rotl(h, 19);

      r = rotl(b, 12);
      s = ss1(r, f, at + 48);
      w = v128.load(at, WORDS + 48);
      a = sum(parity(b, c, d), a, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 112)));
      e = p0(sum(parity(f, g, h), e, s, w));
      c = rotl(c, 9);
      g = rotl(g, 19);
    }
    for (let at: usize = 256; at < 1024; at += 64) {
      if (at < 832) expand(at);
      let r = rotl(a, 12);
      let s = ss1(r, e, at);
      let w = v128.load(at, WORDS);
      d = sum(majority(a, b, c), d, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 64)));
      h = p0(sum(choice(e, f, g), h, s, w));
      b = rotl(b, 9);
      f = rotl(f, 19);

      r = rotl(d, 12);
      s = ss1(r, h, at + 16);
      w = v128.load(at, WORDS + 16);
      c = sum(majority(d, a, b), c, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 80)));
      g = p0(sum(choice(h, e, f), g, s, w));
      a = rotl(a, 9);
      e = rotl(e, 19);

      r = rotl(c, 12);
      s = ss1(r, g, at + 32);
      w = v128.load(at, WORDS + 32);
      b = sum(majority(c, d, a), b, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 96)));
      f = p0(sum(choice(g, h, e), f, s, w));
      d = rotl(d, 9);
      h = rotl(h, 19);

      r = rotl(b, 12);
      s = ss1(r, f, at + 48);
      w = v128.load(at, WORDS + 48);
      a = sum(majority(b, c, d), a, v128.xor(s, r), v128.xor(w, v128.load(at, WORDS + 112)));
      e = p0(sum(choice(f, g, h), e, s, w));
      c = rotl(c, 9);
      g = rotl(g, 19);
    }
    v0 = a = v128.xor(a, v0);
    v1 = b = v128.xor(b, v1);
    v2 = c = v128.xor(c, v2);
    v3 = d = v128.xor(d, v3);
    v4 = e = v128.xor(e, v4);
    v5 = f = v128.xor(f, v5);
    v6 = g = v128.xor(g, v6);
    v7 = h = v128.xor(h, v7);
  }
}

/** Four words of all lanes, back as sixteen bytes of each digest. */
@inline function put(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const AB = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const CD = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, swap(v128.shuffle<i64>(ab, cd, 0, 2)));
  v128.store(to, swap(v128.shuffle<i64>(ab, cd, 1, 3)), 32);
  v128.store(to, swap(v128.shuffle<i64>(AB, CD, 0, 2)), 64);
  v128.store(to, swap(v128.shuffle<i64>(AB, CD, 1, 3)), 96);
}

function constants(): void {
  store<u64>(ROTATE_8, 0x0605040702010003);
  store<u64>(ROTATE_8, 0x0e0d0c0f0a09080b, 8);
  store<u64>(REVERSE, 0x0405060700010203);
  store<u64>(REVERSE, 0x0c0d0e0f08090a0b, 8);
  for (let j: i32 = 0; j < 64; j += 1) {
    const t: u32 = j < 16 ? 0x79cc4519 : 0x7a879d8a;
    v128.store(CONSTANTS + (<usize>j << 4), i32x4.splat(rotl32(t, j & 31)));
  }
}

@inline function rotl32(x: u32, n: i32): u32 {
  return (x << n) | (x >> ((32 - n) & 31));
}

/** Where the caller puts the messages, the longest one, and where the digests are. */
export function lane(i: i32): usize {
  return LANES + <usize>i * STRIDE;
}
export function capacity(): i32 {
  return CAPACITY;
}
export function digests(): usize {
  return DIGESTS;
}

/**
 * Hashes `first` || the first `length` bytes of each lane; the lanes stay as they are. `first` is
 * the leaf prefix 0x00, or the first letter of a published vector.
 * @returns 0 and does nothing if `length` is out of range, else 1.
 */
export function digest(length: i32, first: i32): i32 {
  if (length < 0 || length > CAPACITY) return 0;
  if (load<u32>(CONSTANTS) == 0) constants();
  v0 = i32x4.splat(0x7380166f);
  v1 = i32x4.splat(0x4914b2b9);
  v2 = i32x4.splat(0x172442d7);
  v3 = i32x4.splat(0xda8a0600);
  v4 = i32x4.splat(0xa96f30bc);
  v5 = i32x4.splat(0x163138aa);
  v6 = i32x4.splat(0xe38dee4d);
  v7 = i32x4.splat(0xb0fb0e4e);
  const total = length + 1;
  const rest = total & 63;
  const blocks = total >> 6;
  const tail = rest < 56 ? 64 : 128;
  memory.fill(TAILS, 0, 512);
  for (let i: usize = 0; i < 4; i += 1) {
    const start = LANES + i * STRIDE - 1;
    const to = TAILS + (i << 7);
    store<u8>(start, <u8>first);
    memory.copy(to, start + (<usize>blocks << 6), rest);
    store<u8>(to + rest, 0x80);
    store<u32>(to + tail - 4, bswap<u32>(<u32>total << 3));
  }
  compress(LANES - 1, STRIDE, blocks);
  compress(TAILS, 128, tail >> 6);
  put(DIGESTS, v0, v1, v2, v3);
  put(DIGESTS + 16, v4, v5, v6, v7);
  return 1;
}
