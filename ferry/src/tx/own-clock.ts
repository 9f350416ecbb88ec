/**
 * Guarantee: a clock of the sender that is set back puts nothing into the future that
 * was sealed before: the latest time it showed in this run is remembered.
 */
import { type JudgedTimes, judgedTimes } from "@lightferry/proto/bundle";

export class OwnClock {
  readonly now: () => number;
  #latestMs: number;

  /** @param now Unix milliseconds */
  constructor(now: () => number = Date.now) {
    this.now = now;
    this.#latestMs = now();
  }

  /** By what a bundle that leaves is expired or from the future. */
  times(): JudgedTimes {
    const nowMs = this.now();
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    return judgedTimes(nowMs, { nowMs, latestMs: this.#latestMs, ageMs: 0 });
  }
}
