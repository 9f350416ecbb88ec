/**
 * Guarantee: a provider whose private keys lie in a cipher machine with the GM/T
 * 0018 interface. The device signs, verifies, hashes for signatures and opens
 * secrets with its own keys; everything else, and every key that is not in the
 * device, is the default provider's. Handed out after its self-test only.
 */
import { GatewayError } from "../../errors/index.ts";
import { loadProvider } from "../load.ts";
import type { Sm2PrivateKey, Sm2PublicKey, SmProvider } from "../provider.ts";
import { SdfDevice, type SdfSettings } from "./device.ts";
import { createEnvelope, openEnvelope, type SdfSessionKey } from "./envelope.ts";
import { SdfKeys, SdfPrivateKey } from "./keys.ts";
import { decryptByExchange, decryptInDevice, signInDevice, verifyInDevice } from "./operations.ts";
import { testDevice } from "./self-test.ts";
import type { SdfDeviceInfo } from "./structures.ts";

export type { SdfKeySettings, SdfSettings } from "./device.ts";
export type { SdfSessionKey } from "./envelope.ts";
export { SdfKeys } from "./keys.ts";
export { probeSdf, type SdfProbe } from "./probe.ts";
export type { SdfDeviceInfo } from "./structures.ts";

/** More than a change of keys needs; each costs a self-test at the start. */
const MAX_KEYS_OF_A_KIND = 16;

export interface SdfProvider {
  readonly provider: SmProvider;
  /** Undefined where the settings name none of that kind. */
  readonly signKeys: SdfKeys | undefined;
  readonly encryptKeys: SdfKeys | undefined;
  readonly info: SdfDeviceInfo;
  /** @param length 1..4096 bytes of the device's generator */
  random(length: number): Uint8Array;
  /** A fresh SM4 key in the device with its envelope (SM2Cipher DER) for `recipient`. */
  createEnvelope(recipient: Sm2PublicKey): {
    readonly key: SdfSessionKey;
    readonly envelope: Uint8Array;
  };
  /** The SM4 key of an envelope for a key of `encryptKeys`. @throws GatewayError `sm.decrypt-failed` */
  openEnvelope(key: Sm2PrivateKey, envelope: Uint8Array): SdfSessionKey;
  /** Gives the keys back, closes session and device. */
  close(): void;
}

/**
 * Opens a device and tests it. Blocks while the device answers; the calling thread keeps it.
 * @param counted wraps the provider, for counting key uses, before the self-test uses a key
 * @throws GatewayError `sm.hsm-*`, `sm.key-exposed`, `sm.self-test-failed`
 */
export function openSdfProvider(
  settings: SdfSettings,
  counted: (provider: SmProvider) => SmProvider = (provider) => provider,
): SdfProvider {
  const indices = {
    sign: (settings.keys.sign ?? []).map(({ index }) => index),
    encrypt: (settings.keys.encrypt ?? []).map(({ index }) => index),
  };
  for (const list of Object.values(indices)) {
    if (list.length > MAX_KEYS_OF_A_KIND || new Set(list).size < list.length) {
      throw new GatewayError("sm.hsm-key", {
        detail: `at most ${MAX_KEYS_OF_A_KIND} keys of a kind, each once`,
      });
    }
  }
  const software = loadProvider();
  const device = new SdfDevice(settings);
  try {
    const provider = counted(deviceProvider(device, software, settings.decrypt ?? "exchange"));
    const signKeys = new SdfKeys(device, "sign", indices.sign);
    const encryptKeys = new SdfKeys(device, "encrypt", indices.encrypt);
    testDevice({
      device,
      provider,
      software,
      sign: signKeys,
      encrypt: encryptKeys,
      encryptIndices: indices.encrypt,
    });
    return {
      provider,
      signKeys: indices.sign.length > 0 ? signKeys : undefined,
      encryptKeys: indices.encrypt.length > 0 ? encryptKeys : undefined,
      info: device.info(),
      random: (length) => device.random(length),
      createEnvelope: (recipient) => createEnvelope(device, recipient),
      openEnvelope: (key, envelope) =>
        openEnvelope(device, SdfPrivateKey.indexOf(key, device, "encrypt"), envelope),
      close: () => device.close(),
    };
  } catch (error) {
    device.close();
    throw error;
  }
}

function deviceProvider(
  device: SdfDevice,
  software: SmProvider,
  decrypt: "exchange" | "internal",
): SmProvider {
  const provider: SmProvider = {
    ...software,
    name: "sdf",
    exportSm2(key) {
      if (key instanceof SdfPrivateKey) throw new GatewayError("sm.key-not-exportable");
      return software.exportSm2(key);
    },
    sm2Sign(key, message, userId) {
      if (!(key instanceof SdfPrivateKey)) return software.sm2Sign(key, message, userId);
      const index = SdfPrivateKey.indexOf(key, device, "sign");
      return signInDevice(device, index, key.publicKey, message, userId);
    },
    sm2Verify: (key, message, signature, userId) =>
      verifyInDevice(device, software, key, message, signature, userId),
    sm2Decrypt(key, ciphertext) {
      if (!(key instanceof SdfPrivateKey)) return software.sm2Decrypt(key, ciphertext);
      const index = SdfPrivateKey.indexOf(key, device, "encrypt");
      return decrypt === "internal"
        ? decryptInDevice(device, index, ciphertext)
        : decryptByExchange(device, software, index, ciphertext);
    },
  };
  return Object.freeze(provider);
}
