/** Guarantee: seal signs only with the key that the registry names for this node, and never with a demonstration key in production. */
import { GatewayError } from "@lightferry/proto/errors";
import { loadKeyFile } from "@lightferry/proto/keystore";
import type { Registry } from "@lightferry/proto/registry";
import type { Sm2PrivateKey } from "@lightferry/proto/sm";
import type { SealConfig } from "./config.ts";

export interface SignKey {
  readonly key: Sm2PrivateKey;
  readonly keyId: string;
}

/** @throws GatewayError `seal.demo-in-production`, `sm.key-*`. */
export function loadSignKey(config: SealConfig): SignKey {
  const { key, keyId, demo } = loadKeyFile(config.signKeyPath, config.unlockPath, "node-sign");
  if (demo && config.mode === "production") {
    key.destroy();
    throw new GatewayError("seal.demo-in-production", { detail: keyId });
  }
  return { key, keyId };
}

/** @throws GatewayError `seal.key-unregistered`. */
export function assertRegistered(registry: Registry, node: string, keyId: string): void {
  if (registry.node(node)?.keys.sign.keyId !== keyId) {
    throw new GatewayError("seal.key-unregistered", { detail: `${node}: ${keyId}` });
  }
}
