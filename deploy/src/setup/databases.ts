/**
 * Guarantee: each service of a zone has a database and a login of its own; no
 * login can connect to another service's database. Safe to run again.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import type { ZonePaths } from "../layout.ts";

/** A quarter of a gigabyte holds the working set of a day; a larger log means fewer checkpoints. */
export const POSTGRES_SETTINGS = {
  shared_buffers: "256MB",
  max_wal_size: "2GB",
  max_connections: "60",
};

/** Database → its owner and further logins that may connect. */
const DATABASES = {
  policy: { owner: "policy", others: [] },
  audit: { owner: "audit_owner", others: ["audit_writer", "audit_reader"] },
  front_proxy: { owner: "front_proxy", others: [] },
  receiver: { owner: "receiver", others: [] },
} as const;

export type Login =
  | "postgres"
  | "policy"
  | "audit_owner"
  | "audit_writer"
  | "audit_reader"
  | "front_proxy"
  | "receiver";

const LOGINS: readonly Login[] = [
  "postgres",
  "policy",
  "audit_owner",
  "audit_writer",
  "audit_reader",
  "front_proxy",
  "receiver",
];

export type Passwords = Readonly<Record<Login, string>>;

/** The zone's database passwords: made once, 192 random bits each, file mode 0600. */
export function zonePasswords(paths: ZonePaths): Passwords {
  const path = join(paths.keys, "postgres.json");
  if (!existsSync(path)) {
    const made = Object.fromEntries(LOGINS.map((name) => [name, randomBytes(24).toString("hex")]));
    writeFileSync(path, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  }
  return JSON.parse(readFileSync(path, "utf8")) as Passwords;
}

export function databaseUrl(
  port: number,
  login: Login,
  password: string,
  database: string,
): string {
  return `postgres://${login}:${password}@127.0.0.1:${port}/${database}`;
}

/** Creates logins and databases that are missing. */
export async function createDatabases(port: number, passwords: Passwords): Promise<void> {
  const admin = new pg.Client(databaseUrl(port, "postgres", passwords.postgres, "postgres"));
  await admin.connect();
  try {
    const roles = await admin.query<{ rolname: string }>("SELECT rolname FROM pg_roles");
    const known = new Set(roles.rows.map((row) => row.rolname));
    for (const login of LOGINS) {
      if (login === "postgres") continue;
      // Passwords are our own hexadecimal digits, so they need no quoting beyond these.
      const verb = known.has(login) ? "ALTER" : "CREATE";
      await admin.query(`${verb} ROLE ${login} LOGIN PASSWORD '${passwords[login]}'`);
    }
    const databases = await admin.query<{ datname: string }>("SELECT datname FROM pg_database");
    const existing = new Set(databases.rows.map((row) => row.datname));
    for (const [name, { owner, others }] of Object.entries(DATABASES)) {
      if (!existing.has(name)) await admin.query(`CREATE DATABASE ${name} OWNER ${owner}`);
      await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
      for (const other of others)
        await admin.query(`GRANT CONNECT ON DATABASE ${name} TO ${other}`);
    }
  } finally {
    await admin.end();
  }
}
