/*
 * A cipher machine in software, behind the C interface of GM/T 0018, for the tests alone. It has
 * four key pairs of each kind, a limit of sessions, passwords, a lock after wrong ones, and
 * functions named TEST_* by which a test unplugs it, breaks it, or exchanges a key.
 */
#include "sdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sm.h"

#define EXPORT __attribute__((visibility("default")))

enum { KEYS = 4, SESSIONS = 3, SESSION_KEYS = 8, WRONG_BEFORE_LOCK = 3 };

typedef struct {
  int used, bytes;
  byte key[32];
} session_key;

typedef struct {
  int open, hashing;
  int right[KEYS + 1];
  sm3_state hash;
  session_key keys[SESSION_KEYS];
} session;

static int device_open;
static session sessions[SESSIONS];
/* What the tests set. */
static uint failing;           /* every call answers this when it is not 0 */
static uint generation[KEYS + 1]; /* changed when a key is exchanged */
static int wrong_passwords;
static int calls;

EXPORT void TEST_FailWith(uint code) { failing = code; }
EXPORT void TEST_ExchangeKey(uint index) { generation[index]++; }
EXPORT int TEST_WrongPasswords(void) { return wrong_passwords; }
EXPORT int TEST_Calls(void) { return calls; }
EXPORT int TEST_OpenSessions(void) {
  int open = 0;
  for (int i = 0; i < SESSIONS; i++) open += sessions[i].open;
  return open;
}
EXPORT int TEST_SessionKeys(void) {
  int used = 0;
  for (int i = 0; i < SESSIONS; i++)
    for (int j = 0; j < SESSION_KEYS; j++) used += sessions[i].open && sessions[i].keys[j].used;
  return used;
}
EXPORT void TEST_Reset(void) {
  device_open = wrong_passwords = calls = 0;
  failing = 0;
  memset(sessions, 0, sizeof sessions);
  memset(generation, 0, sizeof generation);
}

static int is_session(const void *handle) {
  for (int i = 0; i < SESSIONS; i++)
    if (handle == &sessions[i]) return sessions[i].open;
  return 0;
}

/* Every call begins so. A handle of a session that is gone is a fault of communication. */
#define ENTER(handle)                                  \
  calls++;                                             \
  if (failing != 0) return (int)failing;               \
  if (!is_session(handle)) return SDR_COMMFAIL;        \
  session *s = handle;                                 \
  (void)s

static int private_key(const char *kind, uint index, byte scalar[32]) {
  if (index < 1 || index > KEYS) return SDR_KEYNOTEXIST;
  char seed[64];
  sm3_state hash;
  snprintf(seed, sizeof seed, "lightferry test device/%s/%u/%u", kind, index, generation[index]);
  sm3_init(&hash);
  sm3_update(&hash, seed, strlen(seed));
  sm3_final(&hash, scalar);
  scalar[0] &= 0x7f; /* below the order */
  return SDR_OK;
}

static void to_reference(byte wide[ECC_LENGTH], const byte narrow[32]) {
  memset(wide, 0, ECC_UNUSED);
  memcpy(wide + ECC_UNUSED, narrow, 32);
}

/* The unused half must be zero: a caller that puts numbers on the left is found out. */
static int from_reference(byte narrow[32], const byte wide[ECC_LENGTH]) {
  for (int i = 0; i < ECC_UNUSED; i++)
    if (wide[i] != 0) return 1;
  memcpy(narrow, wide + ECC_UNUSED, 32);
  return 0;
}

static int read_public(const ECCrefPublicKey *from, byte point[64]) {
  if (from == NULL || from->bits != 256) return 1;
  return from_reference(point, from->x) || from_reference(point + 32, from->y) || sm2_on_curve(point);
}

