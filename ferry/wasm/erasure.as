/**
 * Guarantee: products of GF(2^8) matrices and shards, and the two transforms that make all parity
 * rows of a Cauchy code at once (ferry/src/erasure/README.md), on memory that the caller gives and
 * lays out as the constants here say. It allocates nothing, keeps nothing between calls, and
 * takes the same time for any content. Lengths are multiples of 64 bytes, strips at most STRIP.
 *
 * AssemblyScript, made into erasure-relaxed.wasm and erasure-simd.wasm by `npm run gen`.
 */

/** Bytes of a row in SCRATCH and ACC: what of each shard is worked on at a time, so that all rows stay in the first cache. */
const STRIP: usize = 512;
/** Where a shard is missing, its pointer is this: STRIP bytes of zeros. Tables of products lie below. */
const ZERO: usize = 8192;
/** For each 16 data shards: 12 + 3 factors of the inverse transform, 4 scales; a u16 each, table offsets. */
const WIDE_PLAN: usize = 8704;
const WIDE_PLAN_BYTES: usize = 40;
/** For each 4 data shards: 3 factors, 2 scales. */
const QUAD_PLAN: usize = 9264;
const QUAD_PLAN_BYTES: usize = 12;
/** For each 16 parity rows: 3 + 12 factors of the forward transform. */
const WIDE_BACK: usize = 9936;
const WIDE_BACK_BYTES: usize = 30;
/** For each 4 parity rows: 3 factors. */
const QUAD_BACK: usize = 10056;
const QUAD_BACK_BYTES: usize = 6;
/** Sixteen rows between the two halves of a transform. */
const SCRATCH: usize = 57344;
/** Up to 64 rows of results. */
const ACC: usize = 65536;
const WIDE: usize = 16 * STRIP;
const QUAD: usize = 4 * STRIP;

/** Sixteen bytes looked up at once; every index is below 16, for which both instructions say the same. */
@inline function look(table: v128, index: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, index);
  return i8x16.swizzle(table, index);
}

/** x times the factor of which `low` and `high` hold the products with 0..15 and with 0x00..0xF0. */
@inline function times(x: v128, low: v128, high: v128, mask: v128): v128 {
  return v128.xor(
    look(low, v128.and(x, mask)),
    look(high, v128.and(i16x8.shr_u(x, 4), mask)),
  );
}

/** A factor of a plan: the offset of its table. */
@inline function factor(at: usize, n: usize): usize {
  return <usize>load<u16>(at + (n << 1));
}

/** A shard's strip. */
@inline function strip(list: usize, n: usize, from: usize): usize {
  const at = <usize>load<u32>(list + (n << 2));
  return at == ZERO ? ZERO : at + from;
}

/** Two layers of the inverse transform: four shards into four neighbouring rows at `o`. */
function inverseNear(
  a: usize, b: usize, c: usize, d: usize, o: usize, n: usize, w: usize,
): void {
  const mask = i8x16.splat(15);
  const al = v128.load(factor(w, 0));
  const ah = v128.load(factor(w, 0), 16);
  const bl = v128.load(factor(w, 1));
  const bh = v128.load(factor(w, 1), 16);
  const cl = v128.load(factor(w, 2));
  const ch = v128.load(factor(w, 2), 16);
  for (let i: usize = 0; i < n; i += 16) {
    let x0 = v128.load(a + i);
    let x1 = v128.xor(v128.load(b + i), x0);
    let x2 = v128.load(c + i);
    let x3 = v128.xor(v128.load(d + i), x2);
    x0 = v128.xor(x0, times(x1, al, ah, mask));
    x2 = v128.xor(x2, times(x3, bl, bh, mask));
    x2 = v128.xor(x2, x0);
    x3 = v128.xor(x3, x1);
    v128.store(o + i, v128.xor(x0, times(x2, cl, ch, mask)));
    v128.store(o + i, v128.xor(x1, times(x3, cl, ch, mask)), STRIP);
    v128.store(o + i, x2, 2 * STRIP);
    v128.store(o + i, x3, 3 * STRIP);
  }
}

