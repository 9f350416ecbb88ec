/**
 * Guarantee: signing, verifying and opening secrets with the device gives and takes
 * exactly what the other providers do: raw signatures, SM2Cipher DER, the user id of
 * the caller. An altered ciphertext is `sm.decrypt-failed`; a device in trouble is
 * not, so that nobody throws data away for it.
 */
import { GatewayError } from "../../errors/index.ts";
import { isSignatureInRange, MAX_SM2_PLAINTEXT_BYTES } from "../der.ts";
import {
  DEFAULT_USER_ID,
  type Sm2PublicKey,
  type Sm2Signature,
  type SmProvider,
} from "../provider.ts";
import { userIdBytes } from "../sm2-input.ts";
import { SDR_OK, SDR_VERIFYERR } from "./codes.ts";
import type { SdfDevice } from "./device.ts";
import { SGD_SM2_3 } from "./envelope.ts";
import {
  cipherDer,
  cipherLength,
  cipherStruct,
  emptyCipherStruct,
  publicKeyStruct,
  SIGNATURE_STRUCT_BYTES,
  signatureOf,
  signatureStruct,
} from "./structures.ts";

/** GM/T 0006: SM2 signature. */
const SGD_SM2_1 = 0x20200;

/** @throws GatewayError `sm.hsm-unsupported` for an empty id: the interface then leaves Z out */
export function signInDevice(
  device: SdfDevice,
  index: number,
  key: Sm2PublicKey,
  message: Uint8Array,
  userId: string = DEFAULT_USER_ID,
): Sm2Signature {
  const id = userIdBytes(userId);
  if (id.length === 0) {
    throw new GatewayError("sm.hsm-unsupported", { detail: "an empty user id" });
  }
  return device.operation((session) => {
    const digest = session.digest(message, { key, id });
    const struct = Buffer.alloc(SIGNATURE_STRUCT_BYTES);
    const { native, handle } = session;
    session.must("SDF_InternalSign_ECC", native.sign(handle, index, digest, digest.length, struct));
    return signatureOf(struct);
  });
}

/**
 * Verifies in the device. Only a standard "does not verify" is taken from it as `false`: makers have
 * numbers of their own for that, so for any other failure of the operation the software decides.
 */
export function verifyInDevice(
  device: SdfDevice,
  software: SmProvider,
  key: Sm2PublicKey,
  message: Uint8Array,
  signature: Sm2Signature,
  userId: string = DEFAULT_USER_ID,
): boolean {
  if (!isSignatureInRange(signature)) return false;
  const id = userIdBytes(userId);
  if (id.length === 0) return software.sm2Verify(key, message, signature, userId);
  try {
    return device.operation((session) => {
      const digest = session.digest(message, { key, id });
      const { native, handle } = session;
      const result = native.verify(
        handle,
        SGD_SM2_1,
        publicKeyStruct(key),
        digest,
        digest.length,
        signatureStruct(signature),
      );
      if (result === SDR_OK || result === SDR_VERIFYERR) return result === SDR_OK;
      session.must("SDF_ExternalVerify_ECC", result);
      return false;
    });
  } catch (error) {
    const ofTheOperation = error instanceof GatewayError && error.code === "sm.hsm-failed";
    if (ofTheOperation && !software.sm2Verify(key, message, signature, userId)) return false;
    throw error;
  }
}

/**
 * Opens a secret by the standard's envelope exchange: the device turns the envelope for its own key
 * into one for a fresh key of this process, which opens it.
 */
export function decryptByExchange(
  device: SdfDevice,
  software: SmProvider,
  index: number,
  ciphertext: Uint8Array,
): Uint8Array {
  const from = cipherStruct(ciphertext);
  const own = software.generateSm2();
  try {
    const envelope = device.operation((session) => {
      const { native, handle } = session;
      if (native.exchangeEnvelope === undefined) {
        throw new GatewayError("sm.hsm-unsupported", {
          detail: "the library has no SDF_ExchangeDigitEnvelopeBaseOnECC",
        });
      }
      const to = emptyCipherStruct();
      const key = publicKeyStruct(own.publicKey);
      session.mustDecrypt(
        "SDF_ExchangeDigitEnvelopeBaseOnECC",
        native.exchangeEnvelope(handle, index, SGD_SM2_3, key, from, to),
      );
      return cipherDer(to);
    });
    return software.sm2Decrypt(own, envelope);
  } finally {
    own.destroy();
  }
}

/** Opens a secret by SDF_InternalDecrypt_ECC: no standard, but most libraries have it. */
export function decryptInDevice(
  device: SdfDevice,
  index: number,
  ciphertext: Uint8Array,
): Uint8Array {
  const cipher = cipherStruct(ciphertext);
  const out = new Uint8Array(MAX_SM2_PLAINTEXT_BYTES);
  try {
    return device.operation((session) => {
      const { native, handle } = session;
      if (native.internalDecrypt === undefined) {
        throw new GatewayError("sm.hsm-unsupported", {
          detail: "the library has no SDF_InternalDecrypt_ECC",
        });
      }
      const length = Uint32Array.of(out.length);
      session.mustDecrypt(
        "SDF_InternalDecrypt_ECC",
        native.internalDecrypt(handle, index, SGD_SM2_3, cipher, out, length),
      );
      if (length[0] !== cipherLength(cipher)) {
        throw new GatewayError("sm.decrypt-failed", { detail: "SM2" });
      }
      return out.slice(0, length[0]);
    });
  } finally {
    out.fill(0);
  }
}
