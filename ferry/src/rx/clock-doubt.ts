/**
 * Guarantee: a bundle is refused as expired only by a heartbeat that was made after the bundle came; until then, and
 * while it is from the future, a clock may be wrong and not the bundle, which is held and looked at again.
 */
import type { SenderTime } from "@lightferry/proto/bundle";
import type { ErrorCode } from "@lightferry/proto/errors";

/** What was known of the clocks when a bundle began to be judged; a heartbeat that comes meanwhile does not count. */
export interface Judging {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly told: SenderTime | undefined;
}

export class ClockDoubt {
  readonly #senderTime: () => SenderTime | undefined;
  /** When each was first found expired, monotonic; hex ids of bundles that wait, and so bounded as these are. */
  readonly #expiredAt = new Map<string, number>();

  /** @param senderTime what the heartbeats of this run tell; undefined before the first */
  constructor(senderTime: () => SenderTime | undefined) {
    this.#senderTime = senderTime;
  }

  /** To be taken together with the times by which the bundle is judged. */
  begin(): Judging {
    return { at: performance.now(), told: this.#senderTime() };
  }

  /** Whether the bundle must be looked at again although it was refused with this code. */
  holds(bundleId: string, code: ErrorCode, { at, told }: Judging): boolean {
    if (code === "bundle.from-future") return true;
    if (code !== "bundle.expired") return false;
    const since = this.#expiredAt.get(bundleId) ?? at;
    // The sender's clock may have been set since the heartbeat that the estimate rests on.
    if (told !== undefined && told.ageMs < at - since) return false;
    this.#expiredAt.set(bundleId, since);
    return true;
  }

  /** The bundle was judged for good. */
  over(bundleId: string): void {
    this.#expiredAt.delete(bundleId);
  }
}
