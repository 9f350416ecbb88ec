/**
 * Guarantee: the schema is at the version of this program before anything is
 * written, applied once and in order under the owner's connection; a file that
 * was changed after it was applied stops the start.
 */
import { readdirSync, readFileSync } from "node:fs";
import { GatewayError } from "@lightferry/proto/errors";
import type { Sm3Function } from "@lightferry/proto/merkle";
import type pg from "pg";
import { connect, databaseError, lockInTransaction, MIGRATION_LOCK } from "./connect.ts";
import { monthsFrom } from "./months.ts";

const SQL_FOLDER = new URL("../../sql/", import.meta.url);
const FILE_FORM = /^([0-9]{6})\.sql$/;

/**
 * Brings the schema up to date and creates the partitions that `nowMs` needs.
 * @throws GatewayError `audit.database-unavailable`, `config.invalid` for a changed migration.
 */
export async function prepareSchema(
  ownerUrl: string,
  sm3: Sm3Function,
  nowMs: number,
): Promise<void> {
  const client = await connect(ownerUrl, "lightferry-audit-owner");
  try {
    await client.query("begin");
    await lockInTransaction(client, MIGRATION_LOCK);
    await migrate(client, sm3, nowMs);
    for (const month of monthsFrom(nowMs)) {
      await client.query("select audit.ensure_month($1, $2)", [month.fromMs, month.toMs]);
    }
    await client.query("commit");
  } catch (error) {
    throw databaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}

async function migrate(client: pg.Client, sm3: Sm3Function, nowMs: number): Promise<void> {
  await client.query(
    `create schema if not exists audit;
     create table if not exists audit.migration (
       version integer primary key, sm3 bytea not null, applied_ms bigint not null)`,
  );
  const { rows } = await client.query<{ version: number; sm3: Buffer }>(
    "select version, sm3 from audit.migration",
  );
  const applied = new Map(rows.map((row) => [row.version, row.sm3]));
  for (const name of readdirSync(SQL_FOLDER).sort()) {
    const version = Number(FILE_FORM.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(version)) continue;
    const text = readFileSync(new URL(name, SQL_FOLDER));
    const digest = Buffer.from(sm3(text));
    const known = applied.get(version);
    if (known === undefined) {
      await client.query(text.toString("utf8"));
      await client.query("insert into audit.migration values ($1, $2, $3)", [
        version,
        digest,
        nowMs,
      ]);
    } else if (!known.equals(digest)) {
      throw new GatewayError("config.invalid", {
        detail: `audit/sql/${name} was changed after it was applied`,
      });
    }
  }
}
