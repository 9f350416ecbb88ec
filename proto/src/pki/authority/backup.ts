/**
 * Guarantee: a CA's backup holds its key, certificate, journal and newest list;
 * restored, it signs again under a new passphrase, and its list numbers go on
 * above every number it can have used since.
 */
import { join } from "node:path";
import { GatewayError } from "../../errors/index.ts";
import {
  type BackupOpener,
  type BackupProtection,
  createSecretFile,
  loadKeyFile,
  openBackup,
  sealBackup,
  sealKey,
} from "../../keystore/index.ts";
import { formatKeyId } from "../../sm/index.ts";
import {
  buildFolder,
  CERTIFICATE_FILE,
  exclusively,
  JOURNAL_FILE,
  KEY_FILE,
  listFile,
  ROOT_FILE,
  readPublicFile,
} from "./folder.ts";
import { appendJournal, readJournal } from "./journal.ts";
import { type AuthorityState, readAuthority } from "./read.ts";
import type { CaAccess } from "./sign.ts";

/** A list a day for more than two years after the backup. */
const RESTORE_LEAP = 1000;

/**
 * @returns the backup file's bytes, and one line for each custodian when it is shared.
 * @throws GatewayError `key.ca-missing|busy|damaged`, `sm.key-locked`, as `sealBackup`
 */
export async function backupAuthority(
  ca: CaAccess,
  protection: BackupProtection,
): Promise<{ bytes: Uint8Array; shareLines: readonly string[] }> {
  return exclusively(ca.dir, async () => {
    const state = readAuthority(ca.dir);
    const { key, demo } = loadKeyFile(join(ca.dir, KEY_FILE), ca.unlock, "ca-sign");
    const names = [CERTIFICATE_FILE, ROOT_FILE, JOURNAL_FILE];
    if (state.list !== undefined) names.push(listFile(state.list.number));
    try {
      return await sealBackup(
        {
          kind: "authority",
          subject: state.certificate?.subject ?? state.keyId,
          createdMs: Date.now(),
          keys: [{ ring: "ca", use: "ca-sign", demo, key }],
          files: names.flatMap((name) => {
            const bytes = readPublicFile(ca.dir, name);
            return bytes === undefined ? [] : [{ name, bytes }];
          }),
        },
        protection,
      );
    } finally {
      key.destroy();
    }
  });
}

/**
 * Restores a CA into a new folder, its key sealed under `ca.unlock`.
 * @throws GatewayError `key.backup-conflict` when the folder holds anything, `key.backup-invalid` when it is
 * no CA's, as `openBackup`
 */
export async function restoreAuthority(
  ca: CaAccess,
  bytes: Uint8Array,
  opener: BackupOpener,
): Promise<AuthorityState> {
  const { manifest, keys, files } = await openBackup(bytes, opener);
  try {
    const [only] = keys;
    if (manifest.kind !== "authority" || only === undefined || keys.length !== 1) {
      throw new GatewayError("key.backup-invalid", { detail: "not the backup of a CA" });
    }
    buildFolder(ca.dir, (dir) => {
      createSecretFile(
        join(dir, KEY_FILE),
        sealKey(only.key, ca.unlock, "ca-sign", only.demo).bytes,
      );
      for (const file of files) createSecretFile(join(dir, file.name), file.bytes);
      const path = join(dir, JOURNAL_FILE);
      const { nextNumber, certificate } = readAuthority(dir);
      if (certificate !== undefined && certificate.keyId !== formatKeyId(only.key.publicKey)) {
        throw new GatewayError("key.backup-invalid", { detail: "key and certificate differ" });
      }
      const floor = nextNumber - 1 + RESTORE_LEAP;
      appendJournal(path, readJournal(path), { event: "restored", floor }, Date.now());
    });
    return readAuthority(ca.dir);
  } catch (error) {
    if (error instanceof GatewayError && error.code === "key.ca-exists") {
      throw new GatewayError("key.backup-conflict", { detail: ca.dir, cause: error });
    }
    throw error;
  } finally {
    for (const { key } of keys) key.destroy();
  }
}
