/**
 * Guarantee: a backup of private keys (and of the public files that belong to
 * them) is one file: a manifest in the clear, and SM4-GCM over scalars and
 * files under a passphrase or under a random key that is shared k of n. The
 * manifest's bytes are bound to the sealed part; nothing opens in part.
 *
 * ```
 * file    = manifest LF base64(sealed) LF
 * sealed  = SM4-GCM(scalars, 32 bytes each || files, in the manifest's order)
 * ```
 */
import { GatewayError } from "../errors/index.ts";
import {
  domainSeparated,
  formatKeyId,
  GCM_TAG_BYTES,
  loadProvider,
  type Sm2PrivateKey,
} from "../sm/index.ts";
import {
  type BackupManifest,
  formatManifest,
  MAX_BACKUP_BYTES,
  parseManifest,
  SCALAR_BYTES,
} from "./backup-manifest.ts";
import { freshBytes, SECRET_BYTES } from "./derived-key.ts";
import type { KeyUse } from "./key-document.ts";
import { assertStrong, freshLock, type KeyLock, type Opener, withLockKey } from "./key-lock.ts";
import { combineShares, type GivenShare, type ShareSet, splitSecret } from "./shares.ts";

const LABEL = "key-backup-key/1";
const LF = 0x0a;

/** A key on its way into or out of a backup. */
export interface BackupKey {
  /** Which ring it belongs to, e.g. `sign`; `ca` for an authority's. */
  readonly ring: string;
  readonly use: KeyUse;
  readonly demo: boolean;
  readonly key: Sm2PrivateKey;
}

export interface BackupFile {
  /** A plain file name. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface BackupContent {
  readonly kind: BackupManifest["kind"];
  /** What it is a backup of: a zone, or a CA's subject. */
  readonly subject: string;
  readonly createdMs: number;
  readonly keys: readonly BackupKey[];
  readonly files: readonly BackupFile[];
}

/** How a backup is protected: by a passphrase, or by shares. */
export type BackupProtection =
  | { readonly passphrase: Uint8Array }
  | { readonly k: number; readonly n: number };

/** What opens a backup. */
export type BackupOpener =
  | { readonly passphrase: Uint8Array }
  | { readonly shares: readonly GivenShare[] };

interface Protected {
  readonly lock: KeyLock;
  readonly opener: Opener;
  readonly shares?: ShareSet;
  readonly lines: readonly string[];
}

async function protect(protection: BackupProtection): Promise<Protected> {
  if ("passphrase" in protection) {
    assertStrong(protection);
    return { lock: freshLock(protection), opener: protection, lines: [] };
  }
  const secret = freshBytes(SECRET_BYTES);
  const { set, lines } = await splitSecret(secret, protection.k, protection.n);
  return { lock: freshLock(secret), opener: secret, shares: set, lines };
}

/**
 * Seals a backup. `shareLines` is empty with a passphrase; otherwise each line goes to one custodian.
 * @throws GatewayError `key.passphrase-weak`, `key.share-invalid`, `key.backup-invalid` when it is too large.
 */
export async function sealBackup(
  content: BackupContent,
  protection: BackupProtection,
): Promise<{ bytes: Uint8Array; manifest: BackupManifest; shareLines: readonly string[] }> {
  const provider = loadProvider();
  const { lock, opener, shares, lines } = await protect(protection);
  const manifest: BackupManifest = {
    kind: content.kind,
    subject: content.subject,
    createdMs: content.createdMs,
    keys: content.keys.map(({ ring, use, demo, key }) => ({
      ring,
      use,
      demo,
      keyId: formatKeyId(key.publicKey),
    })),
    files: content.files.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
    lock,
    ...(shares === undefined ? {} : { shares }),
  };
  const head = formatManifest(manifest);
  const scalars = content.keys.map(({ key }) => provider.exportSm2(key));
  const size =
    SCALAR_BYTES * scalars.length + content.files.reduce((sum, file) => sum + file.bytes.length, 0);
  const plain = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const part of [...scalars, ...content.files.map((file) => file.bytes)]) {
    plain.set(part, at);
    at += part.length;
  }
  try {
    const sealed = withLockKey(provider, lock, opener, LABEL, (key, nonce) =>
      provider.sm4GcmEncrypt(key, nonce, plain, domainSeparated("key-backup/1", head)),
    );
    const body = Buffer.from(Buffer.from(sealed).toString("base64"), "ascii");
    const bytes = Buffer.concat([head, Buffer.of(LF), body, Buffer.of(LF)]);
    if (bytes.length > MAX_BACKUP_BYTES) {
      throw new GatewayError("key.backup-invalid", { detail: `over ${MAX_BACKUP_BYTES} bytes` });
    }
    return { bytes, manifest, shareLines: lines };
  } finally {
    plain.fill(0);
    for (const scalar of scalars) scalar.fill(0);
    if (opener instanceof Uint8Array) opener.fill(0);
  }
}

