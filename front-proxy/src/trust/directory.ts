/**
 * Guarantee: keys are looked up in the newest trust store, for nodes as the
 * newest registry places them in zones.
 */
import type { BundleHeader } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { Registry } from "@lightferry/proto/registry";
import type { KeyDirectory, TrustSource, TrustStore } from "@lightferry/proto/trust";

export interface KeySources {
  readonly registry: () => Registry;
  readonly trust: TrustSource;
}

/** As both stand now; ask again for every piece of work. */
export function keysOf({ registry, trust }: KeySources): KeyDirectory {
  return directoryOf(registry(), trust.current());
}

/** Keys count only for nodes of the registry, in the zone that it names. */
export function directoryOf(registry: Registry, trust: TrustStore): KeyDirectory {
  return trust.keyDirectory((nodeId) => registry.node(nodeId)?.zone);
}

/**
 * Signing and policy keys of a header that was verified before.
 * @throws GatewayError `certificate.*`, `bundle.unknown-sign-key`, `verdict.unknown-policy-key`.
 */
export function assertKeysStand(keys: KeyDirectory, header: BundleHeader): void {
  const { sender, signKeyId, createdMs, certificates } = header;
  const usage = { presented: certificates, usedMs: createdMs };
  if (keys.signKey(sender, signKeyId, usage) === undefined) {
    throw new GatewayError("bundle.unknown-sign-key", { detail: `${sender} ${signKeyId}` });
  }
  for (const { policyNode, keyId } of header.verdictBatches) {
    if (keys.policyKey(policyNode, keyId, usage) === undefined) {
      throw new GatewayError("verdict.unknown-policy-key", { detail: `${policyNode} ${keyId}` });
    }
  }
}