static int export_public(const char *kind, uint index, ECCrefPublicKey *to) {
  byte scalar[32], point[64];
  int result = private_key(kind, index, scalar);
  if (result != SDR_OK) return result;
  sm2_public(scalar, point);
  to->bits = 256;
  to_reference(to->x, point);
  to_reference(to->y, point + 32);
  return SDR_OK;
}

EXPORT int SDF_OpenDevice(void **device) {
  calls++;
  if (failing != 0) return (int)failing;
  device_open++;
  *device = &device_open;
  return SDR_OK;
}

EXPORT int SDF_CloseDevice(void *device) {
  calls++;
  if (failing != 0) return (int)failing;
  if (device != &device_open || device_open == 0) return SDR_COMMFAIL;
  device_open--;
  return SDR_OK;
}

EXPORT int SDF_OpenSession(void *device, void **out) {
  calls++;
  if (failing != 0) return (int)failing;
  if (device != &device_open || device_open == 0) return SDR_COMMFAIL;
  for (int i = 0; i < SESSIONS; i++) {
    if (sessions[i].open) continue;
    memset(&sessions[i], 0, sizeof sessions[i]);
    sessions[i].open = 1;
    *out = &sessions[i];
    return SDR_OK;
  }
  return SDR_OPENSESSION;
}

EXPORT int SDF_CloseSession(void *handle) {
  ENTER(handle);
  memset(s, 0, sizeof *s);
  return SDR_OK;
}

EXPORT int SDF_GetDeviceInfo(void *handle, DEVICEINFO *info) {
  ENTER(handle);
  memset(info, 0, sizeof *info);
  memcpy(info->IssuerName, "Lightferry tests", 16);
  memcpy(info->DeviceName, "software device", 15);
  memcpy(info->DeviceSerial, "2026010100100001", 16);
  info->DeviceVersion = 7;
  info->StandardVersion = 1;
  info->AsymAlgAbility[0] = SGD_SM2_1 | SGD_SM2_3;
  info->AsymAlgAbility[1] = 256;
  info->SymAlgAbility = SGD_SM4_ECB | SGD_SM4_CBC;
  info->HashAlgAbility = SGD_SM3;
  return SDR_OK;
}

EXPORT int SDF_GenerateRandom(void *handle, uint length, byte *out) {
  ENTER(handle);
  return random_bytes(out, length) == 0 ? SDR_OK : SDR_RANDERR;
}

EXPORT int SDF_GetPrivateKeyAccessRight(void *handle, uint index, byte *password, uint length) {
  ENTER(handle);
  if (index < 1 || index > KEYS) return SDR_KEYNOTEXIST;
  if (wrong_passwords >= WRONG_BEFORE_LOCK) return SDR_PRKRERR;
  char expected[32];
  snprintf(expected, sizeof expected, "password-%u", index);
  if (length != strlen(expected) || memcmp(password, expected, length) != 0) {
    wrong_passwords++;
    return SDR_PRKRERR;
  }
  s->right[index] = 1;
  return SDR_OK;
}

EXPORT int SDF_ReleasePrivateKeyAccessRight(void *handle, uint index) {
  ENTER(handle);
  if (index < 1 || index > KEYS) return SDR_KEYNOTEXIST;
  s->right[index] = 0;
  return SDR_OK;
}

EXPORT int SDF_ExportSignPublicKey_ECC(void *handle, uint index, ECCrefPublicKey *to) {
  ENTER(handle);
  return export_public("sign", index, to);
}

EXPORT int SDF_ExportEncPublicKey_ECC(void *handle, uint index, ECCrefPublicKey *to) {
  ENTER(handle);
  return export_public("encrypt", index, to);
}

EXPORT int SDF_InternalSign_ECC(void *handle, uint index, byte *data, uint length, ECCSignature *to) {
  ENTER(handle);
  byte scalar[32], raw[64];
  int result = private_key("sign", index, scalar);
  if (result != SDR_OK) return result;
  if (!s->right[index]) return SDR_PARDENY;
  if (length != 32) return SDR_INARGERR;
  if (sm2_sign(scalar, data, raw) != 0) return SDR_RANDERR;
  to_reference(to->r, raw);
  to_reference(to->s, raw + 32);
  return SDR_OK;
}

