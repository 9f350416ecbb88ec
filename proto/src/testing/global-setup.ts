/**
 * Guarantee: one test run starts at most one PostgreSQL per kind, the first
 * time a test asks for it, and leaves neither process nor file behind. A run
 * that asks for none pays for a listening socket and nothing else.
 */

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestCluster, type TestCluster } from "./cluster.ts";
import { dropTemplates } from "./database.ts";
import {
  CLUSTER_KINDS,
  type ClusterKind,
  DATABASE_VARIABLE,
  ERROR_PREFIX,
  RUN_VARIABLE,
  SOCKET_VARIABLE,
} from "./protocol.ts";

/** Called by vitest once before all tests; returns what it calls after them. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "lf-test-"));
  const clusters = new Map<ClusterKind, Promise<TestCluster>>();
  const given = process.env[DATABASE_VARIABLE];

  const urlOf = async (kind: ClusterKind): Promise<string> => {
    if (given !== undefined && given !== "") return given;
    let cluster = clusters.get(kind);
    if (cluster === undefined) {
      cluster = startTestCluster(kind, join(folder, kind));
      clusters.set(kind, cluster);
    }
    return (await cluster).url;
  };

  const server = createServer((socket) => answer(socket, urlOf));
  const path = join(folder, "s");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  server.unref();
  process.env[SOCKET_VARIABLE] = path;
  const run = randomBytes(4).toString("hex");
  process.env[RUN_VARIABLE] = run;

  return async () => {
    server.close();
    if (given !== undefined && given !== "") await dropTemplates(given, run);
    for (const starting of clusters.values()) {
      const cluster = await starting.catch(() => undefined);
      await cluster?.stop();
    }
    await rm(folder, { recursive: true, force: true });
  };
}

function answer(socket: Socket, urlOf: (kind: ClusterKind) => Promise<string>): void {
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.once("data", (text: string) => {
    const kind = CLUSTER_KINDS.find((name) => name === text.trim());
    if (kind === undefined) {
      socket.end(`${ERROR_PREFIX}unknown kind of cluster\n`);
      return;
    }
    urlOf(kind).then(
      (url) => socket.end(`${url}\n`),
      (error: unknown) => socket.end(`${ERROR_PREFIX}${String(error).replaceAll("\n", " ")}\n`),
    );
  });
}
