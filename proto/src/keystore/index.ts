/**
 * Guarantee: everything other modules may use of the keystore; see README.md.
 */
export {
  type BackupContent,
  type BackupFile,
  type BackupKey,
  type BackupOpener,
  type BackupProtection,
  openBackup,
  readBackupManifest,
  sealBackup,
} from "./backup.ts";
export type { BackupManifest } from "./backup-manifest.ts";
export {
  appendChain,
  type Chain,
  type ChainFields,
  type ChainRules,
  parseChain,
} from "./chained-lines.ts";
export { KEY_USES, type KeyInfo, type KeyUse } from "./key-document.ts";
export { generateKeyFile, type LoadedKey, loadKeyFile, readKeyInfo, sealKey } from "./key-file.ts";
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
export { createSecretFile, readSecretFile, syncFolder } from "./secret-file.ts";
export type { GivenShare } from "./shares.ts";
export {
  createUnlockFile,
  readUnlockFile,
  type UnattendedUnlock,
  type UnlockSource,
} from "./unlock.ts";
export { type UnlockLocation, unlockLocationWarnings } from "./unlock-location.ts";
export { createVaultFile, PayloadVault, WRAPPED_KEY_BYTES } from "./vault.ts";
