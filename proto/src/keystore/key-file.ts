/**
 * Guarantee: a private key at rest is SM4-GCM under a key derived from the
 * unlock file, bound to its id, use, demonstration mark and public key. Loading
 * yields a handle only when the scalar opens and belongs to that public key.
 */
import { GatewayError } from "../errors/index.ts";
import {
  constantTimeEqual,
  formatKeyId,
  loadProvider,
  type Sm2PrivateKey,
  type Sm2PublicKey,
} from "../sm/index.ts";
import { freshBytes, withDerivedKey } from "./derived-key.ts";
import {
  formatKeyDocument,
  type KeyInfo,
  type KeyUse,
  keyFileAad,
  parseKeyDocument,
  SALT_BYTES,
} from "./key-document.ts";
import { createSecretFile, readSecretFile } from "./secret-file.ts";
import { readUnlockFile } from "./unlock.ts";

const LABEL = "key-file-key/1";
/** A key file is about 500 bytes; the rest is room for editors' line ends. */
const MAX_KEY_FILE_BYTES = 4096;

/**
 * Makes a fresh SM2 key and writes it to a new file of mode 0600.
 * @param unlock the 32 bytes of the unlock file; the caller wipes them.
 * @throws GatewayError `sm.key-file` when the file exists or cannot be written.
 */
export function generateKeyFile(
  path: string,
  unlock: Uint8Array,
  use: KeyUse,
  options: { readonly demo: boolean },
): { keyId: string; publicKey: Sm2PublicKey } {
  const provider = loadProvider();
  const key = provider.generateSm2();
  const scalar = provider.exportSm2(key);
  try {
    const publicKey = key.publicKey;
    const info: KeyInfo = { keyId: formatKeyId(publicKey), use, publicKey, demo: options.demo };
    const salt = freshBytes(SALT_BYTES);
    const sealed = withDerivedKey(provider, unlock, LABEL, salt, (sealKey, nonce) =>
      provider.sm4GcmEncrypt(sealKey, nonce, scalar, keyFileAad(info)),
    );
    createSecretFile(path, formatKeyDocument({ ...info, salt, sealed }));
    return { keyId: info.keyId, publicKey };
  } finally {
    scalar.fill(0);
    key.destroy();
  }
}

/**
 * The public half of a key file; needs no unlock file and proves nothing about
 * the sealed half.
 * @throws GatewayError `sm.key-invalid`, `sm.key-exposed`
 */
export function readKeyInfo(path: string): KeyInfo {
  const bytes = readSecretFile(path, MAX_KEY_FILE_BYTES, "sm.key-invalid");
  const { keyId, use, publicKey, demo } = parseKeyDocument(path, bytes);
  return { keyId, use, publicKey, demo };
}

/**
 * Loads a private key for one use.
 * @throws GatewayError `sm.key-locked` when the unlock file is missing or does
 * not open it, `sm.key-invalid` when the file is not a key of that use,
 * `sm.key-exposed` when others may read either file.
 */
export function loadKeyFile(
  path: string,
  unlockPath: string,
  expectedUse: KeyUse,
): { keyId: string; key: Sm2PrivateKey; demo: boolean } {
  const provider = loadProvider();
  const document = parseKeyDocument(
    path,
    readSecretFile(path, MAX_KEY_FILE_BYTES, "sm.key-invalid"),
  );
  if (document.use !== expectedUse) {
    throw new GatewayError("sm.key-invalid", {
      detail: `${path}: a key for ${document.use}, wanted ${expectedUse}`,
    });
  }
  const unlock = readUnlockFile(unlockPath);
  let scalar: Uint8Array | undefined;
  try {
    scalar = withDerivedKey(provider, unlock, LABEL, document.salt, (sealKey, nonce) =>
      provider.sm4GcmDecrypt(sealKey, nonce, document.sealed, keyFileAad(document)),
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
    unlock.fill(0);
  }
}
