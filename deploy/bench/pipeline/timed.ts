/** Guarantee: every request is timed from its handing over to its row in the target's table, by one machine's clock; none is left out. */
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { RunningZones } from "../../drills/zones.ts";

const POLL_MS = 20;

/** What is handed over, and the table in which it arrives. */
export interface Kind {
  readonly service: string;
  readonly table: "record" | "notice";
}

export const RECORD: Kind = { service: "land-registration", table: "record" };
export const NOTICE: Kind = { service: "parcel-notice", table: "notice" };
/** Urgent, by the registry. */
export const WARNING: Kind = { service: "hazard-warning", table: "notice" };

/** @returns id of the exchange */
export async function submit(zones: RunningZones, kind: Kind, note: string): Promise<string> {
  const submission = {
    lane: "inbound",
    service: kind.service,
    grade: "G1",
    method: "POST",
    path: `/${kind.table}s`,
    body: { note },
  };
  const answer = await zones.apis.extranet.postJson("/v1/requests", submission);
  if (answer.status !== 202)
    throw new RangeError(`submission refused: ${JSON.stringify(answer.body)}`);
  return String(answer.body.exchangeId);
}

/** Resolves when `count` rows more than `before` are in the table. */
export async function untilRows(
  receiver: pg.Client,
  kind: Kind,
  before: number,
  count: number,
): Promise<void> {
  while ((await rowsOf(receiver, kind)) < before + count) await delay(POLL_MS);
}

export async function rowsOf(receiver: pg.Client, { table }: Kind): Promise<number> {
  const { rows } = await receiver.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  return rows[0]?.n ?? 0;
}

/** Requests of one kind, each timed. */
export class Timed {
  readonly #zones: RunningZones;
  readonly #receiver: pg.Client;
  readonly #kind: Kind;
  readonly #begun = new Map<string, number>();
  readonly #pending: Promise<void>[] = [];

  constructor(zones: RunningZones, receiver: pg.Client, kind: Kind) {
    this.#zones = zones;
    this.#receiver = receiver;
    this.#kind = kind;
  }

  /** Hands one over; does not wait. */
  submit(note: string): void {
    const at = performance.timeOrigin + performance.now();
    const handed = submit(this.#zones, this.#kind, note);
    this.#pending.push(handed.then((id) => void this.#begun.set(id, at)));
  }

  /** Milliseconds of each, ascending, when all have arrived. */
  async latencies(): Promise<number[]> {
    await Promise.all(this.#pending);
    for (;;) {
      // A row that came twice counts by its first.
      const { rows } = await this.#receiver.query<{ exchange: string; at: number }>(
        `SELECT exchange, extract(epoch FROM min(received_at))::float8 * 1000 AS at
          FROM ${this.#kind.table} WHERE exchange = ANY($1) GROUP BY exchange`,
        [[...this.#begun.keys()]],
      );
      if (rows.length === this.#begun.size) {
        return rows
          .map(({ exchange, at }) => at - (this.#begun.get(exchange) as number))
          .sort((one, other) => one - other);
      }
      await delay(POLL_MS);
    }
  }
}
