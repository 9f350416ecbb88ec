/**
 * Guarantee: a condition of the link leaves one audit event when it begins and one
 * when it is over, however often it is met in between and however long the journal
 * is full meanwhile; what is going on can be asked at any time.
 *
 * quiet ─raise▶ active (gate.alarm) ─clear▶ quiet (gate.alarm-over)
 */
import { asGatewayError, type ErrorCode } from "@lightferry/proto/errors";
import type { EventSink, FerryEvent, FerryEventType, Log } from "./events.ts";
import { untilAnswered } from "./retry.ts";

/** Every condition that is alarmed; texts and what to do stand in the table of error codes. */
export const ALARM_CODES = [
  "ferry.heartbeat-missed",
  "ferry.loss-high",
  "ferry.link-mismatch",
  "ferry.clock-drift",
  "ferry.receive-overrun",
  "ferry.space-low",
  "ferry.space-full",
] as const satisfies readonly ErrorCode[];
export type AlarmCode = (typeof ALARM_CODES)[number];

export type Facts = Readonly<Record<string, string>>;

/** A condition that is going on. */
export interface ActiveAlarm {
  readonly code: AlarmCode;
  /** By this machine's clock, for screens. */
  readonly sinceMs: number;
  readonly facts: Facts;
}

interface Known extends ActiveAlarm {
  /** Monotonic: how long it lasted, whatever becomes of the clock. */
  readonly begunAt: number;
}

/** Silence has names of its own, older than the others. */
const TYPES: Partial<Record<AlarmCode, readonly [FerryEventType, FerryEventType]>> = {
  "ferry.heartbeat-missed": ["gate.heartbeat-missed", "gate.heartbeat-restored"],
};
const OTHERS = ["gate.alarm", "gate.alarm-over"] as const;

/** Events that wait for a full journal: five conditions that come and go, for minutes. */
const MAX_WAITING = 256;

export interface AlarmParts {
  readonly events: EventSink;
  readonly lane: string;
  /** Stands in every event: which link it is, where there may be several. */
  readonly about?: Facts;
  readonly log: Log;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
}

export class Alarms {
  readonly #parts: AlarmParts;
  readonly #active = new Map<AlarmCode, Known>();
  readonly #counts = new Map<AlarmCode, number>();
  readonly #stop = new AbortController();
  #waiting = 0;
  #recording: Promise<void> = Promise.resolve();

  constructor(parts: AlarmParts) {
    this.#parts = parts;
  }

  /** What is going on, the oldest first. */
  get active(): ActiveAlarm[] {
    return [...this.#active.values()].map(({ code, sinceMs, facts }) => ({ code, sinceMs, facts }));
  }

  /** How often each began in this run. */
  get counts(): ReadonlyMap<AlarmCode, number> {
    return this.#counts;
  }

  has(code: AlarmCode): boolean {
    return this.#active.has(code);
  }

  /** The condition is there; nothing happens when that is known. */
  raise(code: AlarmCode, facts: Facts): void {
    if (this.#active.has(code)) return;
    const { clock = Date.now, log, lane } = this.#parts;
    this.#active.set(code, { code, sinceMs: clock(), facts, begunAt: performance.now() });
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    log.warn({ code, lane, ...facts, ...this.#parts.about }, "alarm");
    const [type] = TYPES[code] ?? OTHERS;
    const attributes = { ...facts, ...this.#parts.about };
    this.#record({ type, outcome: "error", code, lane, attributes });
  }

  /** The condition is not there; nothing happens when it was not. */
  clear(code: AlarmCode, facts: Facts = {}): void {
    const known = this.#active.get(code);
    if (known === undefined) return;
    this.#active.delete(code);
    const { log, lane, about } = this.#parts;
    const ms = String(Math.round(performance.now() - known.begunAt));
    log.info({ after: code, lane, ms, ...facts }, "alarm over");
    const [, type] = TYPES[code] ?? OTHERS;
    this.#record({
      type,
      outcome: "ok",
      lane,
      attributes: { ...facts, ...about, after: code, ms },
    });
  }

  /** Resolves when all that was said is durable. */
  recorded(): Promise<void> {
    return this.#recording;
  }

  /** What waits for a full journal is given a last try and then let go: the log has it. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#recording;
  }

  #record(event: FerryEvent): void {
    const { events, log } = this.#parts;
    if (this.#waiting >= MAX_WAITING) {
      log.error({ type: event.type, code: event.code }, "alarm not recorded");
      return;
    }
    this.#waiting += 1;
    this.#recording = this.#recording
      .then(() => this.#try(() => events.record([event])))
      .then(() => undefined)
      .catch((error: unknown) => log.error({ err: error, type: event.type }, "alarm not recorded"))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  async #try(record: () => Promise<unknown>): Promise<unknown> {
    const { signal } = this.#stop;
    return signal.aborted ? await record() : await untilAnswered(record, signal, isWorthAnother);
  }
}

/** A full journal is; an event that no journal would take keeps all that come after it from being told. */
const isWorthAnother = (error: unknown): boolean => asGatewayError(error).code !== "event.invalid";
