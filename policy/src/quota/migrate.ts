/** Guarantee: the database has every migration of policy/sql, applied once and in order, before it is used. */
import { readdirSync, readFileSync } from "node:fs";
import type { Pool } from "pg";

const FOLDER = new URL("../../sql/", import.meta.url);
/** "LFpo" in ASCII: keeps two starts from migrating at once. */
const LOCK = 0x4c46706f;

export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock($1)", [LOCK]);
    await client.query("create schema if not exists policy");
    await client.query(
      "create table if not exists policy.migration (name text primary key, applied timestamptz not null default now())",
    );
    const known = await client.query<{ name: string }>("select name from policy.migration");
    const applied = new Set(known.rows.map((row) => row.name));
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".sql"));
    for (const name of files.sort()) {
      if (applied.has(name)) continue;
      await client.query(readFileSync(new URL(name, FOLDER), "utf8"));
      await client.query("insert into policy.migration (name) values ($1)", [name]);
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}
