/** The real program and the real commands: started, killed, started again, asked, tampered with. */
import type { ChildProcess } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatId, newId } from "@lightferry/proto/ids";
import { MerkleTree } from "@lightferry/proto/merkle";
import { AuditService, type Client, createClient, type ServiceName } from "@lightferry/proto/rpc";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkpointSigner } from "../src/checkpoint/sign.ts";
import { FAR_NODE, type Installation, installation } from "./installation.ts";
import { always, event, events, provider, type TestLog, testLog, ZONE } from "./kit.ts";
import { endProgram, runCommand, startProgram } from "./program.ts";

let log: TestLog;
let installed: Installation;
let program: ChildProcess;
let port = 0;
const clients: Client<typeof AuditService>[] = [];

function as(peer: ServiceName): Client<typeof AuditService> {
  const tls = installed.zone.tls[peer];
  const client = createClient(AuditService, {
    ...{ address: `127.0.0.1:${port}`, tls, zone: ZONE, peer: "audit" },
  });
  clients.push(client);
  return client;
}

async function start(): Promise<void> {
  ({ child: program, port } = await startProgram(installed));
}

const stop = (signal: NodeJS.Signals) => endProgram(program, signal);
const command = (...argv: string[]) => runCommand(installed, ...argv);

const bytesOf = (list: { bytes: Uint8Array }[]) => list.map(({ bytes }) => bytes);

beforeAll(async () => {
  log = await testLog();
  installed = await installation(log);
  await start();
});
afterAll(async () => {
  for (const client of clients) client.close();
  await stop("SIGTERM");
  await installed.cleanup();
  await log.drop();
});

