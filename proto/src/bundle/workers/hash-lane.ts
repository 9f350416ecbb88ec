/**
 * Guarantee: the SM3 of one item, computed by one worker thread from the slots in
 * which the item lies, in the order in which they are handed in. The state of the
 * hash, a native handle, stays on that thread from its first byte to its digest;
 * when the thread ends, the hash fails with it.
 */
import { GatewayError } from "../../errors/index.ts";
import type { WorkerProvider } from "./task.ts";
import type { WorkerThread } from "./thread.ts";

let last = 0;

export class HashLane {
  readonly #thread: WorkerThread;
  readonly #provider: WorkerProvider;
  readonly #size: number;
  readonly #hash: number;
  #state: "new" | "open" | "spent" = "new";

  /** @param size bytes that will come, so that the fastest code for it is chosen. */
  constructor(thread: WorkerThread, provider: WorkerProvider, size: number) {
    last += 1;
    this.#hash = last;
    this.#thread = thread;
    this.#provider = provider;
    this.#size = size;
    thread.lanes += 1;
  }

  /**
   * Goes on over these bytes of a slot, which nobody writes to until it is settled.
   * @throws GatewayError `service.worker-ended`, `sm.*`.
   */
  async update(memory: SharedArrayBuffer, from: number, to: number): Promise<void> {
    const start = this.#state === "new" ? this.#size : undefined;
    this.#state = "open";
    await this.#thread.run({
      kind: "hash",
      provider: this.#provider,
      hash: this.#hash,
      ...(start === undefined ? {} : { start }),
      memory,
      from,
      to,
    });
  }

  /** 32 bytes; the hash is spent. @throws GatewayError as {@link HashLane.update}. */
  async digest(): Promise<Uint8Array> {
    if (this.#state !== "open") {
      throw new GatewayError("internal.fault", { detail: `${this.#state} hash` });
    }
    const digest = await this.#spend();
    if (digest === undefined) throw new GatewayError("internal.fault", { detail: "no digest" });
    return digest;
  }

  /** Gives up a hash that is not spent; the thread keeps nothing of it. Never rejects. */
  async drop(): Promise<void> {
    if (this.#state !== "spent") await this.#spend().catch(() => {});
  }

  async #spend(): Promise<Uint8Array | undefined> {
    const begun = this.#state === "open";
    this.#state = "spent";
    try {
      return begun ? await this.#thread.run({ kind: "digest", hash: this.#hash }) : undefined;
    } finally {
      this.#thread.lanes -= 1;
    }
  }
}
