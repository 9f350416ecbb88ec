/* See sm.h. */
#define _DEFAULT_SOURCE
#include "sm.h"

#include <string.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

int random_bytes(void *out, size_t length) {
  uint8_t *to = out;
  while (length > 0) {
    size_t part = length < 256 ? length : 256; /* getentropy gives no more at once */
    if (getentropy(to, part) != 0) return 1;
    to += part;
    length -= part;
  }
  return 0;
}

/* ---- SM3, GB/T 32905-2016 ---- */

static uint32_t rol(uint32_t x, unsigned n) { return n % 32 == 0 ? x : x << n % 32 | x >> (32 - n % 32); }

static uint32_t load32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store32(uint8_t *p, uint32_t x) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(x >> (24 - 8 * i));
}

static void sm3_compress(uint32_t v[8], const uint8_t block[64]) {
  uint32_t w[68], s[8];
  for (int i = 0; i < 16; i++) w[i] = load32(block + 4 * i);
  for (int i = 16; i < 68; i++) {
    uint32_t x = w[i - 16] ^ w[i - 9] ^ rol(w[i - 3], 15);
    w[i] = (x ^ rol(x, 15) ^ rol(x, 23)) ^ rol(w[i - 13], 7) ^ w[i - 6];
  }
  memcpy(s, v, sizeof s);
  for (unsigned i = 0; i < 64; i++) {
    uint32_t t = i < 16 ? 0x79cc4519u : 0x7a879d8au;
    uint32_t ss1 = rol(rol(s[0], 12) + s[4] + rol(t, i), 7);
    uint32_t ss2 = ss1 ^ rol(s[0], 12);
    uint32_t ff = i < 16 ? s[0] ^ s[1] ^ s[2] : (s[0] & s[1]) | (s[0] & s[2]) | (s[1] & s[2]);
    uint32_t gg = i < 16 ? s[4] ^ s[5] ^ s[6] : (s[4] & s[5]) | (~s[4] & s[6]);
    uint32_t t1 = ff + s[3] + ss2 + (w[i] ^ w[i + 4]);
    uint32_t t2 = gg + s[7] + ss1 + w[i];
    s[3] = s[2], s[2] = rol(s[1], 9), s[1] = s[0], s[0] = t1;
    s[7] = s[6], s[6] = rol(s[5], 19), s[5] = s[4], s[4] = t2 ^ rol(t2, 9) ^ rol(t2, 17);
  }
  for (int i = 0; i < 8; i++) v[i] ^= s[i];
}

void sm3_init(sm3_state *s) {
  static const uint32_t iv[8] = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
                                 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};
  memcpy(s->state, iv, sizeof iv);
  s->bytes = 0;
}

void sm3_update(sm3_state *s, const void *data, size_t length) {
  const uint8_t *from = data;
  for (size_t i = 0; i < length; i++) {
    s->block[s->bytes++ % 64] = from[i];
    if (s->bytes % 64 == 0) sm3_compress(s->state, s->block);
  }
}

void sm3_final(sm3_state *s, uint8_t out[32]) {
  uint64_t bits = s->bytes * 8;
  uint8_t length[8];
  store32(length, (uint32_t)(bits >> 32));
  store32(length + 4, (uint32_t)bits);
  sm3_update(s, "\x80", 1);
  while (s->bytes % 64 != 56) sm3_update(s, "", 1);
  sm3_update(s, length, 8);
  for (int i = 0; i < 8; i++) store32(out + 4 * i, s->state[i]);
}

/* ---- SM4, GB/T 32907-2016 ---- */

/* The affine map of the S-box: a circulant matrix over GF(2), then a constant. */
static uint8_t sm4_affine(uint8_t x) {
  uint8_t y = 0;
  for (int bit = 0; bit < 8; bit++) {
    uint8_t row = (uint8_t)(0xa7 << bit | 0xa7 >> (8 - bit));
    y |= (uint8_t)(__builtin_parity(row & x) << bit);
  }
  return y ^ 0xd3;
}

