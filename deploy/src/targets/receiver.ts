/**
 * Guarantee: a small business system for the demonstration and the drills: what
 * is posted to it stands in a table when it answers. `/records` honours the
 * Idempotency-Key header; `/notices` does not, on purpose.
 *
 * Usage: node deploy/src/targets/receiver.ts --config FILE
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createLogger } from "@lightferry/proto/service";
import Fastify from "fastify";
import pg from "pg";

interface Posted {
  readonly table: "record" | "notice";
  readonly key: string | null;
  readonly exchange: string | null;
  readonly body: string;
  readonly done: (created: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** Rows in one INSERT: what came while the last one ran, at most this many. */
const MAX_BATCH = 1_000;
/** The database of the zone may come up after this program. */
const DATABASE_RETRY_MS = 200;

const MIGRATION = `
  CREATE TABLE IF NOT EXISTS record (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idempotency_key text UNIQUE,
    exchange text,
    body text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE IF NOT EXISTS notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idempotency_key text,
    exchange text,
    body text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
  );`;

const INSERT = {
  record: `INSERT INTO record (idempotency_key, exchange, body)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING idempotency_key`,
  notice: `INSERT INTO notice (idempotency_key, exchange, body)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) RETURNING idempotency_key`,
};

class Table {
  readonly #pool: pg.Pool;
  readonly #name: "record" | "notice";
  #waiting: Posted[] = [];
  #busy = false;

  constructor(pool: pg.Pool, name: "record" | "notice") {
    this.#pool = pool;
    this.#name = name;
  }

  /** True when a row was made, false when the key was known. */
  add(key: string | null, exchange: string | null, body: string): Promise<boolean> {
    return new Promise((done, failed) => {
      this.#waiting.push({ table: this.#name, key, exchange, body, done, failed });
      if (!this.#busy) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        const { rows } = await this.#pool.query<{ idempotency_key: string | null }>(
          INSERT[this.#name],
          [
            batch.map((row) => row.key),
            batch.map((row) => row.exchange),
            batch.map((row) => row.body),
          ],
        );
        const made = new Set(rows.map((row) => row.idempotency_key));
        for (const row of batch) row.done(this.#name === "notice" || made.has(row.key));
      } catch (error) {
        for (const row of batch) row.failed(error);
      }
    }
    this.#busy = false;
  }
}

const { values } = parseArgs({ options: { config: { type: "string" } } });
const config = JSON.parse(readFileSync(values.config ?? "", "utf8")) as {
  databaseUrl: string;
  listen: { host: string; port: number };
};
const log = createLogger({ service: "receiver" });
const pool = new pg.Pool({ connectionString: config.databaseUrl, max: 4 });
pool.on("error", (error) => log.warn({ reason: error.message }, "database connection lost"));
for (;;) {
  try {
    await pool.query(MIGRATION);
    break;
  } catch (error) {
    log.warn({ reason: (error as Error).message }, "waiting for the database");
    await delay(DATABASE_RETRY_MS);
  }
}

const app = Fastify({ bodyLimit: 2 * 1024 * 1024 });
app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
app.removeContentTypeParser("application/json");
app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) =>
  done(null, body),
);
for (const name of ["record", "notice"] as const) {
  const table = new Table(pool, name);
  app.post(`/${name}s`, async (request, reply) => {
    const key = header(request.headers["idempotency-key"]);
    const exchange = header(request.headers["x-lightferry-exchange"]);
    const created = await table.add(key, exchange, String(request.body ?? ""));
    return reply.code(created ? 201 : 200).send({ created });
  });
  app.get(`/${name}s`, async () => {
    const { rows } = await pool.query(
      `SELECT id, exchange, body, received_at FROM ${name} ORDER BY id DESC LIMIT 50`,
    );
    const { rows: count } = await pool.query(`SELECT count(*)::int AS n FROM ${name}`);
    return { total: count[0]?.n ?? 0, newest: rows };
  });
}

function header(value: string | string[] | undefined): string | null {
  return typeof value === "string" ? value : null;
}

async function end(): Promise<void> {
  await app.close();
  await pool.end();
  process.exit(0);
}
process.on("SIGTERM", () => void end());
process.on("SIGINT", () => void end());
if (process.env.LIGHTFERRY_SUPERVISED === "1") {
  process.stdin.on("end", () => void end());
  process.stdin.resume();
}
await app.listen(config.listen);
log.info({ event: "ready", address: `${config.listen.host}:${config.listen.port}` }, "ready");
