/**
 * Guarantee: the program has a trust store verified against its own pinned root
 * before any part of it works, and always the newest that policy has.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import { type Client, createClient, TrustService } from "@lightferry/proto/rpc";
import type { BaseConfig, Shell } from "@lightferry/proto/service";
import { followTrust, type TrustSource } from "@lightferry/proto/trust";

export interface FollowedTrust {
  readonly source: TrustSource;
  readonly service: Client<typeof TrustService>;
}

/** Waits for policy, then follows its store until the shell closes. */
export async function openTrust(
  shell: Shell<BaseConfig>,
  policyAddress: string,
): Promise<FollowedTrust> {
  const { config, closing, log, provider } = shell;
  const service = createClient(TrustService, {
    tls: config.tls,
    zone: config.zone,
    address: policyAddress,
    peer: "policy",
  });
  shell.onClose(() => service.close());
  const source = await followTrust(
    service,
    provider,
    { rootPath: config.trustRootPath, mode: config.mode },
    {
      signal: closing,
      onError: (error) => {
        if (closing.aborted) return;
        const { code, detail } = asGatewayError(error);
        log.warn({ code, detail }, "trust store not renewed");
      },
    },
  );
  return { source, service };
}
