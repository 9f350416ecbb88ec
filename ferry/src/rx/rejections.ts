/**
 * Guarantee: every frame and message that counts for nothing is counted by its
 * reason, and the log hears of it in at most one event per reason every ten seconds.
 */
import type { EventSink, Log } from "../events.ts";

/** A flood of bad frames must not become a flood of events. */
export const REPORT_MS = 10_000;

export class Rejections {
  readonly #totals = new Map<string, number>();
  readonly #unreported = new Map<string, number>();

  count(reason: string, by = 1): void {
    this.#totals.set(reason, (this.#totals.get(reason) ?? 0) + by);
    this.#unreported.set(reason, (this.#unreported.get(reason) ?? 0) + by);
  }

  totals(): Record<string, number> {
    return Object.fromEntries([...this.#totals].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Records one event per reason seen since the last report. */
  async report(events: EventSink, lane: string, log: Log): Promise<void> {
    const counts = [...this.#unreported];
    if (counts.length === 0) return;
    this.#unreported.clear();
    log.warn({ frames: Object.fromEntries(counts) }, "frames rejected");
    await events.record(
      counts.map(([reason, count]) => ({
        type: "gate.frame-rejected",
        outcome: "refused",
        code: "ferry.frame-rejected",
        lane,
        attributes: { count: String(count), reason },
      })),
    );
  }
}
