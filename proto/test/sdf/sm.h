/*
 * SM2, SM3 and SM4 for the software device of the tests, written from the standards (GB/T 32918,
 * 32905, 32907) and from nothing else, so that the product's providers are compared with a third
 * implementation. Not constant time, not fast: it never sees a key that matters.
 */
#ifndef LIGHTFERRY_TEST_SM_H
#define LIGHTFERRY_TEST_SM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t state[8];
  uint64_t bytes;
  uint8_t block[64];
} sm3_state;

void sm3_init(sm3_state *s);
void sm3_update(sm3_state *s, const void *data, size_t length);
void sm3_final(sm3_state *s, uint8_t out[32]);

/* `in` and `out` may be the same block. */
void sm4_block(const uint8_t key[16], int decrypt, const uint8_t in[16], uint8_t out[16]);

/* Numbers are 32 bytes big-endian; points are x then y. Functions return 0 when they succeed. */
int sm2_public(const uint8_t scalar[32], uint8_t point[64]);
int sm2_on_curve(const uint8_t point[64]);
/* Hashes ENTL, id, curve and public key: the beginning of every SM2 signature hash. */
void sm2_identity(const uint8_t point[64], const uint8_t *id, size_t id_length, uint8_t z[32]);
int sm2_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64]);
int sm2_verify(const uint8_t point[64], const uint8_t digest[32], const uint8_t signature[64]);
/* c1: 64 bytes, c3: 32, c2: `length`. */
int sm2_encrypt(const uint8_t point[64], const uint8_t *plain, size_t length, uint8_t c1[64],
                uint8_t c3[32], uint8_t *c2);
int sm2_decrypt(const uint8_t scalar[32], const uint8_t c1[64], const uint8_t c3[32],
                const uint8_t *c2, size_t length, uint8_t *plain);

/* Bytes of the system's generator. */
int random_bytes(void *out, size_t length);

#endif
