/**
 * Guarantee: payloads at rest are encrypted under a key per exchange, and that
 * key is stored only wrapped under the node's vault key, bound to its context
 * (the exchange id). Deleting the wrapped key shreds that payload alone.
 *
 * ```
 * vault file   "LFVAULT" | 0x00 | 32-byte secret                          (open)
 *              "LFVAULT" | 0x01 | 16-byte salt | sealed secret, 48 bytes  (locked)
 * wrapped key  0x01 | 16-byte salt | SM4-GCM of 32 bytes, 16-byte tag     (65 bytes)
 * ```
 *
 * Wrapping key and nonce come from HMAC-SM3(vault secret, label, salt): a fresh
 * pair each time, so the number of wrapped keys is not limited by GCM's bound on
 * random nonces.
 */
import { GatewayError } from "../errors/index.ts";
import { domainSeparated, GCM_TAG_BYTES, loadProvider, type SmProvider } from "../sm/index.ts";
import { freshBytes, SECRET_BYTES, withDerivedKey } from "./derived-key.ts";
import { PayloadKey } from "./payload-key.ts";
import { createSecretFile, readSecretFile } from "./secret-file.ts";
import { readUnlockSecret, type UnattendedUnlock } from "./unlock.ts";

const MAGIC = Buffer.from("LFVAULT", "ascii");
const OPEN = 0x00;
const LOCKED = 0x01;
const BODY_AT = MAGIC.length + 1;
const SALT_BYTES = 16;
const SEALED_SECRET_BYTES = SECRET_BYTES + GCM_TAG_BYTES;
const MAX_VAULT_FILE_BYTES = BODY_AT + SALT_BYTES + SEALED_SECRET_BYTES;
const LOCK_LABEL = "vault-lock/1";
const WRAP_LABEL = "payload-wrap/1";
const WRAP_VERSION = 0x01;
/** Length of every wrapped key, for columns and checks. */
export const WRAPPED_KEY_BYTES = 1 + SALT_BYTES + SEALED_SECRET_BYTES;
/** A context is an identifier (an exchange id has 16 bytes), never content. */
const MAX_CONTEXT_BYTES = 256;

/**
 * Creates a vault key file of mode 0600.
 * @param unlock the 32 bytes of the unlock file; given, the file opens only with it.
 * @throws GatewayError `sm.key-file` when it exists or cannot be written.
 */
export function createVaultFile(path: string, unlock?: Uint8Array): void {
  const provider = loadProvider();
  const secret = freshBytes(SECRET_BYTES);
  let body: Uint8Array = secret;
  if (unlock !== undefined) {
    const salt = freshBytes(SALT_BYTES);
    body = withDerivedKey(provider, unlock, LOCK_LABEL, salt, (key, nonce) =>
      Buffer.concat([salt, provider.sm4GcmEncrypt(key, nonce, secret, MAGIC)]),
    );
  }
  const file = new Uint8Array(BODY_AT + body.length);
  file.set(MAGIC);
  file[MAGIC.length] = unlock === undefined ? OPEN : LOCKED;
  file.set(body, BODY_AT);
  try {
    createSecretFile(path, file);
  } finally {
    secret.fill(0);
    file.fill(0);
  }
}

function unlockSecret(
  provider: SmProvider,
  body: Uint8Array,
  source: UnattendedUnlock,
): Uint8Array {
  const unlock = readUnlockSecret(source);
  try {
    const salt = body.subarray(0, SALT_BYTES);
    return withDerivedKey(provider, unlock, LOCK_LABEL, salt, (key, nonce) =>
      provider.sm4GcmDecrypt(key, nonce, body.subarray(SALT_BYTES), MAGIC),
    );
  } catch (cause) {
    throw new GatewayError("sm.key-locked", { detail: "vault key file", cause });
  } finally {
    unlock.fill(0);
  }
}

export class PayloadVault {
  readonly #provider: SmProvider;
  #secret: Uint8Array | undefined;

  private constructor(provider: SmProvider, secret: Uint8Array) {
    this.#provider = provider;
    this.#secret = secret;
  }

  /**
   * Opens a vault key file.
   * @param unlock needed when the file was created locked.
   * @throws GatewayError `sm.key-invalid` when it is no vault file,
   * `sm.key-locked` when it does not open, `sm.key-exposed` when others may read it.
   */
  static open(vaultKeyPath: string, unlock?: UnattendedUnlock): PayloadVault {
    const provider = loadProvider();
    const file = readSecretFile(vaultKeyPath, MAX_VAULT_FILE_BYTES, "sm.key-invalid");
    try {
      const body = file.subarray(BODY_AT);
      const form = MAGIC.equals(file.subarray(0, MAGIC.length)) ? file[MAGIC.length] : undefined;
      if (form === OPEN && body.length === SECRET_BYTES) {
        return new PayloadVault(provider, Uint8Array.from(body));
      }
      if (form === LOCKED && body.length === SALT_BYTES + SEALED_SECRET_BYTES) {
        if (unlock === undefined) {
          throw new GatewayError("sm.key-locked", { detail: `${vaultKeyPath}: no unlock file` });
        }
        return new PayloadVault(provider, unlockSecret(provider, body, unlock));
      }
      throw new GatewayError("sm.key-invalid", { detail: `${vaultKeyPath}: not a vault key file` });
    } finally {
      file.fill(0);
    }
  }

  #open(): Uint8Array {
    if (this.#secret === undefined) {
      throw new GatewayError("sm.key-invalid", { detail: "the vault was closed" });
    }
    return this.#secret;
  }

  #aad(context: Uint8Array): Uint8Array {
    if (context.length === 0 || context.length > MAX_CONTEXT_BYTES) {
      throw new GatewayError("sm.operation-failed", { detail: "a context has 1..256 bytes" });
    }
    return domainSeparated(WRAP_LABEL, context);
  }

  /** A fresh payload key and its wrapped form (65 bytes), both bound to `context`. */
  newKey(context: Uint8Array): { key: PayloadKey; wrapped: Uint8Array } {
    const aad = this.#aad(context);
    const secret = freshBytes(SECRET_BYTES);
    const salt = freshBytes(SALT_BYTES);
    const sealed = withDerivedKey(this.#provider, this.#open(), WRAP_LABEL, salt, (key, nonce) =>
      this.#provider.sm4GcmEncrypt(key, nonce, secret, aad),
    );
    const wrapped = new Uint8Array(WRAPPED_KEY_BYTES);
    wrapped[0] = WRAP_VERSION;
    wrapped.set(salt, 1);
    wrapped.set(sealed, 1 + SALT_BYTES);
    return { key: new PayloadKey(this.#provider, secret, context), wrapped };
  }

  /** @throws GatewayError `sm.decrypt-failed` when altered, of another vault or another context. */
  unwrap(wrapped: Uint8Array, context: Uint8Array): PayloadKey {
    const aad = this.#aad(context);
    if (wrapped.length !== WRAPPED_KEY_BYTES || wrapped[0] !== WRAP_VERSION) {
      throw new GatewayError("sm.decrypt-failed", { detail: "not a wrapped key" });
    }
    const salt = wrapped.subarray(1, 1 + SALT_BYTES);
    const sealed = wrapped.subarray(1 + SALT_BYTES);
    const opened = withDerivedKey(this.#provider, this.#open(), WRAP_LABEL, salt, (key, nonce) =>
      this.#provider.sm4GcmDecrypt(key, nonce, sealed, aad),
    );
    return new PayloadKey(this.#provider, opened, context);
  }

  /** Wipes the vault key; every later use is `sm.key-invalid`. Keys already given out go on. */
  close(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
  }
}
