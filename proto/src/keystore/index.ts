/**
 * Guarantee: everything other modules may use of the keystore; see README.md.
 */
export { KEY_USES, type KeyInfo, type KeyUse } from "./key-document.ts";
export { generateKeyFile, type LoadedKey, loadKeyFile, readKeyInfo } from "./key-file.ts";
export {
  destroyRingKey,
  KeyRing,
  type KeyRingOptions,
  makeRingKey,
  ringKeyIds,
  ringKeyPath,
} from "./key-ring.ts";
export { CHUNK_BYTES, encryptedSize } from "./payload-format.ts";
export type { PayloadKey, StreamOptions } from "./payload-key.ts";
export {
  createUnlockFile,
  readUnlockFile,
  type UnattendedUnlock,
  type UnlockSource,
} from "./unlock.ts";
export { createVaultFile, PayloadVault, WRAPPED_KEY_BYTES } from "./vault.ts";