/** The other two layers, rows four apart in SCRATCH; the scaled result is added to the first 16 rows of ACC. */
function inverseFar(p: usize, n: usize, w: usize): void {
  const mask = i8x16.splat(15);
  const al = v128.load(factor(w, 0));
  const ah = v128.load(factor(w, 0), 16);
  const bl = v128.load(factor(w, 1));
  const bh = v128.load(factor(w, 1), 16);
  const cl = v128.load(factor(w, 2));
  const ch = v128.load(factor(w, 2), 16);
  const sl = v128.load(factor(w, 3));
  const sh = v128.load(factor(w, 3), 16);
  for (const end = p + n; p < end; p += 16) {
    let x0 = v128.load(p);
    let x1 = v128.xor(v128.load(p, QUAD), x0);
    let x2 = v128.load(p, 2 * QUAD);
    let x3 = v128.xor(v128.load(p, 3 * QUAD), x2);
    x0 = v128.xor(x0, times(x1, al, ah, mask));
    x2 = v128.xor(x2, times(x3, bl, bh, mask));
    x2 = v128.xor(x2, x0);
    x3 = v128.xor(x3, x1);
    x0 = v128.xor(x0, times(x2, cl, ch, mask));
    x1 = v128.xor(x1, times(x3, cl, ch, mask));
    v128.store(p, x0);
    v128.store(p, x1, QUAD);
    v128.store(p, x2, 2 * QUAD);
    v128.store(p, x3, 3 * QUAD);
    x0 = v128.xor(v128.load(p, WIDE), times(x0, sl, sh, mask));
    x1 = v128.xor(v128.load(p, WIDE + QUAD), times(x1, sl, sh, mask));
    x2 = v128.xor(v128.load(p, WIDE + 2 * QUAD), times(x2, sl, sh, mask));
    x3 = v128.xor(v128.load(p, WIDE + 3 * QUAD), times(x3, sl, sh, mask));
    v128.store(p, x0, WIDE);
    v128.store(p, x1, WIDE + QUAD);
    v128.store(p, x2, WIDE + 2 * QUAD);
    v128.store(p, x3, WIDE + 3 * QUAD);
  }
}

/** Adds a row times a factor to another row. */
function addScaled(from: usize, to: usize, n: usize, table: usize): void {
  const mask = i8x16.splat(15);
  const low = v128.load(table);
  const high = v128.load(table, 16);
  for (const end = from + n; from < end; from += 32, to += 32) {
    const x = times(v128.load(from), low, high, mask);
    const y = times(v128.load(from, 16), low, high, mask);
    v128.store(to, v128.xor(v128.load(to), x));
    v128.store(to, v128.xor(v128.load(to, 16), y), 16);
  }
}

/** Two layers of the forward transform on rows four apart. */
function forwardFar(p: usize, n: usize, w: usize): void {
  const mask = i8x16.splat(15);
  const al = v128.load(factor(w, 0));
  const ah = v128.load(factor(w, 0), 16);
  const bl = v128.load(factor(w, 1));
  const bh = v128.load(factor(w, 1), 16);
  const cl = v128.load(factor(w, 2));
  const ch = v128.load(factor(w, 2), 16);
  for (const end = p + n; p < end; p += 16) {
    let x2 = v128.load(p, 2 * QUAD);
    let x3 = v128.load(p, 3 * QUAD);
    let x0 = v128.xor(v128.load(p), times(x2, cl, ch, mask));
    let x1 = v128.xor(v128.load(p, QUAD), times(x3, cl, ch, mask));
    x2 = v128.xor(x2, x0);
    x3 = v128.xor(x3, x1);
    x0 = v128.xor(x0, times(x1, al, ah, mask));
    x2 = v128.xor(x2, times(x3, bl, bh, mask));
    v128.store(p, x0);
    v128.store(p, v128.xor(x1, x0), QUAD);
    v128.store(p, x2, 2 * QUAD);
    v128.store(p, v128.xor(x3, x2), 3 * QUAD);
  }
}

/** The last two layers, on neighbouring rows. */
function forwardNear(p: usize, n: usize, w: usize): void {
  const mask = i8x16.splat(15);
  const al = v128.load(factor(w, 0));
  const ah = v128.load(factor(w, 0), 16);
  const bl = v128.load(factor(w, 1));
  const bh = v128.load(factor(w, 1), 16);
  const cl = v128.load(factor(w, 2));
  const ch = v128.load(factor(w, 2), 16);
  for (const end = p + n; p < end; p += 16) {
    let x2 = v128.load(p, 2 * STRIP);
    let x3 = v128.load(p, 3 * STRIP);
    let x0 = v128.xor(v128.load(p), times(x2, cl, ch, mask));
    let x1 = v128.xor(v128.load(p, STRIP), times(x3, cl, ch, mask));
    x2 = v128.xor(x2, x0);
    x3 = v128.xor(x3, x1);
    x0 = v128.xor(x0, times(x1, al, ah, mask));
    x2 = v128.xor(x2, times(x3, bl, bh, mask));
    v128.store(p, x0);
    v128.store(p, v128.xor(x1, x0), STRIP);
    v128.store(p, x2, 2 * STRIP);
    v128.store(p, v128.xor(x3, x2), 3 * STRIP);
  }
}