/* Product in GF(2^8) modulo x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1. */
static uint8_t sm4_times(uint8_t a, uint8_t b) {
  uint8_t r = 0;
  for (; b != 0; b >>= 1) {
    if (b & 1) r ^= a;
    a = (uint8_t)(a << 1) ^ (a & 0x80 ? 0xf5 : 0);
  }
  return r;
}

/* Published as a table; here as what the table is: affine, inverse, affine. */
static uint8_t sm4_sbox(uint8_t x) {
  uint8_t a = sm4_affine(x), inverse = 1;
  for (int i = 0; i < 254; i++) inverse = sm4_times(inverse, a); /* a^254 is 1/a, and 0 for 0 */
  return sm4_affine(inverse);
}

static uint32_t sm4_tau(uint32_t x) {
  static uint8_t table[256];
  static int ready;
  if (!ready) {
    for (int i = 0; i < 256; i++) table[i] = sm4_sbox((uint8_t)i);
    ready = 1;
  }
  uint32_t y = 0;
  for (int i = 0; i < 32; i += 8) y |= (uint32_t)table[x >> i & 0xff] << i;
  return y;
}

void sm4_block(const uint8_t key[16], int decrypt, const uint8_t in[16], uint8_t out[16]) {
  static const uint32_t fk[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
  uint32_t k[36], x[36];
  for (int i = 0; i < 4; i++) k[i] = load32(key + 4 * i) ^ fk[i], x[i] = load32(in + 4 * i);
  for (int i = 0; i < 32; i++) {
    uint32_t ck = 0;
    for (int j = 0; j < 4; j++) ck = ck << 8 | (uint8_t)((4 * i + j) * 7);
    uint32_t t = sm4_tau(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ ck);
    k[i + 4] = k[i] ^ t ^ rol(t, 13) ^ rol(t, 23);
  }
  for (int i = 0; i < 32; i++) {
    uint32_t round = k[4 + (decrypt ? 31 - i : i)];
    uint32_t t = sm4_tau(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ round);
    x[i + 4] = x[i] ^ t ^ rol(t, 2) ^ rol(t, 10) ^ rol(t, 18) ^ rol(t, 24);
  }
  for (int i = 0; i < 4; i++) store32(out + 4 * i, x[35 - i]);
}

/* ---- Arithmetic modulo 256-bit primes, Montgomery form; limbs from the least significant ---- */

typedef struct {
  uint64_t w[4];
} num;

typedef struct {
  num m;
  uint64_t n0; /* -1/m modulo 2^64 */
  num one;     /* 2^256 modulo m */
  num rr;      /* 2^512 modulo m */
} field;

typedef unsigned __int128 wide;

static uint64_t sub(num *r, const num *a, const num *b) {
  uint64_t borrow = 0;
  for (int i = 0; i < 4; i++) {
    wide d = (wide)a->w[i] - b->w[i] - borrow;
    r->w[i] = (uint64_t)d;
    borrow = (uint64_t)(d >> 64) & 1;
  }
  return borrow;
}

static uint64_t add(num *r, const num *a, const num *b) {
  wide s = 0;
  for (int i = 0; i < 4; i++) {
    s += (wide)a->w[i] + b->w[i];
    r->w[i] = (uint64_t)s;
    s >>= 64;
  }
  return (uint64_t)s;
}

static int is_zero(const num *a) { return (a->w[0] | a->w[1] | a->w[2] | a->w[3]) == 0; }
static int below(const num *a, const num *b) {
  num t;
  return (int)sub(&t, a, b);
}

static num fadd(const field *f, num a, num b) {
  num s, t;
  uint64_t carry = add(&s, &a, &b);
  uint64_t borrow = sub(&t, &s, &f->m);
  return carry || !borrow ? t : s;
}

static num fsub(const field *f, num a, num b) {
  num d;
  if (sub(&d, &a, &b)) add(&d, &d, &f->m);
  return d;
}

/* a * b / 2^256 modulo m. */
static num fmul(const field *f, num a, num b) {
  uint64_t t[6] = {0};
  for (int i = 0; i < 4; i++) {
    wide c = 0;
    for (int j = 0; j < 4; j++) {
      c += (wide)a.w[j] * b.w[i] + t[j];
      t[j] = (uint64_t)c;
      c >>= 64;
    }
    c += t[4];
    t[4] = (uint64_t)c;
    t[5] = (uint64_t)(c >> 64);
    uint64_t q = t[0] * f->n0;
    c = ((wide)q * f->m.w[0] + t[0]) >> 64;
    for (int j = 1; j < 4; j++) {
      c += (wide)q * f->m.w[j] + t[j];
      t[j - 1] = (uint64_t)c;
      c >>= 64;
    }
    c += t[4];
    t[3] = (uint64_t)c;
    t[4] = t[5] + (uint64_t)(c >> 64);
  }
  num r = {{t[0], t[1], t[2], t[3]}}, reduced;
  uint64_t borrow = sub(&reduced, &r, &f->m);
  return t[4] || !borrow ? reduced : r;
}

static num fmont(const field *f, num a) { return fmul(f, a, f->rr); }
static num fplain(const field *f, num a) { return fmul(f, a, (num){{1, 0, 0, 0}}); }

/* 1/a = a^(m-2), Fermat. */
static num finverse(const field *f, num a) {
  num e, r = f->one;
  sub(&e, &f->m, &(num){{2, 0, 0, 0}});
  for (int bit = 255; bit >= 0; bit--) {
    r = fmul(f, r, r);
    if (e.w[bit / 64] >> bit % 64 & 1) r = fmul(f, r, a);
  }
  return r;
}

static field make_field(num m) {
  field f = {.m = m};
  uint64_t inverse = 1;
  for (int i = 0; i < 6; i++) inverse *= 2 - m.w[0] * inverse; /* Newton, 64 bits */
  f.n0 = 0 - inverse;
  num r = {{1, 0, 0, 0}};
  for (int i = 0; i < 512; i++) {
    r = fadd(&f, r, r);
    if (i == 255) f.one = r;
  }
  f.rr = r;
  return f;
}

static num load_num(const uint8_t b[32]) {
  num r;
  for (int i = 0; i < 4; i++)
    r.w[3 - i] = (uint64_t)load32(b + 8 * i) << 32 | load32(b + 8 * i + 4);
  return r;
}

static void store_num(uint8_t b[32], num a) {
  for (int i = 0; i < 4; i++) {
    store32(b + 8 * i, (uint32_t)(a.w[3 - i] >> 32));
    store32(b + 8 * i + 4, (uint32_t)a.w[3 - i]);
  }
}

/* ---- The curve of GB/T 32918.5-2017 ---- */

static const num P = {{0xffffffffffffffff, 0xffffffff00000000, 0xffffffffffffffff, 0xfffffffeffffffff}};
static const num N = {{0x53bbf40939d54123, 0x7203df6b21c6052b, 0xffffffffffffffff, 0xfffffffeffffffff}};
static const num A = {{0xfffffffffffffffc, 0xffffffff00000000, 0xffffffffffffffff, 0xfffffffeffffffff}};
static const num B = {{0xddbcbd414d940e93, 0xf39789f515ab8f92, 0x4d5a9e4bcf6509a7, 0x28e9fa9e9d9f5e34}};
static const num GX = {{0x715a4589334c74c7, 0x8fe30bbff2660be1, 0x5f9904466a39c994, 0x32c4ae2c1f198119}};
static const num GY = {{0x02df32e52139f0a0, 0xd0a9877cc62a4740, 0x59bdcee36b692153, 0xbc3736a2f4f6779c}};

static field FP, FN;
static num a_mont, b_mont;

/* Jacobian: (x/z^2, y/z^3); infinite when z is 0. Montgomery form. */
typedef struct {
  num x, y, z;
} point;

static point base;

static void prepare(void) {
  if (!is_zero(&base.z)) return;
  FP = make_field(P);
  FN = make_field(N);
  a_mont = fmont(&FP, A);
  b_mont = fmont(&FP, B);
  base = (point){fmont(&FP, GX), fmont(&FP, GY), FP.one};
}

static num mul(num a, num b) { return fmul(&FP, a, b); }
static num plus(num a, num b) { return fadd(&FP, a, b); }
static num minus(num a, num b) { return fsub(&FP, a, b); }
static num twice(num a) { return plus(a, a); }

static point pdouble(point p) {
  num yy = mul(p.y, p.y), zz = mul(p.z, p.z), xx = mul(p.x, p.x);
  num s = twice(twice(mul(p.x, yy)));
  num m = plus(plus(xx, twice(xx)), mul(a_mont, mul(zz, zz)));
  point r;
  r.x = minus(mul(m, m), twice(s));
  r.y = minus(mul(m, minus(s, r.x)), twice(twice(twice(mul(yy, yy)))));
  r.z = twice(mul(p.y, p.z));
  return r;
}

static point padd(point p, point q) {
  if (is_zero(&p.z)) return q;
  if (is_zero(&q.z)) return p;
  num pz = mul(p.z, p.z), qz = mul(q.z, q.z);
  num u = mul(p.x, qz), s = mul(p.y, mul(qz, q.z));
  num h = minus(mul(q.x, pz), u), r = minus(mul(q.y, mul(pz, p.z)), s);
  if (is_zero(&h)) return is_zero(&r) ? pdouble(p) : (point){{{0}}, {{0}}, {{0}}};
  num hh = mul(h, h), hhh = mul(hh, h), v = mul(u, hh);
  point t;
  t.x = minus(minus(mul(r, r), hhh), twice(v));
  t.y = minus(mul(r, minus(v, t.x)), mul(s, hhh));
  t.z = mul(h, mul(p.z, q.z));
  return t;
}

static point ptimes(num k, point p) {
  point r = {{{0}}, {{0}}, {{0}}};
  for (int bit = 255; bit >= 0; bit--) {
    r = pdouble(r);
    if (k.w[bit / 64] >> bit % 64 & 1) r = padd(r, p);
  }
  return r;
}

/* Coordinates as plain numbers. */
static void affine(point p, num *x, num *y) {
  num inverse = finverse(&FP, p.z), square = mul(inverse, inverse);
  *x = fplain(&FP, mul(p.x, square));
  *y = fplain(&FP, mul(p.y, mul(square, inverse)));
}

static int load_point(point *p, const uint8_t bytes[64]) {
  prepare();
  num x = load_num(bytes), y = load_num(bytes + 32);
  if (!below(&x, &P) || !below(&y, &P)) return 1;
  *p = (point){fmont(&FP, x), fmont(&FP, y), FP.one};
  num left = fmul(&FP, p->y, p->y);
  num right = fadd(&FP, fmul(&FP, fadd(&FP, fmul(&FP, p->x, p->x), a_mont), p->x), b_mont);
  num d = fsub(&FP, left, right);
  return is_zero(&d) ? 0 : 1;
}

static void store_point(uint8_t bytes[64], point p) {
  num x, y;
  affine(p, &x, &y);
  store_num(bytes, x);
  store_num(bytes + 32, y);
}

int sm2_on_curve(const uint8_t bytes[64]) {
  point p;
  return load_point(&p, bytes);
}

static int good_scalar(num k) {
  return !is_zero(&k) && below(&k, &N);
}

int sm2_public(const uint8_t scalar[32], uint8_t out[64]) {
  prepare();
  num d = load_num(scalar);
  if (!good_scalar(d)) return 1;
  store_point(out, ptimes(d, base));
  return 0;
}

void sm2_identity(const uint8_t bytes[64], const uint8_t *id, size_t id_length, uint8_t z[32]) {
  sm3_state s;
  uint8_t n[32];
  const num curve[4] = {A, B, GX, GY};
  const uint8_t bits[2] = {(uint8_t)(id_length * 8 >> 8), (uint8_t)(id_length * 8)};
  sm3_init(&s);
  sm3_update(&s, bits, 2);
  sm3_update(&s, id, id_length);
  for (int i = 0; i < 4; i++) {
    store_num(n, curve[i]);
    sm3_update(&s, n, 32);
  }
  sm3_update(&s, bytes, 64);
  sm3_final(&s, z);
}

static int random_scalar(num *k) {
  uint8_t bytes[32];
  do {
    if (random_bytes(bytes, sizeof bytes) != 0) return 1;
    *k = load_num(bytes);
  } while (!good_scalar(*k));
  return 0;
}

/* A number below 2^256, taken modulo n. */
static num modulo_n(num a) {
  num r;
  return sub(&r, &a, &N) ? a : r;
}

int sm2_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64]) {
  prepare();
  num d = load_num(scalar), e = modulo_n(load_num(digest)), k, r, s, rk, x, y;
  do {
    if (random_scalar(&k) != 0) return 1;
    affine(ptimes(k, base), &x, &y);
    r = fadd(&FN, e, modulo_n(x));
    rk = fadd(&FN, r, k);
    /* s = (k - r d) / (1 + d) */
    num dm = fmont(&FN, d);
    num top = fsub(&FN, fmont(&FN, k), fmul(&FN, fmont(&FN, r), dm));
    s = fplain(&FN, fmul(&FN, top, finverse(&FN, fadd(&FN, FN.one, dm))));
  } while (is_zero(&r) || is_zero(&rk) || is_zero(&s));
  store_num(signature, r);
  store_num(signature + 32, s);
  return 0;
}

