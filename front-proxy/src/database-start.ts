/** Guarantee: the program waits for its database as long as it takes, and closes it last. */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import type { BaseConfig, Shell } from "@lightferry/proto/service";
import type pg from "pg";
import { migrate, openPool } from "./database.ts";

/** An embedded PostgreSQL recovers from a crash in seconds. */
const RETRY_MS = 500;

/** @throws GatewayError `database.migration-changed` */
export async function openDatabase(shell: Shell<BaseConfig>, url: string): Promise<pg.Pool> {
  const { log, closing } = shell;
  const pool = openPool(url, (error) => log.warn({ err: error }, "a database connection broke"));
  shell.onClose(() => pool.end());
  for (let told = false; ; told = true) {
    try {
      await migrate(pool);
      return pool;
    } catch (error) {
      const fault = asGatewayError(error);
      if (fault.code !== "database.unavailable") throw error;
      const { code, cause } = fault;
      const reason = cause instanceof Error ? cause.message : undefined;
      if (!told) log.warn({ code, reason }, "waiting for the database");
      await delay(RETRY_MS, undefined, { signal: closing });
    }
  }
}
