/**
 * Guarantee: a bundle is refused as expired only by a heartbeat that was made after the bundle came; until then, and
 * while it is from the future, a clock may be wrong and not the bundle, which is held and looked at again.
 */
import {
  type BundleHeader,
  CLOCK_SKEW_MS,
  judgedTimes,
  type SenderTime,
} from "@lightferry/proto/bundle";
import type { ErrorCode } from "@lightferry/proto/errors";

/** What was known of the clocks when a bundle began to be judged; a heartbeat that comes meanwhile does not count. */
export interface Judging {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly told: SenderTime | undefined;
}

/** From when to when a bundle is good, Unix milliseconds. */
type Lifetime = Pick<BundleHeader, "createdMs" | "expiresMs">;

interface Held extends Lifetime {
  /** When it was first found expired, monotonic; undefined while it was from the future only. */
  expiredAt: number | undefined;
}

export interface ClockDoubtParts {
  /** What the heartbeats of this run tell; undefined before the first. */
  readonly senderTime: () => SenderTime | undefined;
  /** This machine's clock, Unix milliseconds. */
  readonly clock: () => number;
}

export class ClockDoubt {
  readonly #parts: ClockDoubtParts;
  /** Hex ids of bundles that wait, and so bounded as these are. */
  readonly #held = new Map<string, Held>();

  constructor(parts: ClockDoubtParts) {
    this.#parts = parts;
  }

  /** To be taken together with the times by which the bundle is judged. */
  begin(): Judging {
    return { at: performance.now(), told: this.#parts.senderTime() };
  }

  /** Whether the bundle must be looked at again although it was refused with this code. */
  holds(
    bundleId: string,
    code: ErrorCode,
    { at, told }: Judging,
    { createdMs, expiresMs }: Lifetime,
  ): boolean {
    let expiredAt = this.#held.get(bundleId)?.expiredAt;
    if (code === "bundle.expired") {
      expiredAt ??= at;
      // The sender's clock may have been set since the heartbeat that the estimate rests on.
      if (isSince(told, expiredAt, at)) return false;
    } else if (code !== "bundle.from-future") {
      return false;
    }
    this.#held.set(bundleId, { createdMs, expiresMs, expiredAt });
    return true;
  }

  /**
   * Whether a bundle that is held would be judged otherwise by now; true of one that is not held. It costs no look at
   * the file: neither a heartbeat nor the passing of time makes a folder of held bundles be read for nothing.
   */
  hasTurned(bundleId: string): boolean {
    const held = this.#held.get(bundleId);
    if (held === undefined) return true;
    const { at, told } = this.begin();
    const { now, latest } = judgedTimes(this.#parts.clock(), told);
    if (held.createdMs > latest + CLOCK_SKEW_MS) return false;
    if (held.expiresMs > now) return true;
    held.expiredAt ??= at;
    return isSince(told, held.expiredAt, at);
  }

  /** The bundle was judged for good, or is gone. */
  over(bundleId: string): void {
    this.#held.delete(bundleId);
  }
}

/** Whether the newest heartbeat was heard after a time; both monotonic. */
function isSince(told: SenderTime | undefined, since: number, now: number): boolean {
  return told !== undefined && told.ageMs < now - since;
}
