/**
 * Guarantee: a program of this driver carries a lane only where the signed registry names the driver for it: otherwise
 * it does not start, and where the registry changes under it that is alarmed once, and the sending one leases nothing
 * more of the lane until registry and settings agree again. What was taken on is brought to its end.
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { Registry } from "@lightferry/proto/registry";
import { type TroubleSink, Troubles } from "@lightferry/proto/service";
import type { Log } from "./events.ts";
import type { OutboxPeer } from "./tx/lane.ts";

/** As the registry names what carries a lane online. */
export type Driver = "udp" | "directory";

/** What a program carries by its settings. */
export interface Carriage {
  readonly driver: Driver;
  readonly lanes: readonly string[];
}

/**
 * A lane that the registry does not have is not judged here: nothing is decided or leased for it.
 * @throws GatewayError `ferry.lane-driver`
 */
function assertDriver(registry: Registry, lane: string, driver: Driver): void {
  const registered = registry.lane(lane)?.driver;
  if (registered !== undefined && registered !== driver) {
    throw new GatewayError("ferry.lane-driver", {
      detail: `${lane}: registered for ${registered}, carried by ${driver}`,
    });
  }
}

/** The outbox, of which nothing is leased for a lane while this throws. */
export function leasingWhere<Peer extends Pick<OutboxPeer, "lease">>(
  assertLane: (lane: string) => void,
  outbox: Peer,
): Peer {
  const lease: OutboxPeer["lease"] = async (request, call) => {
    assertLane(request.lane ?? "");
    return await outbox.lease(request, call);
  };
  return { ...outbox, lease };
}

/** Looks at each registry that comes into force. */
export class DriverWatch {
  readonly #carriage: Carriage;
  readonly #troubles: Troubles;
  #registry: Registry;

  /** @throws GatewayError `ferry.lane-driver` for the registry at the start */
  constructor(carriage: Carriage, first: Registry, events: TroubleSink, log: Log) {
    this.#carriage = carriage;
    this.#registry = first;
    this.#troubles = new Troubles(events, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    for (const lane of carriage.lanes) this.assertLane(lane);
  }

  /** @throws GatewayError `ferry.lane-driver` */
  assertLane(lane: string): void {
    assertDriver(this.#registry, lane, this.#carriage.driver);
  }

  /** A registry has come into force. Never throws. */
  async taken(registry: Registry): Promise<void> {
    this.#registry = registry;
    for (const lane of this.#carriage.lanes) {
      try {
        this.assertLane(lane);
        await this.#troubles.over(`carrying ${lane}`, { lane });
      } catch (error) {
        await this.#troubles.met(`carrying ${lane}`, error, { lane });
      }
    }
  }
}
