/**
 * Guarantee: whatever waits is taken together by the next free run, in the
 * order in which it came, and the queue is bounded. What comes alone goes at
 * once; only what comes close behind a small run waits for company.
 *
 *   push ─▶ waiting ─(a run is free)─▶ batch of all that waits, within the caps ─▶ run ─▶ settle each
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";

export interface DrainOptions<I, O> {
  /** Most items of one run. */
  readonly maxItems: number;
  /** Most bytes of one run, by `weigh`; a single heavier item still runs, alone. */
  readonly maxBytes: number;
  /** Runs that may be under way at once: while one commits, the next may already be deciding. */
  readonly runs: number;
  /** A run costs much the same however few its items: after a small one the next begins no sooner. */
  readonly gatherMs: number;
  /** A run of this many items is not small. */
  readonly gatherItems: number;
  /** Items and bytes that may wait before {@link Drain.push} refuses with `api.busy`. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  readonly weigh: (item: I) => number;
  /** One result or error per item, in order; a rejection fails all items of the run. */
  readonly run: (items: readonly I[]) => Promise<readonly (O | GatewayError)[]>;
}

interface Waiting<I, O> {
  readonly item: I;
  readonly weight: number;
  readonly resolve: (value: O) => void;
  readonly reject: (error: GatewayError) => void;
}

export class Drain<I, O> {
  readonly #options: DrainOptions<I, O>;
  #waiting: Waiting<I, O>[] = [];
  #waitingBytes = 0;
  #running = 0;
  #scheduled = false;
  /** By performance.now(); no run of fewer than `gatherItems` begins before. */
  #gatherUntil = 0;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: DrainOptions<I, O>) {
    this.#options = options;
  }

  /** @throws GatewayError `api.busy` when too much waits; `api.stopping`; else what the run says. */
  push(item: I): Promise<O> {
    if (this.#closed) return Promise.reject(new GatewayError("api.stopping"));
    const weight = this.#options.weigh(item);
    const { maxWaiting, maxWaitingBytes } = this.#options;
    const crowded =
      this.#waiting.length >= maxWaiting || this.#waitingBytes + weight > maxWaitingBytes;
    if (crowded && this.#waiting.length > 0) {
      return Promise.reject(
        new GatewayError("api.busy", { detail: `${this.#waiting.length} waiting` }),
      );
    }
    return new Promise<O>((resolve, reject) => {
      this.#waiting.push({ item, weight, resolve, reject });
      this.#waitingBytes += weight;
      this.#schedule();
    });
  }

  /** Takes no more; resolves when nothing runs or waits any longer. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  // One turn of the event loop: all requests that one read of the sockets brought go together.
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#options.runs) return;
    this.#scheduled = true;
    const early = this.#gatherUntil - performance.now();
    const begin = () => {
      this.#scheduled = false;
      this.#start();
    };
    if (early > 0 && !this.#closed) setTimeout(begin, early);
    else setImmediate(begin);
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#running < this.#options.runs) {
      const batch = this.#take();
      const small = batch.length < this.#options.gatherItems;
      this.#gatherUntil = small ? performance.now() + this.#options.gatherMs : 0;
      this.#running += 1;
      void this.#settle(batch).finally(() => {
        this.#running -= 1;
        if (this.#waiting.length > 0) this.#schedule();
        else if (this.#running === 0) for (const idle of this.#idle.splice(0)) idle();
      });
    }
  }

  #take(): Waiting<I, O>[] {
    let bytes = 0;
    let count = 0;
    for (const { weight } of this.#waiting) {
      if (count >= this.#options.maxItems) break;
      if (count > 0 && bytes + weight > this.#options.maxBytes) break;
      bytes += weight;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #settle(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map((waiting) => waiting.item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index];
        if (result === undefined)
          reject(new GatewayError("internal.fault", { detail: "no result" }));
        else if (result instanceof GatewayError) reject(result);
        else resolve(result);
      }
    } catch (error) {
      const fault = asGatewayError(error);
      for (const { reject } of batch) reject(fault);
    }
  }
}
