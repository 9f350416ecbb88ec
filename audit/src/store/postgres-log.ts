/**
 * Guarantee: the log in PostgreSQL behind {@link LogStore}: every fault of the
 * database is `audit.database-unavailable`, and {@link PostgresLog.close} gives
 * up the session whose fate is unknown before a new one reads.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { Sm3Function } from "@lightferry/proto/merkle";
import type pg from "pg";
import {
  type Batch,
  type EmitterKey,
  emitterKey,
  type LogState,
  type LogStore,
  type PreparedTrail,
  trailKey,
} from "./batch.ts";
import { insertBatch } from "./commit.ts";
import { connectWriter, databaseError } from "./connect.ts";
import { prepareSchema } from "./migrate.ts";
import { monthOf } from "./months.ts";
import { restoreState } from "./restore.ts";

export interface PostgresLogOptions {
  readonly databaseUrl: string;
  readonly ownerUrl: string;
  readonly node: string;
  readonly sm3: Sm3Function;
}

export class PostgresLog implements LogStore {
  readonly #options: PostgresLogOptions;
  #client: pg.Client | undefined;
  /** Partitions are known to exist before this time. */
  #preparedUntilMs = 0;

  constructor(options: PostgresLogOptions) {
    this.#options = options;
  }

  async load(): Promise<LogState> {
    await this.close();
    await this.#prepare(Date.now());
    const client = await connectWriter(this.#options.databaseUrl);
    this.#client = client;
    return guarded(() => restoreState(client, this.#options.sm3, this.#options.node));
  }

  async commit(batch: Batch): Promise<void> {
    if (batch.loggedMs >= this.#preparedUntilMs) {
      // Months are prepared ahead: an owner that cannot connect today stops nothing yet.
      await this.#prepare(batch.loggedMs).catch(() => {});
    }
    await guarded(() => insertBatch(this.#session(), batch));
  }

  async findEvents(keys: readonly EmitterKey[]): Promise<Map<string, Uint8Array>> {
    if (keys.length === 0) return new Map();
    const { rows } = await guarded(() =>
      this.#session().query<{ emitter: string; emitter_sequence: number; canonical: Buffer }>({
        name: "find-events",
        text: `select e.emitter, e.emitter_sequence, e.canonical
          from unnest($2::text[], $3::bigint[]) as k(emitter, emitter_sequence)
          join audit.event e on e.node = $1 and e.emitter = k.emitter
            and e.emitter_sequence = k.emitter_sequence`,
        values: [this.#options.node, keys.map((k) => k.emitter), keys.map((k) => k.sequence)],
      }),
    );
    return new Map(rows.map((r) => [emitterKey(r.emitter, r.emitter_sequence), r.canonical]));
  }

  async findTrails(trails: readonly PreparedTrail[]): Promise<Set<string>> {
    if (trails.length === 0) return new Set();
    const { rows } = await guarded(() =>
      this.#session().query<{ canonical: Buffer }>({
        name: "find-trails",
        text: `select t.canonical
          from unnest($1::text[], $2::bytea[], $3::bytea[]) as k(zone, exchange_id, bundle_id)
          join audit.peer_trail t on t.exchange_id = k.exchange_id and t.bundle_id = k.bundle_id
            and t.zone = k.zone`,
        values: [
          trails.map((t) => t.zone),
          trails.map((t) => t.exchangeId),
          trails.map((t) => t.bundleId),
        ],
      }),
    );
    return new Set(rows.map((row) => trailKey(this.#options.sm3(row.canonical))));
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #prepare(nowMs: number): Promise<void> {
    await prepareSchema(this.#options.ownerUrl, this.#options.sm3, nowMs);
    this.#preparedUntilMs = monthOf(nowMs).toMs;
  }

  #session(): pg.Client {
    if (this.#client === undefined) {
      throw new GatewayError("audit.database-unavailable", { detail: "no session" });
    }
    return this.#client;
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw databaseError(error);
  }
}
