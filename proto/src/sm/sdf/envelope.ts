/**
 * Guarantee: an SM4 key made or opened by the device is used in the device; this
 * process has a handle of it and never its bytes. A handle dies with its session.
 */
import { GatewayError } from "../../errors/index.ts";
import type { Sm2PublicKey } from "../provider.ts";
import type { Handle } from "./binding.ts";
import type { SdfDevice, SdfSession } from "./device.ts";
import { cipherDer, cipherStruct, emptyCipherStruct, publicKeyStruct } from "./structures.ts";

/** GM/T 0006: SM4 in ECB and CBC mode, SM2 encryption. */
const SGD_SM4 = { ecb: 0x401, cbc: 0x402 } as const;
export const SGD_SM2_3 = 0x20800;
const SM4_BITS = 128;
const BLOCK_BYTES = 16;
/** For one call, below the buffers that makers document. */
const MAX_DATA_BYTES = 8 * 1024;

export class SdfSessionKey {
  readonly #device: SdfDevice;
  readonly #session: SdfSession;
  #handle: Handle | undefined;

  constructor(device: SdfDevice, session: SdfSession, handle: Handle | null) {
    if (handle === null) throw new GatewayError("sm.hsm-failed", { detail: "no key handle" });
    this.#device = device;
    this.#session = session;
    this.#handle = handle;
  }

  /**
   * Encrypts whole blocks (nothing is padded).
   * @param data a multiple of 16 bytes, at most 8 KiB
   * @param iv 16 bytes for CBC; absent for ECB, which is for single blocks of random bytes only
   */
  encrypt(data: Uint8Array, iv?: Uint8Array): Uint8Array {
    return this.#crypt("SDF_Encrypt", data, iv);
  }

  /** As {@link encrypt}. Neither mode tells altered data. */
  decrypt(data: Uint8Array, iv?: Uint8Array): Uint8Array {
    return this.#crypt("SDF_Decrypt", data, iv);
  }

  /** Destroys the key in the device. */
  destroy(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined || this.#session.lost) return;
    const { native } = this.#session;
    this.#session.must("SDF_DestroyKey", native.destroyKey(this.#session.handle, handle));
  }

  #crypt(call: "SDF_Encrypt" | "SDF_Decrypt", data: Uint8Array, iv?: Uint8Array): Uint8Array {
    const fits =
      data.length > 0 && data.length % BLOCK_BYTES === 0 && data.length <= MAX_DATA_BYTES;
    if (!fits || (iv !== undefined && iv.length !== BLOCK_BYTES)) {
      throw new GatewayError("sm.operation-failed", {
        detail: `16..${MAX_DATA_BYTES} bytes in whole blocks, an iv of 16`,
      });
    }
    return this.#device.operation((session) => {
      const handle = this.#handle;
      if (handle === undefined || session !== this.#session) {
        throw new GatewayError("sm.hsm-key", { detail: "the session of this SM4 key is over" });
      }
      const { native } = session;
      const run = call === "SDF_Encrypt" ? native.encrypt : native.decrypt;
      // The device writes the next iv into its copy.
      const vector = iv === undefined ? new Uint8Array(BLOCK_BYTES) : Uint8Array.from(iv);
      const out = new Uint8Array(data.length);
      const written = Uint32Array.of(out.length);
      const mode = iv === undefined ? SGD_SM4.ecb : SGD_SM4.cbc;
      session.must(
        call,
        run(session.handle, handle, mode, vector, data, data.length, out, written),
      );
      if (written[0] !== out.length) {
        throw new GatewayError("sm.hsm-failed", { detail: `${call}: ${written[0]} bytes` });
      }
      return out;
    });
  }
}

/**
 * A fresh SM4 key of the device, and its envelope for somebody's public key (GM/T 0018 envelope
 * export, SDF_GenerateKeyWithEPK_ECC).
 * @returns the envelope as SM2Cipher DER
 */
export function createEnvelope(
  device: SdfDevice,
  recipient: Sm2PublicKey,
): { key: SdfSessionKey; envelope: Uint8Array } {
  return device.operation((session) => {
    const cipher = emptyCipherStruct();
    const handle: [Handle | null] = [null];
    const key = publicKeyStruct(recipient);
    const { native } = session;
    session.must(
      "SDF_GenerateKeyWithEPK_ECC",
      native.wrapNewKey(session.handle, SM4_BITS, SGD_SM2_3, key, cipher, handle),
    );
    return { key: new SdfSessionKey(device, session, handle[0]), envelope: cipherDer(cipher) };
  });
}

/**
 * An SM4 key out of an envelope for an encryption key of the device (SDF_ImportKeyWithISK_ECC).
 * @throws GatewayError `sm.decrypt-failed`
 */
export function openEnvelope(
  device: SdfDevice,
  index: number,
  envelope: Uint8Array,
): SdfSessionKey {
  const cipher = cipherStruct(envelope);
  return device.operation((session) => {
    const handle: [Handle | null] = [null];
    const { native } = session;
    session.mustDecrypt(
      "SDF_ImportKeyWithISK_ECC",
      native.unwrapKey(session.handle, index, cipher, handle),
    );
    return new SdfSessionKey(device, session, handle[0]);
  });
}
