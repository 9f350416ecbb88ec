/** Guarantee: all ring keys of a node go into one backup and come back each into its own ring, under that ring's unlock key, or none does. */
import { existsSync } from "node:fs";
import { GatewayError } from "@lightferry/proto/errors";
import {
  type BackupKey,
  type BackupManifest,
  createSecretFile,
  openBackup,
  ringKeyPath,
  sealBackup,
  sealKey,
  type UnlockSource,
} from "@lightferry/proto/keystore";
import { CERTIFICATE_USES, type CertificateUse, isCertificateUse } from "@lightferry/proto/pki";
import { formatKeyId } from "@lightferry/proto/sm";
import { openRing, prepareRing, ringInfos, STORED_USE, type ZoneKeys } from "./zone-keys.ts";

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

interface Planned {
  readonly use: CertificateUse;
  readonly path: string;
  readonly from: BackupKey;
}

function planned(keys: ZoneKeys, from: BackupKey): Planned {
  const use = from.ring;
  if (!isCertificateUse(use) || STORED_USE[use] !== from.use) {
    throw new GatewayError("key.backup-invalid", { detail: `ring ${use} of ${from.use}` });
  }
  const path = ringKeyPath(keys.ringDir(use), formatKeyId(from.key.publicKey));
  if (existsSync(path)) throw new GatewayError("key.backup-conflict", { detail: path });
  return { use, path, from };
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
  const { manifest, keys: held } = await openBackup(bytes, passphraseOf(unlock));
  try {
    if (manifest.kind !== "zone" || manifest.subject !== keys.zone) {
      throw new GatewayError("key.backup-invalid", {
        detail: `${manifest.kind} ${manifest.subject}, not zone ${keys.zone}`,
      });
    }
    const plan = held.map((key) => planned(keys, key));
    return plan.map(({ use, path, from }) => {
      const { bytes: file, info } = sealKey(from.key, prepareRing(keys, use), from.use, from.demo);
      createSecretFile(path, file);
      return { use, keyId: info.keyId };
    });
  } finally {
    for (const { key } of held) key.destroy();
  }
}