int sm2_verify(const uint8_t bytes[64], const uint8_t digest[32], const uint8_t signature[64]) {
  point p;
  if (load_point(&p, bytes) != 0) return 1;
  num r = load_num(signature), s = load_num(signature + 32);
  if (!good_scalar(r) || !good_scalar(s)) return 1;
  num t = fadd(&FN, r, s);
  if (is_zero(&t)) return 1;
  point q = padd(ptimes(s, base), ptimes(t, p));
  if (is_zero(&q.z)) return 1;
  num x, y;
  affine(q, &x, &y);
  num found = fadd(&FN, modulo_n(load_num(digest)), modulo_n(x));
  return memcmp(&found, &r, sizeof r) != 0;
}

/* XORs the key stream of (x2, y2) over `length` bytes; tells whether the stream was all zero. */
static int mask(const uint8_t shared[64], const uint8_t *in, size_t length, uint8_t *out) {
  uint8_t block[32], counter[4], seen = 0;
  for (size_t i = 0; i < length; i++) {
    if (i % 32 == 0) {
      sm3_state s;
      store32(counter, (uint32_t)(i / 32 + 1));
      sm3_init(&s);
      sm3_update(&s, shared, 64);
      sm3_update(&s, counter, 4);
      sm3_final(&s, block);
    }
    seen |= block[i % 32];
    out[i] = in[i] ^ block[i % 32];
  }
  return seen == 0;
}

