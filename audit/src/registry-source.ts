/** Guarantee: the registry in use was verified against the configured anchor; it is fetched again when it does not know a key. */
import { GatewayError } from "@lightferry/proto/errors";
import {
  fetchRegistry,
  type Mode,
  type Registry,
  type RegistrySource,
} from "@lightferry/proto/registry";
import type { SmProvider } from "@lightferry/proto/sm";

/** A checkpoint with an unknown key must not become a request to policy each time. */
const REFRESH_AT_MOST_EVERY_MS = 10_000;
/** Witnessing answers within the caller's deadline; it is tried again with the next bundle. */
const FETCH_TIMEOUT_MS = 5_000;

export function registrySource(
  source: RegistrySource,
  provider: SmProvider,
  config: { readonly anchorPath: string; readonly mode: Mode },
): (options: { readonly stale: boolean }) => Promise<Registry> {
  let current: Registry | undefined;
  let fetchedMs = 0;
  return async ({ stale }) => {
    const fresh = Date.now() - fetchedMs < REFRESH_AT_MOST_EVERY_MS;
    if (current !== undefined && (!stale || fresh)) return current;
    const timeout = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    try {
      current = await fetchRegistry(source, provider, config, timeout);
    } catch (cause) {
      if (!timeout.aborted) throw cause;
      throw new GatewayError("rpc.unavailable", { detail: "policy", cause });
    }
    fetchedMs = Date.now();
    return current;
  };
}
