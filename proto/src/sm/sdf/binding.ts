/**
 * Guarantee: the only module that names a function of the device interface (GM/T
 * 0018-2012 clause 6). A library without one that the standard demands is refused
 * before any call; what only some libraries have is looked up when it is needed.
 *
 * Every call is synchronous, blocks its thread for as long as the device takes, and
 * returns 0 or a number that codes.ts explains.
 */
import koffi from "koffi";
import { GatewayError } from "../../errors/index.ts";

/** Address of a device, session or key object of the library. */
export type Handle = bigint;
type Out = [Handle | null];

/** Functions every library must have: names, parameters. All return int. */
const NEEDED = {
  openDevice: "SDF_OpenDevice(_Out_ void **device)",
  closeDevice: "SDF_CloseDevice(void *device)",
  openSession: "SDF_OpenSession(void *device, _Out_ void **session)",
  closeSession: "SDF_CloseSession(void *session)",
  deviceInfo: "SDF_GetDeviceInfo(void *session, void *info)",
  random: "SDF_GenerateRandom(void *session, unsigned int length, void *out)",
  getRight:
    "SDF_GetPrivateKeyAccessRight(void *session, unsigned int index, void *password, unsigned int length)",
  releaseRight: "SDF_ReleasePrivateKeyAccessRight(void *session, unsigned int index)",
  signPublicKey: "SDF_ExportSignPublicKey_ECC(void *session, unsigned int index, void *key)",
  encryptPublicKey: "SDF_ExportEncPublicKey_ECC(void *session, unsigned int index, void *key)",
  sign: "SDF_InternalSign_ECC(void *session, unsigned int index, void *data, unsigned int length, void *signature)",
  verify:
    "SDF_ExternalVerify_ECC(void *session, unsigned int algorithm, void *key, void *data, unsigned int length, void *signature)",
  hashInit:
    "SDF_HashInit(void *session, unsigned int algorithm, void *key, void *id, unsigned int length)",
  hashUpdate: "SDF_HashUpdate(void *session, void *data, unsigned int length)",
  hashFinal: "SDF_HashFinal(void *session, void *hash, void *length)",
  wrapNewKey:
    "SDF_GenerateKeyWithEPK_ECC(void *session, unsigned int bits, unsigned int algorithm, void *key, void *cipher, _Out_ void **handle)",
  unwrapKey:
    "SDF_ImportKeyWithISK_ECC(void *session, unsigned int index, void *cipher, _Out_ void **handle)",
  destroyKey: "SDF_DestroyKey(void *session, void *handle)",
  encrypt:
    "SDF_Encrypt(void *session, void *handle, unsigned int algorithm, void *iv, void *in, unsigned int length, void *out, void *written)",
  decrypt:
    "SDF_Decrypt(void *session, void *handle, unsigned int algorithm, void *iv, void *in, unsigned int length, void *out, void *written)",
} as const;

/** In the standard of 2012, no longer in that of 2023; and a maker's own, in its usual form. */
const OPTIONAL = {
  exchangeEnvelope:
    "SDF_ExchangeDigitEnvelopeBaseOnECC(void *session, unsigned int index, unsigned int algorithm, void *key, void *in, void *out)",
  internalDecrypt:
    "SDF_InternalDecrypt_ECC(void *session, unsigned int index, unsigned int algorithm, void *cipher, void *out, void *length)",
} as const;

type Bytes = Uint8Array | Uint32Array | null;

export interface SdfBinding {
  openDevice(device: Out): number;
  closeDevice(device: Handle): number;
  openSession(device: Handle, session: Out): number;
  closeSession(session: Handle): number;
  deviceInfo(session: Handle, info: Bytes): number;
  random(session: Handle, length: number, out: Bytes): number;
  getRight(session: Handle, index: number, password: Bytes, length: number): number;
  releaseRight(session: Handle, index: number): number;
  signPublicKey(session: Handle, index: number, key: Bytes): number;
  encryptPublicKey(session: Handle, index: number, key: Bytes): number;
  sign(session: Handle, index: number, data: Bytes, length: number, signature: Bytes): number;
  verify(
    session: Handle,
    algorithm: number,
    key: Bytes,
    data: Bytes,
    length: number,
    signature: Bytes,
  ): number;
  hashInit(session: Handle, algorithm: number, key: Bytes, id: Bytes, length: number): number;
  hashUpdate(session: Handle, data: Bytes, length: number): number;
  hashFinal(session: Handle, hash: Bytes, length: Bytes): number;
  wrapNewKey(
    session: Handle,
    bits: number,
    algorithm: number,
    key: Bytes,
    cipher: Bytes,
    handle: Out,
  ): number;
  unwrapKey(session: Handle, index: number, cipher: Bytes, handle: Out): number;
  destroyKey(session: Handle, handle: Handle): number;
  encrypt: SymmetricCall;
  decrypt: SymmetricCall;
  exchangeEnvelope?(
    session: Handle,
    index: number,
    algorithm: number,
    key: Bytes,
    from: Bytes,
    to: Bytes,
  ): number;
  internalDecrypt?(
    session: Handle,
    index: number,
    algorithm: number,
    cipher: Bytes,
    out: Bytes,
    length: Bytes,
  ): number;
}

type SymmetricCall = (
  session: Handle,
  handle: Handle,
  algorithm: number,
  iv: Bytes,
  data: Bytes,
  length: number,
  out: Bytes,
  written: Bytes,
) => number;

/**
 * Opens a library of a cipher machine's maker.
 * @throws GatewayError `sm.hsm-unavailable` when it cannot be opened, `sm.hsm-unsupported` naming
 * the function it lacks
 */
export function openSdfLibrary(path: string): SdfBinding {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(path);
  } catch (cause) {
    throw new GatewayError("sm.hsm-unavailable", { detail: `${path} cannot be opened`, cause });
  }
  const found: Record<string, unknown> = {};
  for (const [name, declaration] of Object.entries(NEEDED)) {
    try {
      found[name] = library.func(`int ${declaration}`);
    } catch (cause) {
      const [symbol = ""] = declaration.split("(");
      throw new GatewayError("sm.hsm-unsupported", { detail: `${path}: no ${symbol}`, cause });
    }
  }
  for (const [name, declaration] of Object.entries(OPTIONAL)) {
    try {
      found[name] = library.func(`int ${declaration}`);
    } catch {
      // Its absence is told by whoever needs it.
    }
  }
  return found as unknown as SdfBinding;
}
