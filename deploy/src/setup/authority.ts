/**
 * Guarantee: the demonstration authority (演示) signs one registry and one
 * policy pack over both zones' introductions, has the demonstration CAs certify
 * their keys, and hands each zone its own copy. Its keys lie in neither zone's
 * folder.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import {
  createUnlockFile,
  generateKeyFile,
  loadKeyFile,
  readUnlockFile,
} from "@lightferry/proto/keystore";
import { parseRegistryDocument } from "@lightferry/proto/registry";
import { domainSeparated, loadProvider } from "@lightferry/proto/sm";
import { writeTrustItems } from "@lightferry/proto/trust";
import { ZONES, zonePaths } from "../layout.ts";
import { REPOSITORY } from "../repository.ts";
import { type DemoTrust, issueCertificates } from "./certificates.ts";
import { demoRegistry } from "./demo-registry.ts";
import type { Introduction } from "./introduction.ts";
import type { ReceiptLane } from "./receipt-lane.ts";

const PACK = join(REPOSITORY, "policy/packs/demo.yaml");

/**
 * Issues certificates, lists, registry and pack to every zone folder under `home`.
 * @param receipts the lane of receipts that the registry names
 * @param appliance lane that is carried by one in place of the gate
 */
export async function issueDemo(
  home: string,
  introductions: readonly Introduction[],
  receipts: ReceiptLane = {},
  appliance?: string,
): Promise<void> {
  const folder = join(home, "authority");
  const keyPath = join(folder, "authority.key.json");
  const unlockPath = join(folder, "unlock.key");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(unlockPath)) createUnlockFile(unlockPath);
  if (!existsSync(keyPath)) {
    generateKeyFile(keyPath, readUnlockFile(unlockPath), "authority-sign", { demo: true });
  }
  const { key } = loadKeyFile(keyPath, { file: unlockPath }, "authority-sign");
  const provider = loadProvider();
  const document = issueDocument(folder, introductions, receipts, appliance);
  const signature = provider.sm2Sign(key, domainSeparated("registry/1", document));
  const packSignature = signPack(folder, keyPath, unlockPath);
  const anchor = `${JSON.stringify({ publicKey: Buffer.from(key.publicKey).toString("hex"), demo: true })}\n`;
  key.destroy();
  mkdirSync(join(folder, "ca"), { recursive: true, mode: 0o700 });
  const { rootPem, items }: DemoTrust = await issueCertificates(home, introductions);
  for (const zone of ZONES) {
    const { registry, trust } = zonePaths(home, zone);
    for (const own of [registry, trust]) mkdirSync(own, { recursive: true, mode: 0o700 });
    await writeTrustItems(provider, trust, items);
    writeFileSync(join(registry, "root.pem"), rootPem);
    writeFileSync(join(registry, "registry.json"), document);
    writeFileSync(join(registry, "registry.sig"), signature);
    writeFileSync(join(registry, "anchor.json"), anchor);
    writeFileSync(join(registry, "pack.yaml"), readFileSync(PACK));
    writeFileSync(join(registry, "pack.sig"), packSignature);
  }
}

/** The document issued last, unless what it should say has changed: then one with the next number. */
function issueDocument(
  folder: string,
  introductions: readonly Introduction[],
  receipts: ReceiptLane,
  appliance: string | undefined,
): Uint8Array {
  const path = join(folder, "registry.json");
  const last = existsSync(path) ? parseRegistryDocument(readFileSync(path)) : undefined;
  const wanted = demoRegistry(introductions, last, receipts, appliance);
  if (last !== undefined && JSON.stringify(last) === JSON.stringify(wanted)) {
    return readFileSync(path);
  }
  const bytes = Buffer.from(
    JSON.stringify({ ...wanted, number: (last?.number ?? 0) + 1 }, null, 1),
  );
  parseRegistryDocument(bytes);
  writeFileSync(path, bytes, { mode: 0o600 });
  return bytes;
}

function signPack(folder: string, keyPath: string, unlockPath: string): Uint8Array {
  const out = join(folder, "pack.sig");
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      join(REPOSITORY, "deploy/cli/lightferry.ts"),
      "policy",
      "sign-pack",
      "--pack",
      PACK,
      "--key",
      keyPath,
      "--unlock",
      unlockPath,
      "--out",
      out,
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) {
    throw new GatewayError("setup.failed", { detail: `policy sign-pack: ${stderr.trim()}` });
  }
  return readFileSync(out);
}
