import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { silentLogger } from "../src/service/logger.ts";
import { startPostgres } from "../src/service/postgres.ts";
import { testDatabase } from "../src/testing/index.ts";

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("testDatabase", () => {
  it("gives databases that do not see each other, and removes them", async () => {
    const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
    await query(one.url, "CREATE TABLE t (x text); INSERT INTO t VALUES ('光渡')");
    await expect(query(two.url, "SELECT * FROM t")).rejects.toThrow(/does not exist/);
    const rows = await query(one.url, "SELECT x FROM t");
    expect(rows).toEqual([{ x: "光渡" }]);
    await one.drop();
    await one.drop();
    await two.drop();
    await expect(query(one.url, "SELECT 1")).rejects.toThrow(/does not exist/);
  });
});

describe("startPostgres", () => {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  it("keeps data over a restart, leaves no password file and asks for the password", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lf-pg-"));
    folders.push(folder);
    const options = {
      dataDir: join(folder, "data"),
      port: 0,
      superuserPassword: "p@ss/ß",
      durable: true,
      log: silentLogger(),
    };
    const first = await startPostgres(options);
    await query(first.url, "CREATE TABLE kept AS SELECT 7 AS n");
    expect(await query(first.url, "SHOW fsync")).toEqual([{ fsync: "on" }]);
    expect(await query(first.url, "SHOW listen_addresses")).toEqual([
      { listen_addresses: "127.0.0.1" },
    ]);
    const wrong = new URL(first.url);
    wrong.password = "other";
    await expect(query(wrong.href, "SELECT 1")).rejects.toThrow(/password authentication/);
    await first.stop();
    expect(await readdir(folder)).toEqual(["data"]);
    const second = await startPostgres(options);
    expect(await query(second.url, "SELECT n FROM kept")).toEqual([{ n: 7 }]);
    await second.stop();
  });

  it("takes over after its starter and then the server itself were killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lf-pg-"));
    folders.push(folder);
    const options = {
      dataDir: join(folder, "data"),
      port: 0,
      superuserPassword: "x",
      durable: true,
      log: silentLogger(),
    };
    const script = `
      import { startPostgres } from ${JSON.stringify(new URL("../src/service/postgres.ts", import.meta.url).href)};
      import { silentLogger } from ${JSON.stringify(new URL("../src/service/logger.ts", import.meta.url).href)};
      const running = await startPostgres({ ...${JSON.stringify({ ...options, log: undefined })}, log: silentLogger() });
      process.stdout.write("up " + running.pid + "\\n");
      setInterval(() => undefined, 1000);
    `;
    const starter = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(starter.stdout, "data");
    starter.kill("SIGKILL");
    await once(starter, "exit");
    const second = await startPostgres(options);
    await query(second.url, "CREATE TABLE kept AS SELECT 1 AS n");
    process.kill(second.pid, "SIGKILL");
    await second.exited;
    const third = await startPostgres(options);
    expect(await query(third.url, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
    await third.stop();
  });

  it("says why it cannot start", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lf-pg-"));
    folders.push(folder);
    await expect(
      startPostgres({
        dataDir: join(folder, "data"),
        port: 0,
        superuserPassword: "x",
        durable: false,
        log: silentLogger(),
        settings: { shared_buffers: "nonsense" },
      }),
    ).rejects.toMatchObject({ code: "postgres.start-failed", detail: /nonsense/ });
  });
});
