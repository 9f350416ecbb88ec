/** Guarantee: how long bundles took lately, the newest and the worst of the last minute, in bounded memory. */
import { idTimeMs } from "@lightferry/proto/ids";

const WINDOW_MS = 60_000;
/** One figure a second is kept of all that second's. */
const STEP_MS = 1_000;

export interface Lag {
  /** Milliseconds from the making of the newest bundle to now, by the sender's clock; null before the first. */
  readonly newestMs: number | null;
  /** The longest of the last minute. */
  readonly worstMs: number | null;
}

export class LagMeter {
  #newest: number | null = null;
  readonly #steps: { readonly at: number; worst: number }[] = [];

  /**
   * @param bundleId a UUIDv7: it says when the sealer made it
   * @param senderMs the sender's time now
   */
  note(bundleId: Uint8Array, senderMs: number): void {
    // A sealer's clock ahead of the ferry's is no negative lag.
    const ms = Math.max(0, Math.round(senderMs - idTimeMs(bundleId)));
    this.#newest = ms;
    const at = performance.now();
    const last = this.#steps.at(-1);
    if (last !== undefined && at - last.at < STEP_MS) last.worst = Math.max(last.worst, ms);
    else this.#steps.push({ at, worst: ms });
    this.#forget(at);
  }

  get lag(): Lag {
    this.#forget(performance.now());
    const worst = this.#steps.map((step) => step.worst);
    return { newestMs: this.#newest, worstMs: worst.length === 0 ? null : Math.max(...worst) };
  }

  #forget(now: number): void {
    while (this.#steps[0] !== undefined && now - this.#steps[0].at > WINDOW_MS) this.#steps.shift();
  }
}
