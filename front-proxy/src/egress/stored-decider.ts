/**
 * Guarantee: every exchange in state received is decided as soon as policy can
 * be reached, after a restart too; while it cannot, nothing is lost and nothing moves.
 */
import { setMaxListeners } from "node:events";
import { asGatewayError } from "@lightferry/proto/errors";
import type { FrontProxyContext } from "../context.ts";
import { decideStored, type StoredStores } from "./decide-stored.ts";
import { Doorbell } from "./doorbell.ts";
import { stopExchange } from "./stop-exchange.ts";
import { undecided } from "./stored-rows.ts";

/** Two streams keep policy's workers and this program's cipher busy at the same time. */
const AT_ONCE = 2;
/** More are looked up when these are done. */
const LOOK_AT = 32;
/** Pause while a peer, the database or the disk is out of order. */
const RETRY_MS = 1_000;
/** Work of another front-proxy on this database, left behind by a crash. */
const LOOK_AGAIN_MS = 10_000;
/** Nothing will ever make these decidable. */
const HOPELESS: ReadonlySet<string> = new Set(["spool.payload-damaged", "sm.decrypt-failed"]);

export class StoredDecider {
  readonly #context: FrontProxyContext;
  readonly #stores: StoredStores;
  readonly #permitted: () => void;
  readonly #bell = new Doorbell();
  readonly #stop = new AbortController();
  readonly #busy = new Set<string>();
  readonly #loops: Promise<void>[];

  /** @param permitted called when something became permitted. */
  constructor(context: FrontProxyContext, stores: StoredStores, permitted: () => void) {
    this.#context = context;
    this.#stores = stores;
    this.#permitted = permitted;
    setMaxListeners(0, this.#stop.signal);
    this.#loops = Array.from({ length: AT_ONCE }, () => this.#loop());
  }

  kick(): void {
    this.#bell.ring();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const since = this.#bell.rings;
      let pause = LOOK_AGAIN_MS;
      try {
        const id = await this.#next();
        if (id !== undefined) {
          await this.#decide(id);
          continue;
        }
      } catch (error) {
        const { code, detail } = asGatewayError(error);
        if (signal.aborted) return;
        this.#context.shell.log.warn({ code, detail }, "deciding stored content waits");
        pause = RETRY_MS;
      }
      await this.#bell.wait(since, pause, signal);
    }
  }

  async #next(): Promise<string | undefined> {
    const ids = await undecided(this.#context.pool, LOOK_AT);
    return ids.find((id) => !this.#busy.has(id));
  }

  async #decide(id: string): Promise<void> {
    if (this.#busy.has(id)) return;
    this.#busy.add(id);
    try {
      const state = await decideStored(this.#context, this.#stores, id, this.#stop.signal);
      if (state === "permitted") this.#permitted();
    } catch (error) {
      const fault = asGatewayError(error);
      if (!HOPELESS.has(fault.code)) throw fault;
      const refusal = { code: fault.code, rule: "", reason: fault.detail };
      await stopExchange(this.#context, this.#stores, id, "failed", refusal);
    } finally {
      this.#busy.delete(id);
    }
  }
}
