/** Guarantee tested: a server that is up before our role or database is made is waited for, not given up. */
import type { BaseConfig, Shell } from "@lightferry/proto/service";
import { testDatabase } from "@lightferry/proto/testing";
import pg from "pg";
import { expect, test } from "vitest";
import { openDatabase } from "../src/database-start.ts";

async function admin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

test("waits for a database that is made later, and says once what it waits for", async () => {
  const host = await testDatabase();
  const name = `${host.name}_late`;
  const url = new URL(host.url);
  url.pathname = `/${name}`;
  const closing = new AbortController();
  const closers: (() => unknown)[] = [];
  const told: unknown[][] = [];
  let heard: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const log = {
    warn: (...said: unknown[]) => {
      told.push(said);
      heard();
    },
  };
  const shell = {
    log,
    closing: closing.signal,
    onClose: (close: () => unknown) => closers.push(close),
  } as unknown as Shell<BaseConfig>;
  try {
    const opening = openDatabase(shell, url.href);
    await waiting;
    expect(told).toEqual([
      [
        { code: "database.unavailable", reason: `database "${name}" does not exist` },
        "waiting for the database",
      ],
    ]);
    await admin(host.url, `CREATE DATABASE ${name}`);
    const pool = await opening;
    const found = await pool.query("SELECT count(*)::int AS n FROM schema_migration");
    expect(found.rows[0]?.n).toBeGreaterThan(3);
    expect(told).toHaveLength(1);
  } finally {
    closing.abort();
    for (const close of closers) await close();
    await admin(host.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await host.drop();
  }
});