EXPORT int SDF_ExternalVerify_ECC(void *handle, uint algorithm, ECCrefPublicKey *key, byte *data,
                                  uint length, ECCSignature *signature) {
  ENTER(handle);
  byte point[64], raw[64];
  if (algorithm != SGD_SM2_1) return SDR_ALGNOTSUPPORT;
  if (length != 32 || read_public(key, point)) return SDR_INARGERR;
  if (from_reference(raw, signature->r) || from_reference(raw + 32, signature->s)) return SDR_INARGERR;
  return sm2_verify(point, data, raw) == 0 ? SDR_OK : SDR_VERIFYERR;
}

EXPORT int SDF_HashInit(void *handle, uint algorithm, ECCrefPublicKey *key, byte *id, uint length) {
  ENTER(handle);
  if (algorithm != SGD_SM3) return SDR_ALGNOTSUPPORT;
  byte point[64], z[32];
  sm3_init(&s->hash);
  if (length != 0) {
    if (read_public(key, point)) return SDR_INARGERR;
    sm2_identity(point, id, length, z);
    sm3_update(&s->hash, z, sizeof z);
  }
  s->hashing = 1;
  return SDR_OK;
}

EXPORT int SDF_HashUpdate(void *handle, byte *data, uint length) {
  ENTER(handle);
  if (!s->hashing) return SDR_STEPERR;
  sm3_update(&s->hash, data, length);
  return SDR_OK;
}

EXPORT int SDF_HashFinal(void *handle, byte *out, uint *length) {
  ENTER(handle);
  if (!s->hashing) return SDR_STEPERR;
  sm3_final(&s->hash, out);
  *length = 32;
  s->hashing = 0;
  return SDR_OK;
}

/* Decrypts with an encryption key of the device; the plaintext never leaves by this way. */
static int unwrap(session *s, uint index, const ECCCipher *in, byte *plain) {
  byte scalar[32], c1[64];
  int result = private_key("encrypt", index, scalar);
  if (result != SDR_OK) return result;
  if (!s->right[index]) return SDR_PARDENY;
  if (in->L == 0 || in->L > ECC_MOST_CIPHER) return SDR_INARGERR;
  if (from_reference(c1, in->x) || from_reference(c1 + 32, in->y)) return SDR_ENCDATAERR;
  return sm2_decrypt(scalar, c1, in->M, in->C, in->L, plain) == 0 ? SDR_OK : SDR_ENCDATAERR;
}

static int wrap(const ECCrefPublicKey *key, const byte *plain, uint length, ECCCipher *out) {
  byte point[64], c1[64];
  if (read_public(key, point)) return SDR_INARGERR;
  if (sm2_encrypt(point, plain, length, c1, out->M, out->C) != 0) return SDR_RANDERR;
  to_reference(out->x, c1);
  to_reference(out->y, c1 + 32);
  out->L = length;
  return SDR_OK;
}

static session_key *free_key(session *s) {
  for (int i = 0; i < SESSION_KEYS; i++)
    if (!s->keys[i].used) return &s->keys[i];
  return NULL;
}

static session_key *used_key(session *s, void *handle) {
  for (int i = 0; i < SESSION_KEYS; i++)
    if (handle == &s->keys[i] && s->keys[i].used) return &s->keys[i];
  return NULL;
}

