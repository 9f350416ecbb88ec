/**
 * Guarantee: a ring holds the private keys of one use, each in its own file
 * `<dir>/<keyId>.key.json`. It shows ids and never material; a key whose file
 * was destroyed is unusable after the next `refresh`; in production it refuses
 * demonstration keys.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { GatewayError } from "../errors/index.ts";
import type { Sm2PrivateKey, Sm2PublicKey } from "../sm/index.ts";
import { loadProvider } from "../sm/index.ts";
import type { KeyUse } from "./key-document.ts";
import { type LoadedKey, loadKeyFile, readKeyInfo, sealKey } from "./key-file.ts";
import { createSecretFile, destroySecretFile } from "./secret-file.ts";
import type { UnlockSource } from "./unlock.ts";

/** Years of monthly rotation; each handle is native memory. */
export const MAX_RING_KEYS = 256;
const KEY_FILE = /^([0-9a-f]{32})\.key\.json$/;
const KEY_ID = /^[0-9a-f]{32}$/;

export interface KeyRingOptions {
  readonly dir: string;
  readonly unlock: UnlockSource;
  readonly use: KeyUse;
  /** In production a demonstration key is refused. */
  readonly mode: "demo" | "production";
}

/** Path of one key of a ring. @throws GatewayError `key.unknown` when it is no key id. */
export function ringKeyPath(dir: string, keyId: string): string {
  if (!KEY_ID.test(keyId)) throw new GatewayError("key.unknown", { detail: "not a key id" });
  return join(dir, `${keyId}.key.json`);
}

/**
 * Ids of the key files in a ring's folder, sorted; opens none.
 * @throws GatewayError `key.ring-missing`
 */
export function ringKeyIds(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (cause) {
    throw new GatewayError("key.ring-missing", { detail: dir, cause });
  }
  const ids = names.flatMap((name) => KEY_FILE.exec(name)?.[1] ?? []).sort();
  if (ids.length > MAX_RING_KEYS) {
    throw new GatewayError("sm.key-invalid", { detail: `${dir}: over ${MAX_RING_KEYS} keys` });
  }
  return ids;
}

/**
 * Makes a fresh key in a ring; the folder is made when it is missing (mode 0700).
 * @throws GatewayError `sm.key-file`, `sm.key-locked`, `key.passphrase-weak`
 */
export function makeRingKey(
  dir: string,
  unlock: UnlockSource,
  use: KeyUse,
  options: { readonly demo: boolean },
): { keyId: string; publicKey: Sm2PublicKey } {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new GatewayError("sm.key-file", { detail: dir, cause });
  }
  const key = loadProvider().generateSm2();
  try {
    const { info, bytes } = sealKey(key, unlock, use, options.demo);
    createSecretFile(ringKeyPath(dir, info.keyId), bytes, "folder");
    return { keyId: info.keyId, publicKey: info.publicKey };
  } finally {
    key.destroy();
  }
}

/**
 * Destroys a key file of a ring: overwritten, fsynced, unlinked, folder fsynced. Needs no unlock source.
 * @throws GatewayError `key.unknown` when it is not there, `sm.key-file`
 */
export function destroyRingKey(dir: string, keyId: string): void {
  const path = ringKeyPath(dir, keyId);
  if (!ringKeyIds(dir).includes(keyId)) {
    throw new GatewayError("key.unknown", { detail: `${keyId} in ${dir}` });
  }
  destroySecretFile(path);
}

export class KeyRing {
  readonly #options: KeyRingOptions;
  readonly #keys = new Map<string, LoadedKey>();

  private constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /**
   * Opens every key of the folder; an empty one is a ring without keys yet.
   * @throws GatewayError `key.ring-missing`, `key.demo-in-production`,
   * `sm.key-invalid|exposed|locked`, `key.derivation-refused`
   */
  static open(options: KeyRingOptions): KeyRing {
    const ring = new KeyRing(options);
    try {
      ring.refresh();
      return ring;
    } catch (error) {
      ring.close();
      throw error;
    }
  }

  /** Ids of the keys it can use, sorted. */
  keyIds(): string[] {
    return [...this.#keys.keys()].sort();
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /** The handle stays the ring's: callers use it at once and do not destroy it. */
  privateKey(keyId: string): Sm2PrivateKey | undefined {
    return this.#keys.get(keyId)?.key;
  }

  /** What `openBundle` asks for (DecryptKeys). */
  decryptKey(keyId: string): Sm2PrivateKey | undefined {
    return this.privateKey(keyId);
  }

  /** Takes new files up and drops the keys whose files are gone; a bad file stops no other one. */
  refresh(): void {
    const { dir } = this.#options;
    const present = ringKeyIds(dir);
    for (const keyId of this.keyIds()) if (!present.includes(keyId)) this.#drop(keyId);
    let fault: unknown;
    for (const keyId of present) {
      if (this.#keys.has(keyId)) continue;
      try {
        this.#keys.set(keyId, this.#load(keyId));
      } catch (error) {
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
  }

  /** Makes the key unusable and destroys its file: overwritten, fsynced, unlinked, folder fsynced. */
  destroy(keyId: string): void {
    this.#drop(keyId);
    destroyRingKey(this.#options.dir, keyId);
  }

  /** Frees every handle; the ring is empty afterwards. */
  close(): void {
    for (const keyId of this.keyIds()) this.#drop(keyId);
  }

  /** @throws GatewayError `sm.key-not-serialisable`, always. */
  toJSON(): never {
    throw new GatewayError("sm.key-not-serialisable");
  }

  toString(): string {
    return `[KeyRing ${this.#options.use}]`;
  }

  [inspect.custom](): string {
    return this.toString();
  }

  #load(keyId: string): LoadedKey {
    const { dir, unlock, use, mode } = this.#options;
    const path = ringKeyPath(dir, keyId);
    const info = readKeyInfo(path);
    if (info.keyId !== keyId) {
      throw new GatewayError("sm.key-invalid", { detail: `${path}: holds another key` });
    }
    if (info.demo && mode === "production") {
      throw new GatewayError("key.demo-in-production", { detail: keyId });
    }
    const loaded = loadKeyFile(path, unlock, use);
    // Read again for this, and only now proven: it must be the same file still.
    if (loaded.keyId !== keyId || loaded.demo !== info.demo) {
      loaded.key.destroy();
      throw new GatewayError("sm.key-invalid", { detail: `${path}: changed while it was read` });
    }
    return loaded;
  }

  #drop(keyId: string): void {
    this.#keys.get(keyId)?.key.destroy();
    this.#keys.delete(keyId);
  }
}
