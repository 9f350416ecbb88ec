/**
 * Guarantee: a zone makes all its own keys and gives away only an introduction:
 * its node id and public keys. Nothing private of a zone is ever outside it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createUnlockFile,
  createVaultFile,
  generateKeyFile,
  readUnlockFile,
} from "@lightferry/proto/keystore";
import type { KeyUse, PublicKeyEntry } from "@lightferry/proto/registry";
import { createLocalCa, issueClientCertificate, type ServiceName } from "@lightferry/proto/rpc";
import { CALLERS, nodeIdOf, type ZoneName, type ZonePaths, zonePaths } from "../layout.ts";

export interface Introduction {
  readonly node: string;
  readonly zone: ZoneName;
  readonly demo: boolean;
  readonly keys: Readonly<Record<KeyUse, PublicKeyEntry>>;
  /** SHA-256 of the certificate by which the zone's demonstration caller may call the API. */
  readonly callerCertificateSha256: string;
}

/** Key file of each use: which program may read it stands in deploy/README.md. */
export const KEY_FILES = {
  sign: { file: "node-sign.key.json", use: "node-sign" },
  encrypt: { file: "node-encrypt.key.json", use: "node-encrypt" },
  policy: { file: "policy-sign.key.json", use: "policy-sign" },
  audit: { file: "audit-sign.key.json", use: "audit-sign" },
  ferry: { file: "ferry-sign.key.json", use: "ferry-sign" },
} as const satisfies Record<KeyUse, { file: string; use: string }>;

/** One unlock file for each key, so that a program that may read its own cannot open another's. */
export const unlockFile = (use: KeyUse): string => `${KEY_FILES[use].use}.unlock`;

const CERTIFIED: readonly ServiceName[] = [
  "front-proxy",
  "seal",
  "policy",
  "audit",
  "ferry-tx",
  "ferry-rx",
  "operator",
  "supervisor",
];

function makeFolders(paths: ZonePaths): void {
  for (const folder of Object.values(paths)) {
    // PostgreSQL makes its own folder: an existing empty one is fine, other owners are not.
    if (folder !== paths.postgres) mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}

/** Makes what is missing of the zone's folders, keys and certificates; returns the introduction. */
export async function introduceZone(
  home: string,
  zone: ZoneName,
  options: { readonly demo: boolean; readonly hosts?: readonly string[] },
): Promise<Introduction> {
  const paths = zonePaths(home, zone);
  makeFolders(paths);
  const introductionPath = join(paths.keys, "introduction.json");
  if (existsSync(introductionPath)) {
    const kept = JSON.parse(readFileSync(introductionPath, "utf8")) as Introduction;
    return { ...kept, callerCertificateSha256: await callerCertificate(paths, zone) };
  }
  const keys: Partial<Record<KeyUse, PublicKeyEntry>> = {};
  for (const [use, { file, use: keyUse }] of Object.entries(KEY_FILES)) {
    const unlockPath = join(paths.keys, unlockFile(use as KeyUse));
    if (!existsSync(unlockPath)) createUnlockFile(unlockPath);
    const made = generateKeyFile(join(paths.keys, file), readUnlockFile(unlockPath), keyUse, {
      demo: options.demo,
    });
    keys[use as KeyUse] = {
      keyId: made.keyId,
      publicKey: Buffer.from(made.publicKey).toString("hex"),
    };
  }
  for (const vault of ["spool.vault", "sealed-away.vault"]) {
    const path = join(paths.keys, vault);
    if (!existsSync(path)) createVaultFile(path);
  }
  await createLocalCa(paths.tls, zone, [...CERTIFIED], { hosts: [...(options.hosts ?? [])] });
  const introduction: Introduction = {
    node: nodeIdOf(zone),
    zone,
    demo: options.demo,
    keys: keys as Record<KeyUse, PublicKeyEntry>,
    callerCertificateSha256: await callerCertificate(paths, zone),
  };
  // Written last: its presence says that all of the above is complete.
  writeFileSync(introductionPath, `${JSON.stringify(introduction, null, 2)}\n`, { mode: 0o600 });
  return introduction;
}

/** Issued once, and again when it is about to end: the registry then follows. */
async function callerCertificate(paths: ZonePaths, zone: ZoneName): Promise<string> {
  return (await issueClientCertificate(paths.tls, CALLERS[zone])).fingerprint;
}