/**
 * All parity rows in blocks of 16 at ACC, block after block, each from its last row to its first.
 * @param list 16 × blocks pointers to data shards, or ZERO
 * @param blocks of 16 data shards; @param rows blocks of 16 parity rows, at most 4
 * @param from offset of the strip in every shard; @param n its length
 */
export function wide(list: usize, blocks: i32, rows: i32, from: usize, n: usize): void {
  memory.fill(ACC, 0, <usize>rows * WIDE);
  let plan = WIDE_PLAN;
  for (let t = 0; t < blocks; t += 1, list += 64, plan += WIDE_PLAN_BYTES) {
    for (let q: usize = 0; q < 4; q += 1) {
      inverseNear(
        strip(list, 4 * q, from), strip(list, 4 * q + 1, from),
        strip(list, 4 * q + 2, from), strip(list, 4 * q + 3, from),
        SCRATCH + q * QUAD, n, plan + 6 * q,
      );
    }
    for (let q: usize = 0; q < 4; q += 1) inverseFar(SCRATCH + q * STRIP, n, plan + 24);
    for (let b = 1; b < rows; b += 1) {
      const table = factor(plan, 15 + b);
      for (let v: usize = 0; v < 16; v += 1) {
        addScaled(SCRATCH + v * STRIP, ACC + <usize>b * WIDE + v * STRIP, n, table);
      }
    }
  }
  let at = ACC;
  plan = WIDE_BACK;
  for (let b = 0; b < rows; b += 1, at += WIDE, plan += WIDE_BACK_BYTES) {
    for (let q: usize = 0; q < 4; q += 1) forwardFar(at + q * STRIP, n, plan);
    for (let q: usize = 0; q < 4; q += 1) forwardNear(at + q * QUAD, n, plan + 6 + 6 * q);
  }
}

/** The same in blocks of 4: less work when there are few parity rows. @param rows at most 2 */
export function quad(list: usize, blocks: i32, rows: i32, from: usize, n: usize): void {
  memory.fill(ACC, 0, <usize>rows * QUAD);
  let plan = QUAD_PLAN;
  for (let t = 0; t < blocks; t += 1, list += 16, plan += QUAD_PLAN_BYTES) {
    inverseNear(
      strip(list, 0, from), strip(list, 1, from), strip(list, 2, from), strip(list, 3, from),
      SCRATCH, n, plan,
    );
    for (let b = 0; b < rows; b += 1) {
      const table = factor(plan, 3 + b);
      for (let v: usize = 0; v < 4; v += 1) {
        addScaled(SCRATCH + v * STRIP, ACC + <usize>b * QUAD + v * STRIP, n, table);
      }
    }
  }
  for (let b = 0; b < rows; b += 1) {
    forwardNear(ACC + <usize>b * QUAD, n, QUAD_BACK + <usize>b * QUAD_BACK_BYTES);
  }
}

