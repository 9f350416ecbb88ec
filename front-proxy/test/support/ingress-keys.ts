/** Guarantee: keys and a really signed registry for a receiving zone and what sends to it. */
import { join } from "node:path";
import { createVaultFile } from "@lightferry/proto/keystore";
import type { Registry } from "@lightferry/proto/registry";
import { loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { callerEntry, laneEntry, serviceEntry, signRegistry } from "./signed-registry.ts";
import { TestTrust } from "./test-trust.ts";

export const provider = loadProvider();
export const DAY_MS = 86_400_000;

/** Read anew each time: the keys in force change when the test's PKI does. */
export interface Keys {
  readonly trust: TestTrust;
  readonly vaultPath: string;
  readonly sign: Sm2PrivateKey;
  readonly exportPolicy: Sm2PrivateKey;
  readonly importPolicy: Sm2PrivateKey;
}

export async function createKeys(dir: string): Promise<Keys> {
  const vaultPath = join(dir, "vault");
  createVaultFile(vaultPath);
  const trust = await TestTrust.make();
  const { pki } = trust;
  return {
    trust,
    vaultPath,
    get sign() {
      return pki.key("node-extranet", "sign");
    },
    get exportPolicy() {
      return pki.key("node-extranet", "policy");
    },
    get importPolicy() {
      return pki.key("node-business", "policy");
    },
  };
}

export function receiverRegistry(): Registry {
  const maxima = { maxRequestBytes: 1e7, maxFileBytes: 1e9 };
  return signRegistry({
    lanes: [laneEntry("inbound", "extranet", "business", "open", maxima)],
    services: [serviceEntry("registration", "request", 1e9), serviceEntry("maps", "file", 1e9)],
    callers: [callerEntry("demo-caller", "extranet"), callerEntry("desk", "business")],
  }).registry;
}
