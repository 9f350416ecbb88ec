/** Guarantee: what the doctor believes of certificates is what the services believe: the zone's trust folder under its pinned root, and the keys that it holds. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ringKeyIds } from "@lightferry/proto/keystore";
import type { CertificateUse } from "@lightferry/proto/pki";
import { loadProvider } from "@lightferry/proto/sm";
import { readTrustFolder, readTrustRoot, TrustStore } from "@lightferry/proto/trust";
import type { ZonePaths } from "../layout.ts";
import { ringDir } from "../setup/introduction.ts";
import type { Machine } from "./machine.ts";

/**
 * Undefined where no root is pinned: the zone was not set up to that point.
 * @throws GatewayError for a root or folder that cannot be read
 */
export function trustStoreOf(
  { mode }: Pick<Machine, "mode">,
  paths: ZonePaths,
): TrustStore | undefined {
  const rootPath = join(paths.registry, "root.pem");
  if (!existsSync(rootPath)) return undefined;
  const provider = loadProvider();
  const folder = readTrustFolder(provider, paths.trust);
  return TrustStore.build(provider, {
    root: readTrustRoot(rootPath),
    set: {
      version: folder.version,
      certificates: [...folder.certificates],
      revocationLists: [...folder.revocationLists],
      denials: [...folder.denials],
    },
    mode,
  });
}

/**
 * Which private keys of a use the zone has; undefined, for all, where the key ring is not on this machine.
 * @param inMachine keys of a cipher machine that answers
 */
export function heldKeys(
  paths: ZonePaths,
  use: CertificateUse,
  inMachine: ReadonlySet<string>,
): ((keyId: string) => boolean) | undefined {
  const ring = ringDir(paths, use);
  if (!existsSync(ring)) return undefined;
  const held = new Set(ringKeyIds(ring));
  return (keyId) => held.has(keyId) || inMachine.has(keyId);
}
