/**
 * Guarantee: what keeps a service from its work (disk full, database away)
 * leaves one audit event when it begins and one when it is over, however often
 * it is met in between. Telling never fails and never stops the work.
 *
 * working ─met▶ impaired (service.impaired) ─over▶ working (service.restored)
 */
import { asGatewayError, type ErrorCode } from "../errors/index.ts";

/** What is told; the journal of every service takes it. */
export interface TroubleEvent {
  readonly type: "service.impaired" | "service.restored";
  readonly outcome: "ok" | "error";
  readonly code?: ErrorCode;
  readonly bundleId?: Uint8Array;
  readonly lane?: string;
  readonly attributes: Record<string, string>;
}

export interface TroubleSink {
  record(events: TroubleEvent[]): Promise<unknown>;
}

/** What the trouble is about, where there is one thing. */
export interface TroubleSubject {
  readonly bundleId?: Uint8Array;
  readonly lane?: string;
}

/** Troubles known at once; each is one bundle or one kind of work, so more is a fault of its own. */
const MAX_KNOWN = 1_024;

interface Known {
  readonly code: ErrorCode;
  readonly sinceMs: number;
}

export class Troubles {
  readonly #sink: TroubleSink;
  readonly #told: (error: unknown) => void;
  readonly #known = new Map<string, Known>();

  /** @param told hears of an event that could not be recorded (the journal is full, too). */
  constructor(sink: TroubleSink, told: (error: unknown) => void) {
    this.#sink = sink;
    this.#told = told;
  }

  /**
   * The work cannot be done now and will be tried again.
   * A peer that is away (`rpc.*`) is not told here: its own stop and start are.
   * @param work one word or two: "sealing", "opening".
   */
  async met(work: string, error: unknown, subject: TroubleSubject = {}): Promise<void> {
    const { code, detail } = asGatewayError(error);
    if (code.startsWith("rpc.")) return;
    const key = keyOf(work, subject);
    if (this.#known.get(key)?.code === code) return;
    if (!this.#known.has(key) && this.#known.size >= MAX_KNOWN) return;
    this.#known.set(key, { code, sinceMs: Date.now() });
    await this.#record({
      type: "service.impaired",
      outcome: "error",
      code,
      ...subject,
      attributes: { work, ...(detail === "" ? {} : { detail }) },
    });
  }

  /** The work was done. Costs nothing while there was no trouble. */
  async over(work: string, subject: TroubleSubject = {}): Promise<void> {
    if (this.#known.size === 0) return;
    const key = keyOf(work, subject);
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#known.delete(key);
    await this.#record({
      type: "service.restored",
      outcome: "ok",
      ...subject,
      attributes: { work, after: known.code, ms: String(Date.now() - known.sinceMs) },
    });
  }

  async #record(event: TroubleEvent): Promise<void> {
    try {
      await this.#sink.record([event]);
    } catch (error) {
      this.#told(error);
    }
  }
}

function keyOf(work: string, { bundleId }: TroubleSubject): string {
  return bundleId === undefined ? work : `${work} ${Buffer.from(bundleId).toString("hex")}`;
}
