/**
 * Guarantee: a private key at rest is SM4-GCM under a key derived from its
 * unlock source, bound to format, id, use, demonstration mark, derivation
 * parameters and public key. Loading yields a handle only when the scalar opens
 * and belongs to that public key.
 */
import { GatewayError } from "../errors/index.ts";
import {
  constantTimeEqual,
  formatKeyId,
  loadProvider,
  type Sm2PrivateKey,
  type Sm2PublicKey,
} from "../sm/index.ts";
import {
  formatKeyDocument,
  type KeyDocument,
  type KeyInfo,
  type KeyUse,
  keyFileAad,
  parseKeyDocument,
} from "./key-document.ts";
import { assertStrong, freshLock, type Opener, withLockKey } from "./key-lock.ts";
import { createSecretFile, readSecretFile } from "./secret-file.ts";
import type { UnlockSource } from "./unlock.ts";

const LABEL = "key-file-key/2";
/** A key file is about 600 bytes; the rest is room for editors' line ends. */
const MAX_KEY_FILE_BYTES = 4096;

/** A key out of its file. */
export interface LoadedKey {
  readonly keyId: string;
  readonly key: Sm2PrivateKey;
  readonly demo: boolean;
}

/**
 * The document of a key under `unlock`; a fresh salt each time.
 * @throws GatewayError `key.passphrase-weak`, `sm.key-locked`
 */
export function sealKey(
  key: Sm2PrivateKey,
  unlock: Opener,
  use: KeyUse,
  demo: boolean,
): { info: KeyInfo; bytes: Uint8Array } {
  assertStrong(unlock);
  const provider = loadProvider();
  const publicKey = key.publicKey;
  const info: KeyInfo = { keyId: formatKeyId(publicKey), use, publicKey, demo };
  const lock = freshLock(unlock);
  const scalar = provider.exportSm2(key);
  try {
    const sealed = withLockKey(provider, lock, unlock, LABEL, (sealing, nonce) =>
      provider.sm4GcmEncrypt(sealing, nonce, scalar, keyFileAad(info, lock)),
    );
    return { info, bytes: formatKeyDocument({ ...info, lock, sealed }) };
  } finally {
    scalar.fill(0);
  }
}

/**
 * Makes a fresh SM2 key and writes it to a new file of mode 0600.
 * @throws GatewayError `sm.key-file` when the file exists or cannot be written,
 * `sm.key-locked` when the unlock source cannot be read, `key.passphrase-weak`.
 */
export function generateKeyFile(
  path: string,
  unlock: Opener,
  use: KeyUse,
  options: { readonly demo: boolean },
): { keyId: string; publicKey: Sm2PublicKey } {
  const key = loadProvider().generateSm2();
  try {
    const { info, bytes } = sealKey(key, unlock, use, options.demo);
    createSecretFile(path, bytes);
    return { keyId: info.keyId, publicKey: info.publicKey };
  } finally {
    key.destroy();
  }
}

function readDocument(path: string): KeyDocument {
  return parseKeyDocument(path, readSecretFile(path, MAX_KEY_FILE_BYTES, "sm.key-invalid"));
}

/**
 * The public half of a key file; needs no unlock source and proves nothing
 * about the sealed half.
 * @throws GatewayError `sm.key-invalid`, `sm.key-exposed`
 */
export function readKeyInfo(path: string): KeyInfo {
  const { keyId, use, publicKey, demo } = readDocument(path);
  return { keyId, use, publicKey, demo };
}

/**
 * Loads a private key for one use.
 * @throws GatewayError `sm.key-locked` when the unlock source is missing or does
 * not open it, `sm.key-invalid` when the file is not a key of that use,
 * `sm.key-exposed` when others may read either file.
 */
export function loadKeyFile(path: string, unlock: UnlockSource, expectedUse: KeyUse): LoadedKey {
  const document = readDocument(path);
  if (document.use !== expectedUse) {
    throw new GatewayError("sm.key-invalid", {
      detail: `${path}: a key for ${document.use}, wanted ${expectedUse}`,
    });
  }
  const provider = loadProvider();
  let scalar: Uint8Array | undefined;
  try {
    scalar = withLockKey(provider, document.lock, unlock, LABEL, (opening, nonce) =>
      provider.sm4GcmDecrypt(opening, nonce, document.sealed, keyFileAad(document, document.lock)),
    );
    const key = provider.importSm2(scalar);
    if (!constantTimeEqual(key.publicKey, document.publicKey)) {
      key.destroy();
      throw new GatewayError("sm.key-invalid", { detail: `${path}: the halves do not match` });
    }
    return { keyId: document.keyId, key, demo: document.demo };
  } catch (error) {
    if (error instanceof GatewayError && error.code === "sm.decrypt-failed") {
      throw new GatewayError("sm.key-locked", { detail: path, cause: error });
    }
    throw error;
  } finally {
    scalar?.fill(0);
  }
}
