/**
 * Guarantee: a zone makes all its own keys and gives away only an introduction:
 * its node id and certificate requests. Nothing private of a zone is ever
 * outside it.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  createUnlockFile,
  createVaultFile,
  KeyRing,
  type KeyUse,
  makeRingKey,
} from "@lightferry/proto/keystore";
import {
  CERTIFICATE_USES,
  type CertificateUse,
  createRequest,
  parseCertificate,
  toPem,
} from "@lightferry/proto/pki";
import { createLocalCa, issueClientCertificate, type ServiceName } from "@lightferry/proto/rpc";
import { loadProvider } from "@lightferry/proto/sm";
import { readTrustFolder } from "@lightferry/proto/trust";
import {
  CALLERS,
  nodeIdOf,
  ORGANISATIONS,
  type ZoneName,
  type ZonePaths,
  zonePaths,
} from "../layout.ts";
import { readZoneOptions, unlockDirOf } from "./zone-options.ts";

export interface Introduction {
  readonly node: string;
  readonly zone: ZoneName;
  readonly demo: boolean;
  /** PKCS#10 in PEM for each key that has no certificate yet. */
  readonly requests: readonly string[];
  /** SHA-256 of the certificate by which the zone's demonstration caller may call the API. */
  readonly callerCertificateSha256: string;
}

/** What the keys in the ring of each use are stored as; which program may read it stands in deploy/README.md. */
export const KEY_RINGS = {
  sign: "node-sign",
  encrypt: "node-encrypt",
  policy: "policy-sign",
  audit: "audit-sign",
  ferry: "ferry-sign",
} as const satisfies Record<CertificateUse, KeyUse>;

/** One unlock file for each ring, so that a program that may read its own cannot open another's. */
export const unlockFile = (use: CertificateUse): string => `${use}.unlock`;

export const ringDir = (paths: ZonePaths, use: CertificateUse): string => join(paths.keys, use);

/** A demonstration that is started again within its last ten days goes on with fresh keys. */
const RENEW_BEFORE_MS = 10 * 24 * 60 * 60 * 1000;

const CERTIFIED: readonly ServiceName[] = [
  "front-proxy",
  "seal",
  "policy",
  "audit",
  "ferry-tx",
  "ferry-rx",
  "media-tx",
  "media-rx",
  "operator",
  "supervisor",
];

/** What a zone needs besides the keys that are certified: folders, vaults, the CA of its services' connections. */
export async function prepareZone(
  zone: ZoneName,
  paths: ZonePaths,
  unlockDir: string,
  hosts: readonly string[],
): Promise<void> {
  for (const folder of [...Object.values(paths), unlockDir]) {
    // PostgreSQL makes its own folder: an existing empty one is fine, other owners are not.
    if (folder !== paths.postgres) mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  for (const vault of ["spool.vault", "sealed-away.vault"]) {
    const path = join(unlockDir, vault);
    if (!existsSync(path)) createVaultFile(path);
  }
  if (!existsSync(join(paths.tls, "ca.pem"))) {
    await createLocalCa(paths.tls, zone, [...CERTIFIED], { hosts: [...hosts] });
  }
}

/** Makes what is missing of the zone's folders, keys and certificates; returns the introduction. */
export async function introduceZone(
  home: string,
  zone: ZoneName,
  options: { readonly demo: boolean; readonly hosts?: readonly string[] },
): Promise<Introduction> {
  const paths = zonePaths(home, zone);
  const unlockDir = unlockDirOf(paths, readZoneOptions(paths.root));
  await prepareZone(zone, paths, unlockDir, options.hosts ?? []);
  const requests = CERTIFICATE_USES.flatMap((use) =>
    requestsOf(paths, zone, use, { unlockDir, demo: options.demo }),
  );
  return {
    node: nodeIdOf(zone),
    zone,
    demo: options.demo,
    requests,
    callerCertificateSha256: await callerCertificate(paths, zone),
  };
}

/** Makes a key where none lasts long enough, and asks for the certificates that are missing. */
function requestsOf(
  paths: ZonePaths,
  zone: ZoneName,
  use: CertificateUse,
  { unlockDir, demo }: { readonly unlockDir: string; readonly demo: boolean },
): string[] {
  const provider = loadProvider();
  const dir = ringDir(paths, use);
  const unlock = { file: join(unlockDir, unlockFile(use)) };
  if (!existsSync(unlock.file)) createUnlockFile(unlock.file).fill(0);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const certified = readTrustFolder(provider, paths.trust).certificates.map(parseCertificate);
  const lasting = new Map(certified.map(({ keyId, notAfterMs }) => [keyId, notAfterMs]));
  const ring = KeyRing.open({ dir, unlock, use: KEY_RINGS[use], mode: "demo" });
  try {
    const needed = Date.now() + RENEW_BEFORE_MS;
    if (!ring.keyIds().some((keyId) => (lasting.get(keyId) ?? Infinity) > needed)) {
      makeRingKey(dir, unlock, KEY_RINGS[use], { demo });
      ring.refresh();
    }
    return ring.keyIds().flatMap((keyId) => {
      const key = lasting.has(keyId) ? undefined : ring.privateKey(keyId);
      if (key === undefined) return [];
      const identity = { zone, node: nodeIdOf(zone), use };
      const organisation = ORGANISATIONS[zone];
      const request = createRequest(provider, key, { identity, organisation, demo });
      return [toPem("CERTIFICATE REQUEST", request)];
    });
  } finally {
    ring.close();
  }
}

/** Issued once, and again when it is about to end: the registry then follows. */
async function callerCertificate(paths: ZonePaths, zone: ZoneName): Promise<string> {
  return (await issueClientCertificate(paths.tls, CALLERS[zone])).fingerprint;
}
