/**
 * Guarantee: the one place that knows where a zone keeps its key rings, unlock
 * files and pinned root, for the commands that an operator runs on the node.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CliContext, CliInput } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import {
  createUnlockFile,
  type KeyInfo,
  KeyRing,
  type KeyUse,
  readKeyInfo,
  ringKeyIds,
  ringKeyPath,
} from "@lightferry/proto/keystore";
import {
  CERTIFICATE_USES,
  type Certificate,
  type CertificateUse,
  isCertificateUse,
  parseCertificate,
} from "@lightferry/proto/pki";
import { actionsDirBeside, type KeyAction, withKeyAction } from "@lightferry/proto/service";
import { loadProvider } from "@lightferry/proto/sm";
import { readTrustFolder } from "@lightferry/proto/trust";

/** What the keys in the ring of each use are stored as. */
export const STORED_USE: Readonly<Record<CertificateUse, KeyUse>> = {
  sign: "node-sign",
  encrypt: "node-encrypt",
  policy: "policy-sign",
  audit: "audit-sign",
  ferry: "ferry-sign",
};

export interface ZoneKeys {
  readonly zone: string;
  readonly node: string;
  ringDir(use: CertificateUse): string;
  unlockFile(use: CertificateUse): string;
  readonly rootPath: string;
  readonly trustDir: string;
  /** Record of what people did with these keys. */
  readonly actionsDir: string;
}

/**
 * The folders of the zone that the command is about.
 * @param unlockDir where unlock files lie when not beside the rings.
 * @throws GatewayError `cli.usage`, `config.invalid`
 */
export function zoneKeys(context: CliContext, unlockDir?: string): ZoneKeys {
  const { zone, node, trustRootPath, unlockDir: configured } = context.zoneConfig();
  const root = join(context.home, zone);
  const keys = join(root, "keys");
  const unlocks = unlockDir ?? configured ?? keys;
  return {
    zone,
    node,
    ringDir: (use) => join(keys, use),
    unlockFile: (use) => join(unlocks, `${use}.unlock`),
    rootPath: trustRootPath ?? join(root, "registry", "root.pem"),
    trustDir: join(root, "trust"),
    actionsDir: actionsDirBeside(join(keys, "sign")),
  };
}

/**
 * Runs a verb's work on the rings of a node between intent and end of the record beside them.
 * @param about of the intent, beside zone and node.
 * @throws GatewayError `key.action-unrecorded`; what `body` throws.
 */
export function onRecord<T>(
  input: CliInput,
  { zone, node, ringDir }: ZoneKeys,
  verb: string,
  about: Readonly<Record<string, string>>,
  body: (action: KeyAction) => T | Promise<T>,
): Promise<T> {
  const told = { verb: `keys ${verb}`, operator: input.text("operator") };
  const wish = { keyFolder: ringDir("sign"), ...told, about: { zone, node, ...about } };
  return withKeyAction(wish, body);
}

/** @throws GatewayError `cli.usage` */
export function useOf(text: string | undefined): CertificateUse {
  if (text !== undefined && isCertificateUse(text)) return text;
  throw new GatewayError("cli.usage", { detail: `--use ${CERTIFICATE_USES.join(" | ")}` });
}

/** Makes what a ring needs that is not there yet. */
export function prepareRing(keys: ZoneKeys, use: CertificateUse): { file: string } {
  const file = keys.unlockFile(use);
  mkdirSync(keys.ringDir(use), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) createUnlockFile(file).fill(0);
  return { file };
}

/** Opens a ring whatever its marks: an operator handles demonstration keys too. */
export function openRing(keys: ZoneKeys, use: CertificateUse): KeyRing {
  return KeyRing.open({
    dir: keys.ringDir(use),
    unlock: { file: keys.unlockFile(use) },
    use: STORED_USE[use],
    mode: "demo",
  });
}

/** Public halves of the keys in a ring; none when there is no ring. */
export function ringInfos(keys: ZoneKeys, use: CertificateUse): KeyInfo[] {
  const dir = keys.ringDir(use);
  if (!existsSync(dir)) return [];
  return ringKeyIds(dir).map((keyId) => readKeyInfo(ringKeyPath(dir, keyId)));
}

/** Certificates that the node has taken in, read without its services; not judged. */
export function keptCertificates(keys: ZoneKeys): Certificate[] {
  return readTrustFolder(loadProvider(), keys.trustDir).certificates.map(parseCertificate);
}
