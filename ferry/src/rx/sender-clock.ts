/**
 * Guarantee: the time of a sender is that of the newest heartbeat of any of its
 * links, and the latest time that it told by any of them is not forgotten for another.
 */
import { type JudgedTimes, judgedTimes, type SenderTime } from "@lightferry/proto/bundle";
import type { Link } from "./link.ts";

export class SenderClock {
  readonly #links: readonly Pick<Link, "senderTime">[];
  readonly #now: () => number;

  /** @param now this machine's clock, Unix milliseconds */
  constructor(links: readonly Pick<Link, "senderTime">[], now: () => number) {
    this.#links = links;
    this.#now = now;
  }

  /** Undefined before the first heartbeat of this run. */
  senderTime(): SenderTime | undefined {
    let newest: SenderTime | undefined;
    let latestMs = 0;
    for (const link of this.#links) {
      const told = link.senderTime();
      if (told === undefined) continue;
      latestMs = Math.max(latestMs, told.latestMs);
      if (newest === undefined || told.ageMs < newest.ageMs) newest = told;
    }
    return newest === undefined ? undefined : { ...newest, latestMs };
  }

  /** By what a bundle is expired or from the future: see judgedTimes. */
  judgedTimes(): JudgedTimes {
    return judgedTimes(this.#now(), this.senderTime());
  }

  /** The sender's time as its heartbeats tell it; our own before the first. */
  senderNow(): number {
    return this.senderTime()?.nowMs ?? this.#now();
  }

  /** The sender's clock minus ours; undefined before the first heartbeat. */
  get offsetMs(): number | undefined {
    const told = this.senderTime();
    return told === undefined ? undefined : told.nowMs - this.#now();
  }
}