describe("the audit program", () => {
  it("keeps what it acknowledged through kill -9 and takes resent batches once", async () => {
    const list = bytesOf(events("front-proxy", 1, 50));
    await as("front-proxy").append({ events: list });
    await stop("SIGKILL");
    await start();
    await as("front-proxy").append({ events: list });
    await as("front-proxy").append({ events: bytesOf(events("front-proxy", 51, 10)) });
    expect(await log.sql("select 1 from audit.event where emitter = 'front-proxy'")).toHaveLength(
      60,
    );
    expect((await command("verify")).text).toContain("核验通过");
  });

  it("journals its own starts and stops", async () => {
    expect(await stop("SIGTERM")).toBe(0);
    await start();
    const life = await log.sql<{ type: string }>(
      `select type from audit.event where emitter = 'audit' and type like 'service.%'
       order by emitter_sequence`,
    );
    expect(life.map(({ type }) => type)).toEqual([
      ...["service.started", "service.started", "service.stopped", "service.started"],
    ]);
  });

  it("refuses a demonstration key in production, and the refusal is in the log afterwards", async () => {
    expect(await stop("SIGTERM")).toBe(0);
    const demo = await readFile(installed.auditConfig, "utf8");
    await writeFile(installed.auditConfig, demo.replace('"mode":"demo"', '"mode":"production"'));
    await expect(start()).rejects.toThrow("key.demo-in-production");
    await writeFile(installed.auditConfig, demo);
    await start();
    const stopped = await log.sql<{ code: string }>(
      "select code from audit.event where emitter = 'audit' and type = 'service.stopped' and code <> ''",
    );
    expect(stopped).toEqual([{ code: "key.demo-in-production" }]);
  });

  it("says that its database was away once it is back", async () => {
    const url = new URL(log.ownerUrl);
    const database = url.pathname.slice(1);
    url.pathname = "/postgres";
    const admin = new pg.Client(url.href);
    await admin.connect();
    await admin.query(`alter database ${database} with allow_connections false`);
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = $1 and application_name like 'lightferry-audit-%'`,
      [database],
    );
    const list = bytesOf(events("ferry-rx", 1, 3));
    await expect(as("ferry-rx").append({ events: list })).rejects.toMatchObject({
      code: "audit.database-unavailable",
    });
    await admin.query(`alter database ${database} with allow_connections true`);
    await admin.end();
    await as("ferry-rx").append({ events: list });
    const told = () =>
      log.sql<{ type: string; code: string }>(
        `select type, code from audit.event where emitter = 'audit'
         and type in ('service.impaired', 'service.restored') order by seq`,
      );
    await expect
      .poll(told, { timeout: 20_000 })
      .toMatchObject([
        { type: "service.impaired", code: "audit.database-unavailable" },
        { type: "service.restored" },
      ]);
    expect((await command("verify")).text).toContain("核验通过");
  });

  it("witnesses the other zone with a key certified for its node", async () => {
    const tree = new MerkleTree(provider.sm3);
    tree.append(provider.sm3(Buffer.from("far")));
    const sign = checkpointSigner(provider, always(installed.pki.key(FAR_NODE, "audit")), FAR_NODE);
    const note = Buffer.from(sign(1, tree.root(), Date.now()));
    const request = { zone: "extranet", note, bundleId: newId() };
    expect(await as("front-proxy").witness(request)).toMatchObject({ status: "recorded" });
    expect((await command("verify")).text).toContain("见证 1");
  });
});

describe("the commands", () => {
  it("list", async () => {
    const shown = await command("list", "--type", "service.", "--limit", "3");
    expect(shown.code).toBe(0);
    expect(shown.text).toContain("服务启动");
    const { text } = await command("list", "--since", "1h", "--limit", "700", "--json");
    const parsed = JSON.parse(text) as { events: { index: number }[] };
    expect(parsed.events.at(-1)?.index).toBe(0);
    expect((await command("list", "--since", "soon")).code).toBe(2);
    expect((await command("list", "--nonsense")).code).toBe(2);
    const wrongType = await command("list", "--type", "nonsense");
    expect(wrongType).toMatchObject({
      code: 2,
      text: expect.stringContaining("exchange.(received"),
    });
    expect((await command("list", "--help")).text).toContain("--since");
  });

  it("trail: ends with 对端未知 on the sending zone", async () => {
    const exchangeId = newId();
    const bundleId = newId();
    await as("front-proxy").append({
      events: bytesOf([
        event("front-proxy", 61, { exchangeId }),
        event("front-proxy", 62, { exchangeId, bundleId, type: "exchange.emitted" }),
      ]),
    });
    const shown = await command("trail", formatId(exchangeId));
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.text).toMatch(/已接收[\s\S]*已发出[\s\S]*对端未知/);
    const { text } = await command("trail", formatId(exchangeId), "--json");
    expect(JSON.parse(text)).toMatchObject({ end: "unconfirmed", sender: [] });
  });

  it("trail: ends by what happened last, though a program handed its part over late or the clock was set back", async () => {
    const exchangeId = newId();
    const timeMs = Date.now();
    const append = (
      program: "front-proxy" | "seal",
      number: number,
      more: Parameters<typeof event>[2],
    ) => as(program).append({ events: bytesOf([event(program, number, { exchangeId, ...more })]) });
    await append("front-proxy", 65, { timeMs });
    await append("front-proxy", 66, {
      ...{ type: "exchange.emitted", bundleId: newId(), timeMs: timeMs - 50 },
    });
    await append("seal", 1, {
      type: "exchange.sealed",
      bundleId: newId(),
      timeMs: timeMs - 60,
    });
    const { text } = await command("trail", formatId(exchangeId), "--json");
    const { end, own } = JSON.parse(text) as { end: string; own: { type: string }[] };
    expect(end).toBe("unconfirmed");
    expect(own.map(({ type }) => type)).toEqual([
      ...["exchange.sealed", "exchange.emitted", "exchange.received"],
    ]);
  });

  it("trail: shows both halves on the receiving zone, each event once", async () => {
    const exchangeId = newId();
    const far = [1, 2].map(
      (n) =>
        event("front-proxy", n, { zone: "extranet", node: "node-extranet", exchangeId, timeMs: n })
          .bytes,
    );
    const trails = [newId(), newId()].map((bundleId) => ({
      ...{ zone: "extranet", exchangeId, bundleId, events: far },
    }));
    await as("front-proxy").append({
      events: bytesOf([
        event("front-proxy", 63, { exchangeId, type: "exchange.arrived" }),
        event("front-proxy", 64, { exchangeId, type: "exchange.delivered" }),
      ]),
      peerTrails: trails,
    });
    const shown = await command("trail", formatId(exchangeId));
    expect(shown.text).toMatch(/对端 extranet[\s\S]*本端 business[\s\S]*已送达/);
    expect(shown.text).not.toContain("对端未知");
    const { text } = await command("trail", formatId(exchangeId), "--json");
    const parsed = JSON.parse(text) as { sender: unknown[]; own: unknown[]; end: string };
    expect([parsed.sender.length, parsed.own.length, parsed.end]).toEqual([2, 2, "here"]);
    const unknown = await command("trail", formatId(newId()));
    expect(unknown.code).toBe(3);
    expect(unknown.text).toContain("audit.exchange-unknown");
    expect((await command("trail", "nonsense")).code).not.toBe(0);
  });

  it("verify: names tampering, and a rollback by a checkpoint kept elsewhere", async () => {
    const { note } = await as("front-proxy").getCheckpoint({});
    const kept = join(installed.home, "kept.note");
    const written = await command("checkpoint", "--out", kept);
    expect([written.code, written.text]).toEqual([0, expect.stringContaining("长度")]);
    expect(await readFile(kept, "utf8")).toBe(Buffer.from(note ?? "").toString());
    // Never over another file.
    expect((await command("checkpoint", "--out", kept)).code).toBe(2);
    const held = await command("verify", "--checkpoint", kept);
    expect(held.code).toBe(0);
    // The other zone's, as this zone witnessed it in a test before.
    const far = join(installed.home, "far.note");
    expect((await command("checkpoint", "--witnessed", "--out", far)).code).toBe(0);
    expect(await readFile(far, "utf8")).toContain(FAR_NODE);
    // Who gives nothing to hold the log against is told what that leaves open.
    const warning = "整个日志被截回";
    expect([held.text.includes(warning), (await command("verify")).text.includes(warning)]).toEqual(
      [false, true],
    );
    await log.unguard();
    await log.sql("update audit.event set actor = 'somebody' where seq = 5");
    const shown = await command("verify");
    expect(shown.code).toBe(3);
    expect(shown.text).toMatch(/row\.column\s+5\s+actor/);
    const { text } = await command("verify", "--json");
    expect(JSON.parse(text)).toMatchObject({
      clean: false,
      counts: { "row.column": 1 },
      findings: [{ kind: "row.column", index: 5, detail: "actor" }],
    });
    await log.sql("update audit.event set actor = '' where seq = 5");
    await stop("SIGKILL");
    await log.sql("delete from audit.event where seq >= 20");
    await log.sql("delete from audit.checkpoint where size > 20");
    const rolledBack = await command("verify", "--checkpoint", kept);
    expect(rolledBack.text).toContain("checkpoint.rolled-back");
    expect((await command("list")).code).toBe(4);
    for (const table of ["event", "checkpoint", "tile", "peer_trail", "witness"]) {
      await log.sql(`delete from audit.${table}`);
    }
    const emptied = await command("verify");
    expect([emptied.code, emptied.text]).toEqual([
      3,
      expect.stringContaining("audit.checkpoint-none"),
    ]);
    expect((await command("checkpoint", "--out", `${kept}2`)).text).toContain("checkpoint-none");
  });
});
