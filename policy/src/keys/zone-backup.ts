/** Guarantee: all ring keys of a node go into one backup and come back each into its own ring, under that ring's unlock key, or none does. */
import { existsSync } from "node:fs";
import { GatewayError } from "@lightferry/proto/errors";
import {
  type BackupKey,
  type BackupManifest,
  createSecretFile,
  openBackup,
  readBackupManifest,
  ringKeyPath,
  sealBackup,
  sealKey,
  type UnlockSource,
} from "@lightferry/proto/keystore";
import { CERTIFICATE_USES, type CertificateUse, isCertificateUse } from "@lightferry/proto/pki";
import { openRing, prepareRing, ringInfos, STORED_USE, useOf, type ZoneKeys } from "./zone-keys.ts";

/** How the passphrase of a node's backup is asked for. */
export const BACKUP_SECRET = {
  passphraseFile: "backup-passphrase-file",
  what: { zh: "备份口令", en: "Passphrase of the backup" },
} as const;

function passphraseOf(unlock: UnlockSource): { readonly passphrase: Uint8Array } {
  if ("passphrase" in unlock) return unlock;
  throw new GatewayError("key.passphrase-missing", { detail: "a node's backup has a passphrase" });
}

/** @throws GatewayError `key.unknown` when the node has no keys, `key.passphrase-weak`, `sm.key-*` */
export async function backupZone(
  keys: ZoneKeys,
  unlock: UnlockSource,
): Promise<{ bytes: Uint8Array; manifest: BackupManifest }> {
  const rings = CERTIFICATE_USES.filter((use) => ringInfos(keys, use).length > 0).map((use) => ({
    use,
    ring: openRing(keys, use),
    demo: new Map(ringInfos(keys, use).map((info) => [info.keyId, info.demo])),
  }));
  try {
    const held = rings.flatMap(({ use, ring, demo }) =>
      ring.keyIds().flatMap((keyId): BackupKey[] => {
        const key = ring.privateKey(keyId);
        if (key === undefined) return [];
        return [{ ring: use, use: STORED_USE[use], demo: demo.get(keyId) === true, key }];
      }),
    );
    if (held.length === 0) throw new GatewayError("key.unknown", { detail: `zone ${keys.zone}` });
    const content = { kind: "zone" as const, subject: keys.zone, createdMs: Date.now() };
    return await sealBackup({ ...content, keys: held, files: [] }, passphraseOf(unlock));
  } finally {
    for (const { ring } of rings) ring.close();
  }
}

/**
 * Asked before a passphrase is, and before anything is derived: half a second is long for a wrong file.
 * @throws GatewayError as {@link restoreZone}
 */
export function assertRestorable(keys: ZoneKeys, bytes: Uint8Array): void {
  const manifest: BackupManifest = readBackupManifest(bytes);
  if (manifest.kind !== "zone" || manifest.subject !== keys.zone) {
    throw new GatewayError("key.backup-invalid", {
      detail: `${manifest.kind} ${manifest.subject}, not zone ${keys.zone}`,
    });
  }
  for (const { ring, use, keyId } of manifest.keys) {
    if (!isCertificateUse(ring) || STORED_USE[ring] !== use) {
      throw new GatewayError("key.backup-invalid", { detail: `ring ${ring} of ${use}` });
    }
    const path = ringKeyPath(keys.ringDir(ring), keyId);
    if (existsSync(path)) throw new GatewayError("key.backup-conflict", { detail: path });
  }
}

/**
 * @returns what was restored.
 * @throws GatewayError `key.backup-conflict` when one of the keys is there already: then none is written;
 * `key.backup-invalid` when it is another zone's, and as `openBackup`
 */
export async function restoreZone(
  keys: ZoneKeys,
  bytes: Uint8Array,
  unlock: UnlockSource,
): Promise<{ use: CertificateUse; keyId: string }[]> {
  assertRestorable(keys, bytes);
  const { keys: held } = await openBackup(bytes, passphraseOf(unlock));
  try {
    return held.map(({ ring, use, demo, key }) => {
      const into = useOf(ring);
      const { bytes: file, info } = sealKey(key, prepareRing(keys, into), use, demo);
      createSecretFile(ringKeyPath(keys.ringDir(into), info.keyId), file, "folder");
      return { use: into, keyId: info.keyId };
    });
  } finally {
    for (const { key } of held) key.destroy();
  }
}
