/**
 * Guarantee: a PostgreSQL for one test run: in a container where a container
 * engine answers, else the embedded one, as any user, in a throw-away folder.
 */
import { randomBytes } from "node:crypto";
import { access } from "node:fs/promises";
import pg from "pg";
import { silentLogger } from "../service/logger.ts";
import { startPostgres } from "../service/postgres.ts";
import type { ClusterKind } from "./protocol.ts";

export interface TestCluster {
  readonly url: string;
  stop(): Promise<void>;
}

/** Room for every test file's pools at once; the default of 100 runs out with two workers. */
const MAX_CONNECTIONS = "300";
/** Same major version as the embedded server. */
const IMAGE = "postgres:18";
/** Tests log in thousands of times, and half of what that costs them are rounds against who would guess a password. */
const CHEAP_LOGIN = { scram_iterations: "1" };
const FAST_SETTINGS = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

export async function startTestCluster(kind: ClusterKind, dataDir: string): Promise<TestCluster> {
  return (await inContainer(kind)) ?? (await embedded(kind, dataDir));
}

async function embedded(kind: ClusterKind, dataDir: string): Promise<TestCluster> {
  const superuserPassword = randomBytes(12).toString("hex");
  const cluster = await startPostgres({
    ...{ dataDir, port: 0, superuserPassword, durable: kind === "durable", log: silentLogger() },
    settings: { max_connections: MAX_CONNECTIONS, shared_buffers: "64MB", ...CHEAP_LOGIN },
  });
  const admin = new pg.Client({ connectionString: cluster.url });
  await admin.connect();
  try {
    // The password that initdb set has rounds of its own; a stored one keeps those it was stored with.
    await admin.query(`ALTER ROLE postgres PASSWORD '${superuserPassword}'`);
  } finally {
    await admin.end();
  }
  return cluster;
}

/** Undefined where no engine answers or it cannot start the image: the embedded one then serves. */
async function inContainer(kind: ClusterKind): Promise<TestCluster | undefined> {
  if (!(await engineMayAnswer())) return undefined;
  try {
    const { GenericContainer, Wait } = await import("testcontainers");
    const password = randomBytes(12).toString("hex");
    const settings = {
      max_connections: MAX_CONNECTIONS,
      ...(kind === "fast" ? FAST_SETTINGS : {}),
    };
    const container = await new GenericContainer(IMAGE)
      .withEnvironment({
        POSTGRES_PASSWORD: password,
        POSTGRES_INITDB_ARGS: "--locale-provider=builtin --builtin-locale=C.UTF-8",
      })
      .withCommand(Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]))
      .withExposedPorts(5432)
      // The image starts the server twice: once to initialise, once to serve.
      .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
      .start();
    const at = `${container.getHost()}:${container.getMappedPort(5432)}`;
    return {
      url: `postgres://postgres:${password}@${at}/postgres`,
      stop: async () => {
        await container.stop();
      },
    };
  } catch {
    return undefined;
  }
}

/** Cheap look before loading the container client, which takes half a second. */
async function engineMayAnswer(): Promise<boolean> {
  if ((process.env.DOCKER_HOST ?? "") !== "") return true;
  return access("/var/run/docker.sock").then(
    () => true,
    () => false,
  );
}