static void check_value(const uint8_t shared[64], const uint8_t *plain, size_t length, uint8_t c3[32]) {
  sm3_state s;
  sm3_init(&s);
  sm3_update(&s, shared, 32);
  sm3_update(&s, plain, length);
  sm3_update(&s, shared + 32, 32);
  sm3_final(&s, c3);
}

int sm2_encrypt(const uint8_t bytes[64], const uint8_t *plain, size_t length, uint8_t c1[64],
                uint8_t c3[32], uint8_t *c2) {
  point p;
  num k;
  uint8_t shared[64];
  if (load_point(&p, bytes) != 0) return 1;
  do {
    if (random_scalar(&k) != 0) return 1;
    store_point(c1, ptimes(k, base));
    store_point(shared, ptimes(k, p));
  } while (mask(shared, plain, length, c2));
  check_value(shared, plain, length, c3);
  return 0;
}

int sm2_decrypt(const uint8_t scalar[32], const uint8_t c1[64], const uint8_t c3[32],
                const uint8_t *c2, size_t length, uint8_t *plain) {
  point p;
  uint8_t shared[64], expected[32];
  if (load_point(&p, c1) != 0) return 1;
  store_point(shared, ptimes(load_num(scalar), p));
  if (mask(shared, c2, length, plain)) return 1;
  check_value(shared, plain, length, expected);
  if (memcmp(expected, c3, 32) == 0) return 0;
  memset(plain, 0, length);
  return 1;
}
