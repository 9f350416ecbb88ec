/**
 * Guarantee: every refusal at the door leaves an audit event, and a flood of
 * them does not flood the log: the first of a kind at once, the others counted.
 */
import { asGatewayError, type ErrorCode } from "@lightferry/proto/errors";
import type { EventInput, EventJournal } from "@lightferry/proto/event";
import type { Logger } from "@lightferry/proto/service";

/** Repetitions of one kind within this time are told in one event. */
const WINDOW_MS = 10_000;
/** Kinds counted at once; a scanner that makes more is told as one kind. */
const MAX_KINDS = 1_000;

export interface DoorRefusal {
  readonly type: "token.refused" | "exchange.refused";
  readonly code: ErrorCode;
  /** Caller if known. */
  readonly actor: string;
  readonly clientAddress: string;
  readonly lane?: string | undefined;
  readonly service?: string | undefined;
  /** Content bytes if known. */
  readonly size?: number | undefined;
}

interface Counted {
  readonly refusal: DoorRefusal;
  more: number;
}

export class RefusalLog {
  readonly #journal: Pick<EventJournal, "record">;
  readonly #log: Logger;
  readonly #kinds = new Map<string, Counted>();
  readonly #timer: NodeJS.Timeout;

  constructor(journal: Pick<EventJournal, "record">, log: Logger) {
    this.#journal = journal;
    this.#log = log;
    this.#timer = setInterval(() => void this.flush(), WINDOW_MS);
    this.#timer.unref();
  }

  /** Durable when it resolves, or counted with others; never throws. */
  async note(refusal: DoorRefusal): Promise<void> {
    const { type, code, actor, clientAddress } = refusal;
    const full = this.#kinds.size >= MAX_KINDS;
    const kind = full ? `${type} ${code}` : `${type} ${code} ${actor} ${clientAddress}`;
    const known = this.#kinds.get(kind);
    if (known !== undefined) {
      known.more += 1;
      return;
    }
    this.#kinds.set(kind, { refusal, more: 0 });
    await this.#record([eventOf(refusal)]);
  }

  /** Tells what was counted and starts a new window. */
  async flush(): Promise<void> {
    const counted = [...this.#kinds.values()].filter((kind) => kind.more > 0);
    this.#kinds.clear();
    await this.#record(counted.map(({ refusal, more }) => eventOf(refusal, more)));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #record(events: readonly EventInput[]): Promise<void> {
    try {
      await this.#journal.record(events);
    } catch (error) {
      this.#log.error({ code: asGatewayError(error).code }, "refusals could not be journalled");
    }
  }
}

function eventOf(refusal: DoorRefusal, more?: number): EventInput {
  return {
    ...refusal,
    outcome: "refused",
    ...(more === undefined ? {} : { attributes: { further: String(more) } }),
  };
}
