/**
 * Guarantee: one session writes one log. The writer's session holds an advisory
 * lock from before it reads the log's state until its connection is gone, so a
 * statement whose fate is unknown has ended before a new writer looks.
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import pg from "pg";

/** A database on the same host answers in milliseconds; past this it counts as down. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A batch takes milliseconds; a statement this old hangs on a lock or a dead disk. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** The client waits a little longer than the server, so that the server's answer wins. */
const QUERY_TIMEOUT_MS = 20_000;
/** Officers' queries and proofs; the writer has a connection of its own. */
const READERS = 4;
/** First key of the advisory lock: "LFau" in ASCII. The second: 1 = writer, 2 = migrations. */
const LOCK_SPACE = 0x4c_46_61_75;
export const WRITER_LOCK = 1;
export const MIGRATION_LOCK = 2;

/** OID of int8. Sizes, sequences and times stay below 2^53, so numbers hold them. */
const INT8_OID = 20;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format)),
};

/** @throws GatewayError `audit.database-unavailable`. */
export async function connect(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types,
  });
  // A connection that breaks between queries would otherwise end the process; the next query reports it.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw databaseError(error);
  }
  return client;
}

/**
 * The only session that may append.
 * @throws GatewayError `audit.writer-busy` while another session holds the log, `audit.database-unavailable`.
 */
export async function connectWriter(url: string): Promise<pg.Client> {
  const client = await connect(url, "lightferry-audit-writer");
  try {
    // Accepted means kept, whatever the role or the database was configured with.
    await client.query("set synchronous_commit = on");
    const { rows } = await client.query<{ held: boolean }>(
      "select pg_try_advisory_lock($1, $2) as held",
      [LOCK_SPACE, WRITER_LOCK],
    );
    if (rows[0]?.held !== true) throw new GatewayError("audit.writer-busy");
  } catch (error) {
    await client.end().catch(() => {});
    throw databaseError(error);
  }
  return client;
}

/** Waits for the lock of the transaction under way. */
export async function lockInTransaction(client: pg.Client, lock: number): Promise<void> {
  await client.query("select pg_advisory_xact_lock($1, $2)", [LOCK_SPACE, lock]);
}

export function readerPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "lightferry-audit-reader",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    max: READERS,
    types,
  });
  pool.on("error", () => {});
  return pool;
}

/** Whatever the driver threw, as the gateway's error; its text may name columns, never content. */
export function databaseError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const detail = typeof code === "string" ? code : asGatewayError(error).detail;
  return new GatewayError("audit.database-unavailable", { detail, cause: error });
}