EXPORT int SDF_GenerateKeyWithEPK_ECC(void *handle, uint bits, uint algorithm, ECCrefPublicKey *key,
                                      ECCCipher *out, void **key_handle) {
  ENTER(handle);
  session_key *made = free_key(s);
  if (algorithm != SGD_SM2_3) return SDR_ALGNOTSUPPORT;
  if (bits != 128 || made == NULL) return SDR_INARGERR;
  if (random_bytes(made->key, 16) != 0) return SDR_RANDERR;
  int result = wrap(key, made->key, 16, out);
  if (result != SDR_OK) return result;
  made->used = 1;
  made->bytes = 16;
  *key_handle = made;
  return SDR_OK;
}

EXPORT int SDF_ImportKeyWithISK_ECC(void *handle, uint index, ECCCipher *in, void **key_handle) {
  ENTER(handle);
  session_key *made = free_key(s);
  byte plain[ECC_MOST_CIPHER];
  if (made == NULL || in->L > sizeof made->key) return SDR_INARGERR;
  int result = unwrap(s, index, in, plain);
  if (result != SDR_OK) return result;
  memcpy(made->key, plain, in->L);
  made->used = 1;
  made->bytes = (int)in->L;
  *key_handle = made;
  return SDR_OK;
}

EXPORT int SDF_DestroyKey(void *handle, void *key_handle) {
  ENTER(handle);
  session_key *key = used_key(s, key_handle);
  if (key == NULL) return SDR_KEYNOTEXIST;
  memset(key, 0, sizeof *key);
  return SDR_OK;
}

EXPORT int SDF_ExchangeDigitEnvelopeBaseOnECC(void *handle, uint index, uint algorithm,
                                              ECCrefPublicKey *key, ECCCipher *in, ECCCipher *out) {
  ENTER(handle);
  byte plain[ECC_MOST_CIPHER];
  if (algorithm != SGD_SM2_3) return SDR_ALGNOTSUPPORT;
  int result = unwrap(s, index, in, plain);
  return result == SDR_OK ? wrap(key, plain, in->L, out) : result;
}

#ifndef WITHOUT_INTERNAL_DECRYPT
EXPORT int SDF_InternalDecrypt_ECC(void *handle, uint index, uint algorithm, ECCCipher *in, byte *out,
                                   uint *length) {
  ENTER(handle);
  if (algorithm != SGD_SM2_3) return SDR_ALGNOTSUPPORT;
  int result = unwrap(s, index, in, out);
  if (result == SDR_OK) *length = in->L;
  return result;
}
#endif

static int crypt(session *s, void *key_handle, uint algorithm, byte *iv, const byte *in, uint length,
                 byte *out, uint *written, int decrypt) {
  session_key *key = used_key(s, key_handle);
  if (key == NULL) return SDR_KEYNOTEXIST;
  if (key->bytes != 16) return SDR_KEYERR;
  if (algorithm != SGD_SM4_ECB && algorithm != SGD_SM4_CBC) return SDR_ALGNOTSUPPORT;
  if (length % 16 != 0) return SDR_INARGERR;
  int chained = algorithm == SGD_SM4_CBC;
  for (uint at = 0; at < length; at += 16) {
    byte block[16], next[16];
    memcpy(next, in + at, 16);
    for (int i = 0; i < 16; i++) block[i] = next[i] ^ (chained && !decrypt ? iv[i] : 0);
    sm4_block(key->key, decrypt, block, out + at);
    for (int i = 0; i < 16 && chained && decrypt; i++) out[at + (uint)i] ^= iv[i];
    if (chained) memcpy(iv, decrypt ? next : out + at, 16);
  }
  *written = length;
  return SDR_OK;
}

EXPORT int SDF_Encrypt(void *handle, void *key, uint algorithm, byte *iv, byte *in, uint length,
                       byte *out, uint *written) {
  ENTER(handle);
  return crypt(s, key, algorithm, iv, in, length, out, written, 0);
}

EXPORT int SDF_Decrypt(void *handle, void *key, uint algorithm, byte *iv, byte *in, uint length,
                       byte *out, uint *written) {
  ENTER(handle);
  return crypt(s, key, algorithm, iv, in, length, out, written, 1);
}
