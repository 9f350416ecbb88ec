/** Guarantee: both programs follow registry and trust of their zone in one way, from the start on. */
import { fetchRegistry } from "@lightferry/proto/registry";
import { createClient, PolicyService } from "@lightferry/proto/rpc";
import { type BaseConfig, followZoneTrust, type Shell } from "@lightferry/proto/service";
import type { TrustSource } from "@lightferry/proto/trust";
import { LinkKeys } from "./keys.ts";
import { requirePeer } from "./peers.ts";

/** Waits for policy; what it opens ends with the program. */
export async function followLink(
  shell: Shell<BaseConfig>,
): Promise<{ readonly trust: TrustSource; readonly keys: LinkKeys }> {
  const { config, log, provider, onClose, closing } = shell;
  const { tls, zone } = config;
  const address = requirePeer(config, "policy");
  const policy = createClient(PolicyService, { address, tls, zone, peer: "policy" });
  onClose(() => policy.close());
  const fetch = () => fetchRegistry(policy, provider, config, closing);
  const registry = await fetch();
  const { source: trust } = await followZoneTrust(shell, address);
  const keys = new LinkKeys(trust, registry, fetch, (error) =>
    log.warn({ err: error }, "registry not refreshed"),
  );
  onClose(() => keys.close());
  return { trust, keys };
}
