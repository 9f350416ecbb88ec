/** Guarantee: every secret that an installation made for itself, so that a drill can look for it everywhere else. */
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KeyRing } from "@lightferry/proto/keystore";
import { loadProvider } from "@lightferry/proto/sm";
import { ZONES, type ZoneName, zonePaths } from "../../src/layout.ts";
import { zonePasswords } from "../../src/setup/databases.ts";
import { KEY_RINGS, ringDir, unlockFile } from "../../src/setup/introduction.ts";
import type { Secret } from "./needles.ts";

/** A secret and the files in which it belongs. */
export interface KnownSecret extends Secret {
  readonly homes: readonly string[];
}

const UNLOCK_MAGIC_BYTES = 8;
/** Magic and one byte for the form (proto/src/keystore/vault.ts). */
const VAULT_HEAD_BYTES = 8;

/** Private keys, unlock files, vaults, passwords and TLS keys of both zones. */
export function installedSecrets(home: string): KnownSecret[] {
  return ZONES.flatMap((zone) => [
    ...ringSecrets(home, zone),
    ...fileSecrets(home, zone),
    ...passwordSecrets(home, zone),
    ...tlsSecrets(home, zone),
  ]);
}

function ringSecrets(home: string, zone: ZoneName): KnownSecret[] {
  const provider = loadProvider();
  const paths = zonePaths(home, zone);
  return Object.entries(KEY_RINGS).flatMap(([use, keyUse]) => {
    const unlock = { file: join(paths.keys, unlockFile(use as keyof typeof KEY_RINGS)) };
    const dir = ringDir(paths, use as keyof typeof KEY_RINGS);
    const ring = KeyRing.open({ dir, unlock, use: keyUse, mode: "demo" });
    const found = ring.keyIds().flatMap((keyId) => {
      const key = ring.privateKey(keyId);
      return key === undefined
        ? []
        : [{ name: `${zone} ${use} key ${keyId}`, bytes: provider.exportSm2(key), homes: [] }];
    });
    ring.close();
    return found;
  });
}

function fileSecrets(home: string, zone: ZoneName): KnownSecret[] {
  const { keys } = zonePaths(home, zone);
  return readdirSync(keys).flatMap((name): KnownSecret[] => {
    const path = join(keys, name);
    const head = name.endsWith(".unlock")
      ? UNLOCK_MAGIC_BYTES
      : name.endsWith(".vault")
        ? VAULT_HEAD_BYTES
        : undefined;
    if (head === undefined) return [];
    return [{ name: `${zone} ${name}`, bytes: readFileSync(path).subarray(head), homes: [path] }];
  });
}

function passwordSecrets(home: string, zone: ZoneName): KnownSecret[] {
  const paths = zonePaths(home, zone);
  const homes = [join(paths.keys, "postgres.json"), ...configsOf(paths.config)];
  return Object.entries(zonePasswords(paths)).map(([login, password]) => ({
    name: `${zone} database password of ${login}`,
    bytes: Buffer.from(password),
    homes,
  }));
}

/** Each service's own connection string stands in its settings, mode 0600. */
function configsOf(folder: string): string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}

function tlsSecrets(home: string, zone: ZoneName): KnownSecret[] {
  const { tls } = zonePaths(home, zone);
  return readdirSync(tls)
    .filter((name) => name.endsWith(".key.pem"))
    .map((name) => {
      const path = join(tls, name);
      const { d = "" } = createPrivateKey(readFileSync(path)).export({ format: "jwk" });
      const bytes = Buffer.from(d, "base64url");
      return { name: `${zone} TLS key ${name}`, bytes, homes: [path] };
    });
}
