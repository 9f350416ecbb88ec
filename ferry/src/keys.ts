/**
 * Guarantee: keys come from the signed registry, never from a message, and a
 * registry that changed is seen within {@link REFRESH_MS}.
 */
import type { KeyDirectory, Registry } from "@lightferry/proto/registry";

/** How old the registry may be in use; a revoked key is refused after at most so long. */
export const REFRESH_MS = 30_000;

export class RegistryKeys {
  #registry: Registry;
  #directory: KeyDirectory;
  readonly #timer: NodeJS.Timeout;

  /** @param fetch a verified registry; a failure keeps the present one */
  constructor(first: Registry, fetch: () => Promise<Registry>, failed: (error: unknown) => void) {
    this.#registry = first;
    this.#directory = first.keyDirectory();
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

  get keys(): KeyDirectory {
    return this.#directory;
  }

  get registry(): Registry {
    return this.#registry;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #take(registry: Registry): void {
    // Numbers only rise: an older document is not a newer truth.
    if (registry.document.number < this.#registry.document.number) return;
    this.#registry = registry;
    this.#directory = registry.keyDirectory();
  }
}
