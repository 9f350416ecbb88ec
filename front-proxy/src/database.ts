/**
 * Guarantee: no part of the program sees the database before every migration
 * has been applied, each once, in order, in a transaction of its own, and a
 * migration that was changed after it had been applied stops the start.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { GatewayError } from "@lightferry/proto/errors";
import pg from "pg";

const SQL_DIR = new URL("../sql/", import.meta.url);

/** Serialises migrations of several front-proxies on one database; any constant will do. */
const MIGRATION_LOCK = 7_214_001;

/**
 * One connection per stage that may be busy at once: submit (2 batches), seal, outbox,
 * inbox, dispatch, sweep, API reads. More would only compete for the same cores.
 */
const POOL_SIZE = 10;

/** Long enough for a busy database, short enough that a caller is told 503 before it gives up. */
const CONNECT_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 20_000;

// bigint columns hold milliseconds, sizes and sequence numbers, all below 2^53.
const BIGINT_OID = 20;

export function openPool(
  url: string,
  onIdleError: (error: Error) => void,
  connectTimeoutMs: number = CONNECT_TIMEOUT_MS,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    types: {
      getTypeParser: ((oid: number, format?: "text" | "binary") =>
        oid === BIGINT_OID
          ? Number
          : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // An idle connection that breaks must not end the process: the next query reconnects.
  pool.on("error", onIdleError);
  return pool;
}

/**
 * Brings the schema up to date.
 * @throws GatewayError `database.migration-changed`; `database.unavailable`.
 */
export async function migrate(pool: pg.Pool): Promise<void> {
  const names = (await readdir(SQL_DIR)).filter((name) => name.endsWith(".sql")).sort();
  await inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migration (
         name text PRIMARY KEY, sha256 bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
  });
  for (const name of names) {
    const text = await readFile(new URL(name, SQL_DIR), "utf8");
    await applyOnce(pool, name, text);
  }
}

async function applyOnce(pool: pg.Pool, name: string, text: string): Promise<void> {
  const sha256 = createHash("sha256").update(text).digest();
  await inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    const known = await client.query<{ sha256: Buffer }>(
      "SELECT sha256 FROM schema_migration WHERE name = $1",
      [name],
    );
    const row = known.rows[0];
    if (row !== undefined) {
      if (row.sha256.equals(sha256)) return;
      throw new GatewayError("database.migration-changed", { detail: name });
    }
    await client.query(text);
    await client.query("INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)", [
      name,
      sha256,
    ]);
  });
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  let broken = false;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    broken = isConnectionFault(error);
    if (!broken) await client.query("ROLLBACK").catch(() => (broken = true));
    throw asDatabaseError(error);
  } finally {
    client.release(broken);
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw asDatabaseError(error);
  }
}

/** One statement outside a transaction; `name` makes it prepared once per connection. */
export async function query<R extends pg.QueryResultRow>(
  on: pg.Pool | pg.PoolClient,
  name: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<pg.QueryResult<R>> {
  try {
    return await on.query<R>({ name, text, values: [...values] });
  } catch (error) {
    throw asDatabaseError(error);
  }
}

/**
 * SQLSTATE classes: 08 connection, 53 resources (53100 disk full), 57P shutdown, 58 system; and what a server says
 * that is up and not yet provided with our role (28) and database (3D000): it may be made while we wait.
 */
const DOWN_STATES = /^(?:08|28|3D000|53|57P|58)/;
const DISK_FULL_STATE = "53100";

function sqlState(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

function isConnectionFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const state = sqlState(error);
  if (DOWN_STATES.test(state) || /^E[A-Z]+$/.test(state)) return true;
  // `pg` reports a connection that broke or could not be had in words only.
  return /connection|timeout exceeded|Client was closed/i.test(error.message);
}

/** Database faults as gateway errors: down, disk full; anything else is a fault of ours. */
export function asDatabaseError(error: unknown): unknown {
  if (error instanceof GatewayError) return error;
  if (sqlState(error) === DISK_FULL_STATE) {
    return new GatewayError("spool.disk-full", { detail: "database", cause: error });
  }
  if (isConnectionFault(error)) return new GatewayError("database.unavailable", { cause: error });
  return error;
}
