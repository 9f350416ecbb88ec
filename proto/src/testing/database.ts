/**
 * Guarantee: each call gives a fresh, empty database that no other test sees.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import pg from "pg";
import { GatewayError } from "../errors/index.ts";
import { type ClusterKind, DATABASE_VARIABLE, ERROR_PREFIX, SOCKET_VARIABLE } from "./protocol.ts";

export interface TestDatabase {
  /** URL of the superuser for this database. */
  readonly url: string;
  /** Name of the database; also useful as a prefix for roles, which are shared by the cluster. */
  readonly name: string;
  /** Removes it, ending whatever is still connected. Safe to call twice. */
  drop(): Promise<void>;
}

/**
 * A fresh database: UTF-8, C.UTF-8 collation. In order of preference on the
 * server named by `LIGHTFERRY_TEST_DATABASE_URL`, in a container, embedded.
 * @param options.durable a cluster with fsync on, for tests about crashes of the database itself
 * @throws GatewayError `postgres.start-failed`
 */
export async function testDatabase(options: { durable?: boolean } = {}): Promise<TestDatabase> {
  const adminUrl = await clusterUrl(options.durable === true ? "durable" : "fast");
  const name = `lf_test_${randomBytes(6).toString("hex")}`;
  // template0 keeps whatever a developer's server has in template1 out of the test.
  await adminQuery(
    adminUrl,
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'
     LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'`,
  );
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    drop: () => adminQuery(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function adminQuery(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

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
