/**
 * Guarantee: every frame and message that counts for nothing is counted by its
 * reason, and the log hears of it in at most one event per reason every ten seconds.
 */
import type { ErrorCode } from "@lightferry/proto/errors";
import type { EventSink, FerryEvent, Log } from "../events.ts";

/** A flood of bad frames must not become a flood of events. */
export const REPORT_MS = 10_000;
/** A sender has a few ferry keys in all its years. */
const MAX_KEYS = 64;

/** What a refusal is told as. */
export interface RejectionEvent {
  readonly type: "gate.frame-rejected" | "gate.file-refused";
  readonly code: ErrorCode;
}

export class Rejections {
  readonly #event: RejectionEvent;
  readonly #totals = new Map<string, number>();
  readonly #unreported = new Map<string, number>();
  /** Since the last report, by code and key id. */
  readonly #keys = new Map<
    string,
    { readonly keyId: string; readonly code: ErrorCode; readonly count: number }
  >();

  constructor(
    event: RejectionEvent = { type: "gate.frame-rejected", code: "ferry.frame-rejected" },
  ) {
    this.#event = event;
  }

  /** A signed message came under a key that is known and does not count. */
  countKey(keyId: string, code: ErrorCode): void {
    const name = `${code} ${keyId}`;
    if (!this.#keys.has(name) && this.#keys.size >= MAX_KEYS) return;
    const { count } = this.#keys.get(name) ?? { count: 0 };
    this.#keys.set(name, { keyId, code, count: count + 1 });
  }

  count(reason: string, by = 1): void {
    this.#totals.set(reason, (this.#totals.get(reason) ?? 0) + by);
    this.#unreported.set(reason, (this.#unreported.get(reason) ?? 0) + by);
  }

  totals(): Record<string, number> {
    return Object.fromEntries([...this.#totals].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Records one event per reason seen since the last report. @param more stands in each of them */
  async report(
    events: EventSink,
    lane: string,
    log: Log,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const counts = [...this.#unreported];
    const keys = [...this.#keys.values()];
    if (counts.length === 0) return;
    this.#unreported.clear();
    this.#keys.clear();
    log.warn({ frames: Object.fromEntries(counts), lane, ...more }, "frames rejected");
    await events.record([
      ...counts.map(
        ([reason, count]): FerryEvent => ({
          ...this.#event,
          outcome: "refused",
          lane,
          attributes: { count: String(count), reason, ...more },
        }),
      ),
      ...keys.map(
        ({ keyId, code, count }): FerryEvent => ({
          type: "gate.key-refused",
          outcome: "refused",
          code,
          lane,
          attributes: { count: String(count), key: keyId, ...more },
        }),
      ),
    ]);
  }
}
