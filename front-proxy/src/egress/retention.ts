/**
 * Guarantee: in production no bundle file goes before the repair horizon is
 * over: within it the far side may ask for every bundle again.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { Registry } from "@lightferry/proto/registry";
import type { FrontProxyConfig } from "../config.ts";
import type { FrontProxyContext } from "../context.ts";

/** DESIGN §5: a ticket may be carried over by hand, after a week of holidays. */
const DEFAULT_HORIZON_SECONDS = 7 * 24 * 3_600;

type Settings = Pick<FrontProxyConfig, "mode" | "limits">;

/** How long the files of a lane are kept after their last pass, in ms. */
export function retentionMs(settings: Settings, registry: Registry, lane: string): number {
  const { horizon, kept } = secondsOf(settings, registry, lane);
  // A registry renewed after the start must not shorten it either.
  return (settings.mode === "production" ? Math.max(kept, horizon) : kept) * 1_000;
}

/**
 * Looks at every lane that leads out of this zone.
 * @throws GatewayError `config.invalid` in production when one keeps for less than the horizon; in a
 *   demonstration that is a warning.
 */
export function checkRetention(
  context: Pick<FrontProxyContext, "config" | "registry" | "shell">,
): void {
  const { config, shell } = context;
  const registry = context.registry();
  for (const { id, from } of registry.document.lanes) {
    if (from !== config.zone) continue;
    const { horizon, kept } = secondsOf(config, registry, id);
    if (kept >= horizon) continue;
    if (config.mode === "production") {
      throw new GatewayError("config.invalid", {
        detail:
          `limits.outboxRetentionSeconds: lane ${id} keeps bundles ${kept} s, ` +
          `limits.repairHorizonSeconds asks for ${horizon} s`,
      });
    }
    shell.log.warn(
      { lane: id, kept, horizon },
      "bundles are kept for less than the repair horizon",
    );
  }
}

function secondsOf({ limits }: Settings, registry: Registry, lane: string) {
  return {
    horizon: limits.repairHorizonSeconds ?? DEFAULT_HORIZON_SECONDS,
    kept: limits.outboxRetentionSeconds ?? registry.lane(lane)?.expirySeconds ?? 0,
  };
}
