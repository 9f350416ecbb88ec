/**
 * Guarantee: keys come from certificates that lead to the pinned root, for nodes
 * that the signed registry knows; never from a message alone. A revocation or a
 * denial counts as soon as policy has it; a registry that changed is seen
 * within {@link REFRESH_MS}.
 */
import type { Registry } from "@lightferry/proto/registry";
import type { KeyDirectory, TrustSource, TrustStore } from "@lightferry/proto/trust";

/** How old the registry may be in use. */
export const REFRESH_MS = 30_000;

export class LinkKeys {
  readonly #trust: TrustSource;
  readonly #taken: (registry: Registry) => void;
  #registry: Registry;
  #directory: { readonly store: TrustStore; readonly keys: KeyDirectory } | undefined;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param fetch a verified registry; a failure keeps the present one
   * @param taken hears of each that comes into force
   */
  constructor(
    trust: TrustSource,
    first: Registry,
    fetch: () => Promise<Registry>,
    failed: (error: unknown) => void,
    taken: (registry: Registry) => void,
  ) {
    this.#trust = trust;
    this.#registry = first;
    this.#taken = taken;
    let busy = false;
    this.#timer = setInterval(() => {
      if (busy) return;
      busy = true;
      fetch()
        .then((registry) => this.#take(registry), failed)
        .finally(() => {
          busy = false;
        });
    }, REFRESH_MS);
    this.#timer.unref();
  }

  /** Public keys of the registered nodes, by the trust store in force. */
  get keys(): KeyDirectory {
    const store = this.#trust.current();
    if (this.#directory?.store !== store) {
      const zoneOf = (id: string): string | undefined => this.#registry.node(id)?.zone;
      this.#directory = { store, keys: store.keyDirectory(zoneOf) };
    }
    return this.#directory.keys;
  }

  /** The node at the far end of a lane. */
  receiverOf(lane: string): string | undefined {
    const to = this.#registry.lane(lane)?.to;
    return to === undefined ? undefined : this.#registry.nodeOfZone(to)?.id;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #take(registry: Registry): void {
    // Numbers only rise: an older document is not a newer truth.
    if (registry.document.number < this.#registry.document.number) return;
    this.#registry = registry;
    this.#directory = undefined;
    this.#taken(registry);
  }
}
