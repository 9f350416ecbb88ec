/**
 * Guarantee: the keys that open what arrives are found by id wherever they lie,
 * in files or in a cipher machine, and both at once while one follows the other:
 * what was sealed for the old place still opens.
 */
import type { DecryptKeys } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { KeyRing } from "@lightferry/proto/keystore";
import { openRing } from "@lightferry/proto/service";
import type { Sm2PrivateKey } from "@lightferry/proto/sm";
import type { FrontProxyContext } from "../../context.ts";

/** What a cipher machine and a ring of files have in common. */
type KeyHolder = Pick<KeyRing, "keyIds" | "has" | "decryptKey" | "refresh" | "close">;

/** What the receiving side needs of its keys; a ring of files is one. */
export interface DecryptionRing extends DecryptKeys, Pick<KeyRing, "keyIds" | "has" | "refresh"> {
  /** @throws GatewayError `key.*`; of a key in a machine, which only its own tools destroy */
  destroy(keyId: string): void;
  /** Absent: none is. */
  inMachine?(keyId: string): boolean;
}

/**
 * Keys of the cipher machine, the ring of files, or both while one follows the other.
 * @throws GatewayError `config.invalid`, `key.ring-missing`, `key.demo-in-production`, `sm.key-*`
 */
export function openOwnKeys({
  config,
  shell,
}: Pick<FrontProxyContext, "config" | "shell">): OwnKeys {
  const machine = shell.hsm?.encryptKeys;
  const { encryptKeysDir: dir } = config;
  const files =
    machine !== undefined && dir === undefined ? undefined : openRing(config, dir, "node-encrypt");
  return new OwnKeys(files, machine);
}

export class OwnKeys implements DecryptionRing {
  readonly #files: KeyRing | undefined;
  readonly #machine: KeyHolder | undefined;

  constructor(files: KeyRing | undefined, machine: KeyHolder | undefined) {
    this.#files = files;
    this.#machine = machine;
  }

  /** Sorted, each once. */
  keyIds(): string[] {
    return [...new Set(this.#holders.flatMap((holder) => holder.keyIds()))].sort();
  }

  has(keyId: string): boolean {
    return this.#holders.some((holder) => holder.has(keyId));
  }

  decryptKey(keyId: string): Sm2PrivateKey | undefined {
    for (const holder of this.#holders) {
      const key = holder.decryptKey(keyId);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  refresh(): void {
    for (const holder of this.#holders) holder.refresh();
  }

  inMachine(keyId: string): boolean {
    return this.#machine?.has(keyId) === true;
  }

  destroy(keyId: string): void {
    if (this.#files === undefined || this.inMachine(keyId)) {
      throw new GatewayError("key.unknown", { detail: `${keyId} has no file here` });
    }
    this.#files.destroy(keyId);
  }

  close(): void {
    for (const holder of this.#holders) holder.close();
  }

  get #holders(): KeyHolder[] {
    return [this.#machine, this.#files].filter((holder) => holder !== undefined);
  }
}
