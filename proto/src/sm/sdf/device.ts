/**
 * Guarantee: one session with one device, opened when needed, given up when the
 * device says that it is gone, and opened anew by the next call: an operation is
 * tried twice at most. A key index that shows another public key than before is
 * refused, never used.
 *
 * closed → connected (device, session, rights to the keys) → lost → connected …
 */
import { GatewayError } from "../../errors/index.ts";
import type { Sm2PublicKey } from "../provider.ts";
import { type Handle, openSdfLibrary, type SdfBinding } from "./binding.ts";
import { endsSession, isUndecryptable, SDR_OK, sdfError } from "./codes.ts";
import { Passwords } from "./passwords.ts";
import {
  DEVICE_INFO_BYTES,
  deviceInfoOf,
  PUBLIC_KEY_STRUCT_BYTES,
  publicKeyOf,
  publicKeyStruct,
  type SdfDeviceInfo,
} from "./structures.ts";

/** GM/T 0006: SM3; the numbers of other algorithms stand where they are used. */
const SGD_SM3 = 0x1;
/** Bytes for one call: below the buffers that makers document. */
const SLICE_BYTES = 8 * 1024;
const DIGEST_BYTES = 32;
/** Far above a nonce or a salt; bounds the allocation. */
const MAX_RANDOM_BYTES = 4_096;

/** Which of an index's two key pairs. */
export type SdfKeyKind = "sign" | "encrypt";

export interface SdfKeySettings {
  /** Number of the key pair in the device, from 1. */
  readonly index: number;
  /** File with the access password of that index, readable by its owner only. */
  readonly passwordFile: string;
}

export interface SdfSettings {
  /** Path of the maker's library. */
  readonly library: string;
  /** Several of a kind while keys are changed. */
  readonly keys: Readonly<Partial<Record<SdfKeyKind, readonly SdfKeySettings[]>>>;
  /**
   * How a wrapped secret is opened. "exchange" (default): SDF_ExchangeDigitEnvelopeBaseOnECC of GM/T
   * 0018-2012, to a fresh key of this process. "internal": SDF_InternalDecrypt_ECC, which is no
   * standard, in its usual form (session, index, algorithm, cipher, out, length).
   */
  readonly decrypt?: "exchange" | "internal";
  /** Remembers refused passwords over restarts. */
  readonly refusedPath?: string;
}

/** The session as an operation sees it. */
export class SdfSession {
  readonly native: SdfBinding;
  readonly handle: Handle;
  readonly device: Handle;
  lost = false;

  constructor(native: SdfBinding, device: Handle, handle: Handle) {
    this.native = native;
    this.device = device;
    this.handle = handle;
  }

  /** @throws GatewayError as codes.ts says, unless a call returned 0 */
  must(call: string, result: number): void {
    if (result === SDR_OK) return;
    if (endsSession(result)) this.lost = true;
    throw sdfError(call, result);
  }

  /** @throws GatewayError `sm.decrypt-failed` when the ciphertext is at fault; else as {@link must} */
  mustDecrypt(call: string, result: number): void {
    // One message whatever went wrong: the reason would help only a prober.
    if (isUndecryptable(result)) throw new GatewayError("sm.decrypt-failed", { detail: "SM2" });
    this.must(call, result);
  }

  /** SM3(Z || message), or SM3(message) without a key. */
  digest(message: Uint8Array, signer?: { key: Sm2PublicKey; id: Uint8Array }): Uint8Array {
    const { native, handle } = this;
    const key = signer === undefined ? null : publicKeyStruct(signer.key);
    const id = signer?.id ?? null;
    this.must("SDF_HashInit", native.hashInit(handle, SGD_SM3, key, id, id?.length ?? 0));
    for (let at = 0; at < message.length; at += SLICE_BYTES) {
      const slice = message.subarray(at, at + SLICE_BYTES);
      this.must("SDF_HashUpdate", native.hashUpdate(handle, slice, slice.length));
    }
    const digest = new Uint8Array(DIGEST_BYTES);
    const length = Uint32Array.of(DIGEST_BYTES);
    this.must("SDF_HashFinal", native.hashFinal(handle, digest, length));
    if (length[0] !== DIGEST_BYTES) {
      throw new GatewayError("sm.hsm-failed", { detail: `a digest of ${length[0]} bytes` });
    }
    return digest;
  }
}

export class SdfDevice {
  readonly #native: SdfBinding;
  readonly #settings: SdfSettings;
  readonly #passwords: Passwords;
  /** By `kind/index`, from the first connection on. */
  readonly #publicKeys = new Map<string, Sm2PublicKey>();
  #session: SdfSession | undefined;

  /**
   * Opens library, device and session and takes the right to every key.
   * @throws GatewayError `sm.hsm-*`, `sm.key-exposed`
   */
  constructor(settings: SdfSettings) {
    this.#settings = settings;
    this.#passwords = new Passwords(settings.refusedPath);
    this.#native = openSdfLibrary(settings.library);
    this.#session = this.#connect();
  }

