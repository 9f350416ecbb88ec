/** Guarantee: both programs follow registry and trust of their zone in one way, from the start on. */
import { asGatewayError } from "@lightferry/proto/errors";
import { fetchRegistry } from "@lightferry/proto/registry";
import { createClient, PolicyService, TrustService } from "@lightferry/proto/rpc";
import type { BaseConfig, Shell } from "@lightferry/proto/service";
import { followTrust, type TrustSource } from "@lightferry/proto/trust";
import { LinkKeys } from "./keys.ts";
import { requirePeer } from "./peers.ts";

/** Waits for policy; what it opens ends with the program. */
export async function followLink(
  shell: Shell<BaseConfig>,
): Promise<{ readonly trust: TrustSource; readonly keys: LinkKeys }> {
  const { config, log, provider, onClose, closing } = shell;
  const { tls, zone, mode } = config;
  const peer = { address: requirePeer(config, "policy"), tls, zone, peer: "policy" } as const;
  const policy = createClient(PolicyService, peer);
  onClose(() => policy.close());
  const fetch = () => fetchRegistry(policy, provider, config, closing);
  const registry = await fetch();
  const trustService = createClient(TrustService, peer);
  onClose(() => trustService.close());
  const trust = await followTrust(
    trustService,
    provider,
    { rootPath: config.trustRootPath, mode },
    {
      signal: closing,
      onError: (error) => log.warn({ code: asGatewayError(error).code }, "trust not refreshed"),
    },
  );
  const keys = new LinkKeys(trust, registry, fetch, (error) =>
    log.warn({ err: error }, "registry not refreshed"),
  );
  onClose(() => keys.close());
  return { trust, keys };
}