function divide(bytes: Uint8Array): { head: Uint8Array; sealed: Uint8Array } {
  if (bytes.length > MAX_BACKUP_BYTES) {
    throw new GatewayError("key.backup-invalid", { detail: `over ${MAX_BACKUP_BYTES} bytes` });
  }
  const border = bytes.indexOf(LF);
  // Not "ascii": that drops the top bit, and a changed byte with it.
  const text = Buffer.from(bytes.subarray(border + 1)).toString("latin1");
  const sealed = Buffer.from(text, "base64");
  // Only the one encoding of these bytes: so no altered file opens.
  if (border < 1 || `${sealed.toString("base64")}\n` !== text) {
    throw new GatewayError("key.backup-invalid", { detail: "not a key backup" });
  }
  return { head: bytes.subarray(0, border), sealed };
}

/**
 * What a backup says of itself, not yet proven.
 * @throws GatewayError `key.backup-invalid`, `key.derivation-refused`
 */
export function readBackupManifest(bytes: Uint8Array): BackupManifest {
  return parseManifest(divide(bytes).head);
}

async function openerOf(manifest: BackupManifest, opener: BackupOpener): Promise<Opener> {
  if ("shares" in opener) {
    if (manifest.shares === undefined) {
      throw new GatewayError("key.backup-invalid", { detail: "it opens with a passphrase" });
    }
    return combineShares(manifest.shares, opener.shares);
  }
  if (manifest.shares !== undefined) {
    throw new GatewayError("key.backup-invalid", {
      detail: `it opens with ${manifest.shares.k} shares of set ${manifest.shares.set}`,
    });
  }
  return opener;
}

/**
 * Opens a backup whole. The caller destroys the keys.
 * @throws GatewayError `key.backup-invalid` when altered or of another passphrase,
 * `key.share-invalid|shares-mixed|shares-too-few`, `key.derivation-refused`
 */
export async function openBackup(
  bytes: Uint8Array,
  opener: BackupOpener,
): Promise<{ manifest: BackupManifest; keys: BackupKey[]; files: BackupFile[] }> {
  const provider = loadProvider();
  const { head, sealed } = divide(bytes);
  const manifest = parseManifest(head);
  const size =
    SCALAR_BYTES * manifest.keys.length + manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  if (sealed.length !== size + GCM_TAG_BYTES) {
    throw new GatewayError("key.backup-invalid", {
      detail: "its length does not fit its manifest",
    });
  }
  const unlock = await openerOf(manifest, opener);
  let plain: Uint8Array | undefined;
  const keys: BackupKey[] = [];
  try {
    plain = withLockKey(provider, manifest.lock, unlock, LABEL, (key, nonce) =>
      provider.sm4GcmDecrypt(key, nonce, sealed, domainSeparated("key-backup/1", head)),
    );
    let at = 0;
    const take = (length: number): Uint8Array => {
      at += length;
      return (plain as Uint8Array).subarray(at - length, at);
    };
    for (const { ring, use, demo, keyId } of manifest.keys) {
      const key = provider.importSm2(take(SCALAR_BYTES));
      keys.push({ ring, use, demo, key });
      if (formatKeyId(key.publicKey) !== keyId) {
        throw new GatewayError("key.backup-invalid", { detail: `${keyId} is another key` });
      }
    }
    const files = manifest.files.map(({ name, bytes: length }) => ({
      name,
      bytes: Uint8Array.from(take(length)),
    }));
    return { manifest, keys, files };
  } catch (error) {
    for (const { key } of keys) key.destroy();
    if (error instanceof GatewayError && error.code === "sm.decrypt-failed") {
      throw new GatewayError("key.backup-invalid", { cause: error });
    }
    throw error;
  } finally {
    plain?.fill(0);
    if (unlock instanceof Uint8Array) unlock.fill(0);
  }
}
