/*
 * The part of the device interface of GM/T 0018 that the tests need: names, argument order,
 * structures and numbers of the standard. SDF_InternalDecrypt_ECC is not in the standard; it stands
 * here in the form that most makers give it.
 */
#ifndef LIGHTFERRY_TEST_SDF_H
#define LIGHTFERRY_TEST_SDF_H

typedef unsigned char byte;
typedef unsigned int uint;

typedef struct {
  byte IssuerName[40];
  byte DeviceName[16];
  byte DeviceSerial[16];
  uint DeviceVersion;
  uint StandardVersion;
  uint AsymAlgAbility[2];
  uint SymAlgAbility;
  uint HashAlgAbility;
  uint BufferSize;
} DEVICEINFO;

enum { ECC_LENGTH = 64, ECC_UNUSED = 32, ECC_MOST_CIPHER = 136 };

typedef struct {
  uint bits;
  byte x[ECC_LENGTH], y[ECC_LENGTH];
} ECCrefPublicKey;

typedef struct {
  byte r[ECC_LENGTH], s[ECC_LENGTH];
} ECCSignature;

typedef struct {
  byte x[ECC_LENGTH], y[ECC_LENGTH];
  byte M[32];
  uint L;
  byte C[1];
} ECCCipher;

enum {
  SGD_SM3 = 0x1,
  SGD_SM4_ECB = 0x401,
  SGD_SM4_CBC = 0x402,
  SGD_SM2_1 = 0x20200,
  SGD_SM2_3 = 0x20800
};

enum {
  SDR_OK = 0,
  SDR_BASE = 0x01000000,
  SDR_NOTSUPPORT = SDR_BASE + 0x02,
  SDR_COMMFAIL = SDR_BASE + 0x03,
  SDR_HARDFAIL = SDR_BASE + 0x04,
  SDR_OPENDEVICE = SDR_BASE + 0x05,
  SDR_OPENSESSION = SDR_BASE + 0x06,
  SDR_PARDENY = SDR_BASE + 0x07,
  SDR_KEYNOTEXIST = SDR_BASE + 0x08,
  SDR_ALGNOTSUPPORT = SDR_BASE + 0x09,
  SDR_VERIFYERR = SDR_BASE + 0x0e,
  SDR_STEPERR = SDR_BASE + 0x10,
  SDR_KEYERR = SDR_BASE + 0x15,
  SDR_ENCDATAERR = SDR_BASE + 0x16,
  SDR_RANDERR = SDR_BASE + 0x17,
  SDR_PRKRERR = SDR_BASE + 0x18,
  SDR_INARGERR = SDR_BASE + 0x1d
};

#endif