/** Four rows of a product, 32 bytes of each at a time. @returns where the next rows' factors begin */
function product4(
  outs: usize, ins: usize, columns: i32, matrix: usize, inFrom: usize, outFrom: usize, n: usize,
): usize {
  const mask = i8x16.splat(15);
  let c = matrix;
  for (let i: usize = 0; i < n; i += 32) {
    let r0 = i8x16.splat(0);
    let r1 = r0;
    let r2 = r0;
    let r3 = r0;
    let s0 = r0;
    let s1 = r0;
    let s2 = r0;
    let s3 = r0;
    c = matrix;
    for (let at = ins, end = ins + (columns << 2); at < end; at += 4, c += 8) {
      const p = <usize>load<u32>(at) + inFrom + i;
      const x = v128.load(p);
      const y = v128.load(p, 16);
      const xl = v128.and(x, mask);
      const yl = v128.and(y, mask);
      const xh = v128.and(i16x8.shr_u(x, 4), mask);
      const yh = v128.and(i16x8.shr_u(y, 4), mask);
      let t = <usize>load<u16>(c);
      let low = v128.load(t);
      let high = v128.load(t, 16);
      r0 = v128.xor(r0, v128.xor(look(low, xl), look(high, xh)));
      s0 = v128.xor(s0, v128.xor(look(low, yl), look(high, yh)));
      t = <usize>load<u16>(c, 2);
      low = v128.load(t);
      high = v128.load(t, 16);
      r1 = v128.xor(r1, v128.xor(look(low, xl), look(high, xh)));
      s1 = v128.xor(s1, v128.xor(look(low, yl), look(high, yh)));
      t = <usize>load<u16>(c, 4);
      low = v128.load(t);
      high = v128.load(t, 16);
      r2 = v128.xor(r2, v128.xor(look(low, xl), look(high, xh)));
      s2 = v128.xor(s2, v128.xor(look(low, yl), look(high, yh)));
      t = <usize>load<u16>(c, 6);
      low = v128.load(t);
      high = v128.load(t, 16);
      r3 = v128.xor(r3, v128.xor(look(low, xl), look(high, xh)));
      s3 = v128.xor(s3, v128.xor(look(low, yl), look(high, yh)));
    }
    let o = <usize>load<u32>(outs) + outFrom + i;
    v128.store(o, r0);
    v128.store(o, s0, 16);
    o = <usize>load<u32>(outs, 4) + outFrom + i;
    v128.store(o, r1);
    v128.store(o, s1, 16);
    o = <usize>load<u32>(outs, 8) + outFrom + i;
    v128.store(o, r2);
    v128.store(o, s2, 16);
    o = <usize>load<u32>(outs, 12) + outFrom + i;
    v128.store(o, r3);
    v128.store(o, s3, 16);
  }
  return c;
}

/** One row of a product, 64 bytes at a time. */
function product1(
  outs: usize, ins: usize, columns: i32, matrix: usize, inFrom: usize, outFrom: usize, n: usize,
): usize {
  const mask = i8x16.splat(15);
  const o = <usize>load<u32>(outs) + outFrom;
  let c = matrix;
  for (let i: usize = 0; i < n; i += 64) {
    let r = i8x16.splat(0);
    let s = r;
    let u = r;
    let v = r;
    c = matrix;
    for (let at = ins, end = ins + (columns << 2); at < end; at += 4, c += 2) {
      const p = <usize>load<u32>(at) + inFrom + i;
      const t = <usize>load<u16>(c);
      const low = v128.load(t);
      const high = v128.load(t, 16);
      r = v128.xor(r, times(v128.load(p), low, high, mask));
      s = v128.xor(s, times(v128.load(p, 16), low, high, mask));
      u = v128.xor(u, times(v128.load(p, 32), low, high, mask));
      v = v128.xor(v, times(v128.load(p, 48), low, high, mask));
    }
    v128.store(o + i, r);
    v128.store(o + i, s, 16);
    v128.store(o + i, u, 32);
    v128.store(o + i, v, 48);
  }
  return c;
}

/**
 * Each of `rows` outputs becomes the sum of `columns` inputs times factors.
 * @param matrix table offsets, u16: for four rows at a time the four factors of the first column,
 *   of the second …; for each row left over its factors
 */
export function product(
  outs: usize, rows: i32, ins: usize, columns: i32, matrix: usize,
  inFrom: usize, outFrom: usize, n: usize,
): void {
  let r = 0;
  for (; r + 4 <= rows; r += 4, outs += 16) {
    matrix = product4(outs, ins, columns, matrix, inFrom, outFrom, n);
  }
  for (; r < rows; r += 1, outs += 4) {
    matrix = product1(outs, ins, columns, matrix, inFrom, outFrom, n);
  }
}

/** Copies rows to the strips of shards. */
export function put(shards: usize, rows: usize, count: i32, from: usize, n: usize): void {
  for (; count > 0; count -= 1, shards += 4, rows += 4) {
    const to = <usize>load<u32>(shards) + from;
    const at = <usize>load<u32>(rows);
    for (let i: usize = 0; i < n; i += 32) {
      v128.store(to + i, v128.load(at + i));
      v128.store(to + i, v128.load(at + i, 16), 16);
    }
  }
}

/** Adds the strips of shards to rows. */
export function add(shards: usize, rows: usize, count: i32, from: usize, n: usize): void {
  for (; count > 0; count -= 1, shards += 4, rows += 4) {
    const at = <usize>load<u32>(shards) + from;
    const to = <usize>load<u32>(rows);
    for (let i: usize = 0; i < n; i += 32) {
      v128.store(to + i, v128.xor(v128.load(to + i), v128.load(at + i)));
      v128.store(to + i, v128.xor(v128.load(to + i, 16), v128.load(at + i, 16)), 16);
    }
  }
}
