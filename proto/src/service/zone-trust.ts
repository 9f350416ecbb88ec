/**
 * Guarantee: a service has a trust store verified against its own pinned root
 * before any part of it works, and always the newest that policy has.
 */
import { asGatewayError } from "../errors/index.ts";
import { type Client, createClient, TrustService } from "../rpc/index.ts";
import { followTrust, type TrustSource } from "../trust/index.ts";
import type { BaseConfig } from "./config.ts";
import type { Shell } from "./shell.ts";

export interface ZoneTrust {
  readonly source: TrustSource;
  readonly service: Client<typeof TrustService>;
}

/**
 * Waits for policy, then follows its store until the shell closes.
 * @throws GatewayError `config.invalid`, `trust.*`, `rpc.*` when the shell closes first
 */
export async function followZoneTrust(
  shell: Pick<Shell<BaseConfig>, "config" | "closing" | "log" | "provider" | "onClose">,
  policyAddress: string,
): Promise<ZoneTrust> {
  const { config, closing, log, provider } = shell;
  const { tls, zone, mode, trustRootPath: rootPath } = config;
  const service = createClient(TrustService, {
    ...{ tls, zone, address: policyAddress, peer: "policy" },
  });
  shell.onClose(() => service.close());
  const onError = (error: unknown) => {
    if (closing.aborted) return;
    const { code, detail } = asGatewayError(error);
    log.warn({ code, detail }, "trust store not renewed");
  };
  const root = { rootPath, mode };
  const source = await followTrust(service, provider, root, { signal: closing, onError });
  return { source, service };
}
