/**
 * Guarantee: a key of the device is an index and a public key here; its private
 * half never leaves the device, and asking for it is an error. Found by key id,
 * like the keys of a ring (../../keystore).
 */
import { GatewayError } from "../../errors/index.ts";
import { OpaquePrivateKey } from "../opaque-key.ts";
import type { Sm2PrivateKey, Sm2PublicKey } from "../provider.ts";
import { formatKeyId } from "../signing-input.ts";
import type { SdfDevice, SdfKeyKind } from "./device.ts";

export class SdfPrivateKey extends OpaquePrivateKey {
  readonly #device: SdfDevice;
  readonly #kind: SdfKeyKind;
  readonly #index: number;
  readonly #publicKey: Sm2PublicKey;

  constructor(device: SdfDevice, kind: SdfKeyKind, index: number) {
    super();
    this.#device = device;
    this.#kind = kind;
    this.#index = index;
    this.#publicKey = device.publicKey(kind, index);
  }

  get publicKey(): Sm2PublicKey {
    return Uint8Array.from(this.#publicKey) as Sm2PublicKey;
  }

  /** There is nothing in this process to free: the key stays in its device. */
  destroy(): void {
    // The right to it is given back when the device is closed.
  }

  /**
   * Where the key lies, for the device it belongs to.
   * @throws GatewayError `sm.hsm-key` when it is of the other kind: a signing key decrypts nothing
   */
  static indexOf(key: Sm2PrivateKey, device: SdfDevice, kind: SdfKeyKind): number {
    if (!(key instanceof SdfPrivateKey) || key.#device !== device || key.#kind !== kind) {
      throw new GatewayError("sm.hsm-key", { detail: `no key to ${kind} with` });
    }
    return key.#index;
  }
}

/** The keys of one kind that the settings name. The same shape as a key ring, where services use it. */
export class SdfKeys {
  readonly #keys: ReadonlyMap<string, SdfPrivateKey>;

  constructor(device: SdfDevice, kind: SdfKeyKind, indices: readonly number[]) {
    this.#keys = new Map(
      indices.map((index) => {
        const key = new SdfPrivateKey(device, kind, index);
        return [formatKeyId(key.publicKey), key];
      }),
    );
  }

  /** Sorted. */
  keyIds(): string[] {
    return [...this.#keys.keys()].sort();
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  privateKey(keyId: string): Sm2PrivateKey | undefined {
    return this.#keys.get(keyId);
  }

  /** What `openBundle` asks for (DecryptKeys). */
  decryptKey(keyId: string): Sm2PrivateKey | undefined {
    return this.privateKey(keyId);
  }

  /** Nothing to take up: which keys there are stands in the settings. */
  refresh(): void {
    // A key exchanged in the device is found when the next session begins.
  }

  /** Nothing to free: the device is closed by whoever opened it. */
  close(): void {
    // The rights to all keys are given back there.
  }
}
