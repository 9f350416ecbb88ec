/**
 * Guarantee: a bundle is refused as expired only by a heartbeat that was made after the bundle came; until then, and
 * while it is from the future, a clock may be wrong and not the bundle, which is held and looked at again.
 */
import type { SenderTime } from "@lightferry/proto/bundle";
import type { ErrorCode } from "@lightferry/proto/errors";

export class ClockDoubt {
  readonly #senderTime: () => SenderTime | undefined;
  /** When each was first found expired, monotonic; hex ids of bundles that wait, and so bounded as these are. */
  readonly #expiredAt = new Map<string, number>();

  /** @param senderTime what the heartbeats of this run tell; undefined before the first */
  constructor(senderTime: () => SenderTime | undefined) {
    this.#senderTime = senderTime;
  }

  /** Whether the bundle must be looked at again although it was refused with this code. */
  holds(bundleId: string, code: ErrorCode): boolean {
    if (code === "bundle.from-future") return true;
    if (code !== "bundle.expired") return false;
    const now = performance.now();
    const since = this.#expiredAt.get(bundleId) ?? now;
    const told = this.#senderTime();
    // The sender's clock may have been set since the heartbeat that the estimate rests on.
    if (told !== undefined && told.ageMs < now - since) return false;
    this.#expiredAt.set(bundleId, since);
    return true;
  }

  /** The bundle was judged for good. */
  over(bundleId: string): void {
    this.#expiredAt.delete(bundleId);
  }
}
