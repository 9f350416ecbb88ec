/** Guarantee: keys and a really signed registry for a sending zone and its far side. */
import { join } from "node:path";
import { createVaultFile } from "@lightferry/proto/keystore";
import { loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import {
  callerEntry,
  laneEntry,
  type SignedRegistry,
  serviceEntry,
  signRegistry,
} from "./signed-registry.ts";
import { TestTrust } from "./test-trust.ts";

export const provider = loadProvider();

export interface SenderKeys {
  readonly trust: TestTrust;
  /** Opens the ring of signing keys; that of the decryption keys has its own. */
  readonly signUnlockPath: string;
  readonly signKeysDir: string;
  readonly encryptUnlockPath: string;
  readonly encryptKeysDir: string;
  readonly rootPath: string;
  readonly vaultPath: string;
  /** In force now. */
  policy(): Sm2PrivateKey;
  /** The far side's. */
  decrypt(): Sm2PrivateKey;
}

export async function senderKeys(dir: string): Promise<SenderKeys> {
  const vaultPath = join(dir, "vault");
  createVaultFile(vaultPath);
  const trust = await TestTrust.make();
  const { pki } = trust;
  return {
    trust,
    vaultPath,
    rootPath: pki.rootPath,
    signKeysDir: pki.ringDir("node-extranet", "sign"),
    signUnlockPath: pki.unlockPath("node-extranet", "sign"),
    encryptKeysDir: pki.ringDir("node-extranet", "encrypt"),
    encryptUnlockPath: pki.unlockPath("node-extranet", "encrypt"),
    policy: () => pki.key("node-extranet", "policy"),
    decrypt: () => pki.key("node-business", "encrypt"),
  };
}

export function senderRegistry(certificates: Readonly<Record<string, string>>): SignedRegistry {
  const maxima = { maxRequestBytes: 1_000_000, maxFileBytes: 60_000_000 };
  const caller = (id: string, zone = "extranet") => {
    const certificate = certificates[id];
    return callerEntry(id, zone, certificate === undefined ? [] : [certificate]);
  };
  return signRegistry({
    lanes: [
      laneEntry("inbound", "extranet", "business", "open", maxima),
      laneEntry("outbound", "business", "extranet", "closed", maxima),
    ],
    services: [
      serviceEntry("registration", "request", 200_000),
      { ...serviceEntry("warnings", "request", 200_000), priority: "urgent" },
      serviceEntry("maps", "file", 50_000_000),
      serviceEntry("notes", "file", 1_000),
    ],
    callers: [caller("city"), caller("county"), caller("inside", "business")],
  });
}
