/** Guarantee: both programs follow registry and trust of their zone in one way, from the start on. */
import { fetchRegistry } from "@lightferry/proto/registry";
import { createClient, PolicyService } from "@lightferry/proto/rpc";
import { type BaseConfig, followZoneTrust, type Shell } from "@lightferry/proto/service";
import type { TrustSource } from "@lightferry/proto/trust";
import { LinkKeys } from "./keys.ts";
import { type Carriage, DriverWatch } from "./lane-driver.ts";
import { requirePeer } from "./peers.ts";

export interface Followed {
  readonly trust: TrustSource;
  readonly keys: LinkKeys;
  /** @throws GatewayError `ferry.lane-driver` while the registry names another driver for the lane */
  readonly assertLane: (lane: string) => void;
}

/**
 * Waits for policy; what it opens ends with the program.
 * @throws GatewayError `ferry.lane-driver`
 */
export async function followLink(shell: Shell<BaseConfig>, carriage: Carriage): Promise<Followed> {
  const { config, log, journal, provider, onClose, closing } = shell;
  const { tls, zone } = config;
  const address = requirePeer(config, "policy");
  const policy = createClient(PolicyService, { address, tls, zone, peer: "policy" });
  onClose(() => policy.close());
  const fetch = () => fetchRegistry(policy, provider, config, closing);
  const registry = await fetch();
  const drivers = new DriverWatch(carriage, registry, journal, log);
  const { source: trust } = await followZoneTrust(shell, address);
  const keys = new LinkKeys(
    trust,
    registry,
    fetch,
    (error) => log.warn({ err: error }, "registry not refreshed"),
    (newer) => void drivers.taken(newer),
  );
  onClose(() => keys.close());
  return { trust, keys, assertLane: (lane) => drivers.assertLane(lane) };
}
