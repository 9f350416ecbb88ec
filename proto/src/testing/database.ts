/**
 * Guarantee: each call gives a fresh database that no other test sees: empty,
 * or a copy of one that was prepared once in this run.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import pg from "pg";
import { GatewayError } from "../errors/index.ts";
import {
  type ClusterKind,
  DATABASE_VARIABLE,
  ERROR_PREFIX,
  RUN_VARIABLE,
  SOCKET_VARIABLE,
} from "./protocol.ts";

export interface TestDatabase {
  /** URL of the superuser for this database. */
  readonly url: string;
  /** Name of the database; also useful as a prefix for roles, which are shared by the cluster. */
  readonly name: string;
  /** Removes it, ending whatever is still connected. Safe to call twice. */
  drop(): Promise<void>;
}

/** What many tests would do to their databases alike: done once a run, then copied. */
export interface DatabaseTemplate {
  /** Of letters, digits and underscores; another name where another database comes of it. */
  readonly name: string;
  /** Brings an empty database to that state and leaves no connection to it. */
  prepare(url: string): Promise<void>;
}

const FORM = `ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'`;

/**
 * A fresh database: UTF-8, C.UTF-8 collation. In order of preference on the
 * server named by `LIGHTFERRY_TEST_DATABASE_URL`, in a container, embedded.
 * @param options.durable a cluster with fsync on, for tests about crashes of the database itself
 * @param options.template without it empty
 * @throws GatewayError `postgres.start-failed`
 */
export async function testDatabase(
  options: { readonly durable?: boolean; readonly template?: DatabaseTemplate } = {},
): Promise<TestDatabase> {
  const adminUrl = await clusterUrl(options.durable === true ? "durable" : "fast");
  const name = `lf_test_${randomBytes(6).toString("hex")}`;
  const urlOf = (database: string) => {
    const url = new URL(adminUrl);
    url.pathname = `/${database}`;
    return url.href;
  };
  const { template } = options;
  await asAdmin(adminUrl, async (admin) => {
    // template0 keeps whatever a developer's server has in template1 out of the test.
    const from = template === undefined ? "template0" : await preparedOnce(admin, template, urlOf);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${from} ${FORM}`);
  });
  const drop = () =>
    asAdmin(adminUrl, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  return { url: urlOf(name), name, drop };
}

/** Makes the template where no test of this run has yet. @returns the name of its database. */
async function preparedOnce(
  admin: pg.Client,
  { name, prepare }: DatabaseTemplate,
  urlOf: (database: string) => string,
): Promise<string> {
  const database = `${templatePrefix(process.env[RUN_VARIABLE] ?? "")}${name}`;
  const known = async () =>
    (await admin.query("SELECT 1 FROM pg_database WHERE datname = $1", [database])).rowCount === 1;
  if (await known()) return database;
  // Test files run side by side; the lock ends with the connection at the latest.
  await admin.query("SELECT pg_advisory_lock(hashtext($1))", [database]);
  try {
    if (!(await known())) {
      const draft = `${database}_new`;
      await admin.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
      await admin.query(`CREATE DATABASE ${draft} TEMPLATE template0 ${FORM}`);
      await prepare(urlOf(draft));
      await deserted(admin, draft);
      await admin.query(`ALTER DATABASE ${draft} RENAME TO ${database}`);
    }
  } finally {
    await admin.query("SELECT pg_advisory_unlock(hashtext($1))", [database]);
  }
  return database;
}

/** A backend outlives its connection by a moment; a rename would wait five seconds for it and then fail. */
async function deserted(admin: pg.Client, database: string): Promise<void> {
  const connected = `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`;
  while (((await admin.query(connected, [database])).rowCount ?? 0) > 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function asAdmin(url: string, work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

/**
 * Removes the templates of a run from a server that outlives it.
 * @param run as in `LIGHTFERRY_TEST_RUN`
 */
export async function dropTemplates(adminUrl: string, run: string): Promise<void> {
  await asAdmin(adminUrl, async (admin) => {
    const { rows } = await admin.query<{ datname: string }>(
      "SELECT datname FROM pg_database WHERE starts_with(datname, $1)",
      [templatePrefix(run)],
    );
    for (const { datname } of rows) await admin.query(`DROP DATABASE ${datname} WITH (FORCE)`);
  });
}

const templatePrefix = (run: string) => `lf_template_${run}_`;

async function clusterUrl(kind: ClusterKind): Promise<string> {
  const given = process.env[DATABASE_VARIABLE];
  if (given !== undefined && given !== "") return given;
  const path = process.env[SOCKET_VARIABLE];
  if (path === undefined || path === "") {
    throw new GatewayError("postgres.start-failed", {
      detail: `run under vitest, or set ${DATABASE_VARIABLE}`,
    });
  }
  const answer = await ask(path, kind);
  if (answer.startsWith(ERROR_PREFIX) || answer === "") {
    throw new GatewayError("postgres.start-failed", { detail: answer });
  }
  return answer;
}

function ask(path: string, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(path, () => socket.write(`${word}\n`));
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
    });
    socket.once("end", () => resolve(text.trim()));
    socket.once("error", reject);
  });
}