  /** @throws GatewayError `sm.hsm-key` when the index is not among the configured ones */
  publicKey(kind: SdfKeyKind, index: number): Sm2PublicKey {
    const key = this.#publicKeys.get(`${kind}/${index}`);
    if (key === undefined) throw new GatewayError("sm.hsm-key", { detail: `${kind} ${index}` });
    return key;
  }

  /** Runs calls in the session; once more in a new one when the old one turned out to be lost. */
  operation<T>(body: (session: SdfSession) => T): T {
    const known = this.#session;
    if (known !== undefined) {
      try {
        return body(known);
      } catch (error) {
        if (!known.lost) throw error;
        this.#give(known);
      }
    }
    const session = this.#connect();
    this.#session = session;
    try {
      return body(session);
    } catch (error) {
      if (session.lost) this.#give(session);
      throw error;
    }
  }

  info(): SdfDeviceInfo {
    return this.operation((session) => {
      const info = Buffer.alloc(DEVICE_INFO_BYTES);
      session.must("SDF_GetDeviceInfo", session.native.deviceInfo(session.handle, info));
      return deviceInfoOf(info);
    });
  }

  /** @param length 1..4096 bytes from the device's generator */
  random(length: number): Uint8Array {
    if (!Number.isSafeInteger(length) || length < 1 || length > MAX_RANDOM_BYTES) {
      throw new GatewayError("sm.operation-failed", { detail: `1..${MAX_RANDOM_BYTES} bytes` });
    }
    return this.operation((session) => {
      const out = new Uint8Array(length);
      session.must("SDF_GenerateRandom", session.native.random(session.handle, length, out));
      return out;
    });
  }

  /** Releases the keys and closes session and device. The next operation would open them again. */
  close(): void {
    const session = this.#session;
    if (session === undefined) return;
    for (const { index } of this.#indices()) session.native.releaseRight(session.handle, index);
    this.#give(session);
  }

  /** Faults while giving up are of no more interest: the device may be gone. */
  #give(session: SdfSession): void {
    this.#session = undefined;
    session.lost = true;
    session.native.closeSession(session.handle);
    session.native.closeDevice(session.device);
  }

  /** Each index once: one right covers both of its key pairs. */
  #indices(): SdfKeySettings[] {
    const { sign = [], encrypt = [] } = this.#settings.keys;
    return [...new Map([...sign, ...encrypt].map((key) => [key.index, key])).values()];
  }

  #connect(): SdfSession {
    const native = this.#native;
    const device: [Handle | null] = [null];
    const handle: [Handle | null] = [null];
    const opened = native.openDevice(device);
    if (opened !== SDR_OK) throw sdfError("SDF_OpenDevice", opened);
    if (device[0] === null) throw new GatewayError("sm.hsm-failed", { detail: "no device handle" });
    const started = native.openSession(device[0], handle);
    if (started !== SDR_OK || handle[0] === null) {
      native.closeDevice(device[0]);
      throw sdfError("SDF_OpenSession", started);
    }
    const session = new SdfSession(native, device[0], handle[0]);
    try {
      for (const { index, passwordFile } of this.#indices()) {
        this.#passwords.use(passwordFile, (password) => takesPassword(session, index, password));
      }
      for (const kind of ["sign", "encrypt"] as const) {
        for (const { index } of this.#settings.keys[kind] ?? []) {
          this.#meet(kind, index, exportKey(session, kind, index));
        }
      }
      return session;
    } catch (error) {
      this.#give(session);
      throw error;
    }
  }

  #meet(kind: SdfKeyKind, index: number, key: Sm2PublicKey): void {
    const name = `${kind}/${index}`;
    const known = this.#publicKeys.get(name);
    if (known !== undefined && Buffer.compare(known, key) !== 0) {
      throw new GatewayError("sm.hsm-key", { detail: `${name} is another key than at the start` });
    }
    this.#publicKeys.set(name, key);
  }
}

/** False when the device says that the password is wrong, or the key locked. */
function takesPassword(session: SdfSession, index: number, password: Uint8Array): boolean {
  const call = "SDF_GetPrivateKeyAccessRight";
  const result = session.native.getRight(session.handle, index, password, password.length);
  try {
    session.must(call, result);
    return true;
  } catch (error) {
    if (error instanceof GatewayError && error.code === "sm.hsm-password") return false;
    throw error;
  }
}

/** Needs no password. @throws GatewayError `sm.hsm-*` */
export function exportKey(session: SdfSession, kind: SdfKeyKind, index: number): Sm2PublicKey {
  const struct = Buffer.alloc(PUBLIC_KEY_STRUCT_BYTES);
  const { native, handle } = session;
  if (kind === "sign") {
    session.must("SDF_ExportSignPublicKey_ECC", native.signPublicKey(handle, index, struct));
  } else {
    session.must("SDF_ExportEncPublicKey_ECC", native.encryptPublicKey(handle, index, struct));
  }
  return publicKeyOf(struct);
}
