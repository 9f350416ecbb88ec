/** Append: kept once, refused when contradictory, restored after a restart, never forked. */

import { GatewayError } from "@lightferry/proto/errors";
import { newId } from "@lightferry/proto/ids";
import { merkleRoot } from "@lightferry/proto/merkle";
import { testDatabase } from "@lightferry/proto/testing";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { LogStore } from "../src/store/batch.ts";
import { prepareSchema } from "../src/store/migrate.ts";
import { checkNote, readNote } from "../src/verify/note.ts";
import { as, auditKey, event, events, provider, type TestLog, testLog, trail } from "./kit.ts";

let log: TestLog;
beforeAll(async () => {
  log = await testLog();
});
beforeEach(() => log.renew());
afterAll(() => log.drop());

async function rootOfRows(): Promise<string> {
  const rows = await log.sql<{ leaf: Buffer }>("select leaf from audit.event order by seq");
  return Buffer.from(
    merkleRoot(
      provider.sm3,
      rows.map((row) => row.leaf),
    ),
  ).toString("hex");
}

async function newestRoot(): Promise<string> {
  const [row] = await log.sql<{ root: Buffer; note: string }>(
    "select root, note from audit.checkpoint order by size desc limit 1",
  );
  const note = readNote(row?.note ?? "");
  expect(note && checkNote(provider, note, auditKey.publicKey)).toBe(true);
  expect(Buffer.from(note?.root ?? [])).toEqual(row?.root);
  return row?.root.toString("hex") ?? "";
}

describe("append", () => {
  it("answers with a signed checkpoint that covers the events", async () => {
    const logged = await log.sequencer.append({
      events: events("front-proxy", 1, 3),
      trails: [],
      own: [],
    });
    expect(logged.treeSize).toBe(3);
    expect(readNote(logged.note)?.size).toBe(3);
    expect(await newestRoot()).toBe(await rootOfRows());
  });

  it("answers a resent event without adding it again", async () => {
    const list = events("front-proxy", 1, 5);
    await log.append(...list);
    expect(await log.append(...list)).toBe(5);
    expect(await log.append(...list.slice(3), ...events("front-proxy", 6, 2))).toBe(7);
    await log.restart();
    expect(await log.append(...list)).toBe(7);
  });

  it("refuses another content under a known number and raises one alarm", async () => {
    await log.append(...events("seal", 1, 2));
    const forged = event("seal", 2, { outcome: "error" });
    for (let i = 0; i < 3; i += 1) {
      await expect(log.append(forged)).rejects.toMatchObject({ code: "audit.sequence-conflict" });
    }
    const alarms = await log.sql("select * from audit.event where type = 'audit.append-refused'");
    expect(alarms).toHaveLength(1);
    expect(alarms[0]).toMatchObject({ code: "audit.sequence-conflict", emitter: "audit-log" });
    expect(await newestRoot()).toBe(await rootOfRows());
  });

  it("fills a hole that an earlier batch left", async () => {
    await log.append(event("seal", 3));
    expect(await log.append(event("seal", 1), event("seal", 2))).toBe(3);
  });

  it("restores the tree after a restart over several tiles", async () => {
    for (let first = 1; first < 1000; first += 331) {
      await log.append(...events("front-proxy", first, 331));
      await log.restart();
    }
    await log.append(...events("policy", 1, 3));
    expect(await newestRoot()).toBe(await rootOfRows());
    const tiles = await log.sql("select level, index from audit.tile order by index");
    expect(tiles).toHaveLength(Math.floor((331 * 4 + 3) / 256));
  });

  it("keeps hundreds of concurrent appends exactly once", async () => {
    const emitters = ["front-proxy", "seal", "policy", "ferry-tx", "ferry-rx"];
    const batches = emitters.flatMap((emitter) =>
      Array.from({ length: 80 }, (_, i) => events(emitter, 1 + i * 4, 4)),
    );
    await Promise.all([...batches, ...batches.slice(0, 100)].map((list) => log.append(...list)));
    const [count] = await log.sql<{ n: string; distinct: string }>(
      `select count(*) as n, count(distinct (emitter, emitter_sequence)) as distinct from audit.event`,
    );
    expect(Number(count?.n)).toBe(1600);
    expect(Number(count?.distinct)).toBe(1600);
    expect(await newestRoot()).toBe(await rootOfRows());
  });

  it("takes any text a journal may hold", async () => {
    const text = `\0${"档".repeat(4_000)}`;
    await log.append(event("seal", 1, { actor: text, code: text, lane: text, service: text }));
    await log.append(event("seal", 2, { actor: `${"a".repeat(255)}😀` }));
  });

  it("covers peer trails by an own event and takes each once", async () => {
    const known = trail(newId());
    const job = { events: [], trails: [known, trail(newId())], own: [] };
    await log.sequencer.append(job);
    await log.sequencer.append(job);
    expect(await log.sql("select * from audit.peer_trail")).toHaveLength(2);
    expect(await log.sql("select type from audit.event")).toEqual([
      { type: "audit.peer-trails-recorded" },
    ]);
    const part = { ...trail(known.exchangeId), bundleId: known.bundleId };
    await log.sequencer.append({ ...job, trails: [known, part] });
    expect(await log.sql("select * from audit.peer_trail")).toHaveLength(3);
  });
});

describe("months", () => {
  it("makes partitions as time goes on and never lets logged time descend", async () => {
    let nowMs = Date.UTC(2031, 0, 31, 23, 59, 59, 999);
    const log = await testLog({ now: () => nowMs });
    onTestFinished(() => log.drop());
    await log.append(event("seal", 1));
    for (const [sequence, at] of [
      [2, Date.UTC(2031, 1, 1)],
      [3, Date.UTC(2032, 11, 31, 23)],
      [4, Date.UTC(2031, 5, 1)],
    ] as const) {
      nowMs = at;
      await log.append(event("seal", sequence));
    }
    const rows = await log.sql<{ part: string; logged_ms: string }>(
      "select tableoid::regclass::text as part, logged_ms from audit.event order by seq",
    );
    expect(rows.map(({ part }) => part)).toEqual([
      ...["audit.event_2031_01", "audit.event_2031_02", "audit.event_2032_12"],
      "audit.event_2032_12",
    ]);
    const times = rows.map((row) => Number(row.logged_ms));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    await log.restart();
    expect(await log.append(event("seal", 5))).toBe(5);
    await expect(log.sql("delete from audit.event_2032_12")).rejects.toThrow(/insert-only/);
    await expect(log.sql("truncate audit.event_2032_12")).rejects.toThrow(/insert-only/);
  });
});

describe("faults", () => {
  it("adds nothing twice when the answer was lost after the commit", async () => {
    let lose = false;
    await log.restart(
      (store) =>
        ({
          load: () => store.load(),
          findEvents: (keys) => store.findEvents(keys),
          findTrails: (trails) => store.findTrails(trails),
          close: () => store.close(),
          commit: async (batch) => {
            await store.commit(batch);
            if (lose) throw new GatewayError("audit.database-unavailable", { detail: "test" });
          },
        }) satisfies LogStore,
    );
    await log.append(...events("front-proxy", 1, 10));
    lose = true;
    const list = events("front-proxy", 11, 10);
    await expect(log.append(...list)).rejects.toMatchObject({
      code: "audit.database-unavailable",
    });
    lose = false;
    expect(await log.append(...list)).toBe(20);
    expect(await newestRoot()).toBe(await rootOfRows());
  });

  it("comes back by itself when its sessions were ended", async () => {
    await log.append(...events("front-proxy", 1, 3));
    await log.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    );
    const list = events("front-proxy", 4, 3);
    const size = await log.append(...list).catch(() => log.append(...list));
    expect(size).toBe(6);
    expect(await newestRoot()).toBe(await rootOfRows());
  });

  it("refuses while another service holds the log", async () => {
    await log.append(event("seal", 1));
    const other = log.another();
    await expect(
      other.append({ events: [event("seal", 2)], trails: [], own: [] }),
    ).rejects.toMatchObject({ code: "audit.writer-busy" });
    await log.sequencer.close();
    const logged = await other.append({ events: [event("seal", 2)], trails: [], own: [] });
    expect(logged.treeSize).toBe(2);
    await other.close();
  });

  it("does not extend a log that disagrees with its checkpoint", async () => {
    await log.append(...events("seal", 1, 4));
    await log.unguard();
    await log.sql("update audit.event set leaf = sha256('x') where seq = 2");
    await log.restart();
    await expect(log.append(event("seal", 5))).rejects.toMatchObject({
      code: "audit.log-damaged",
    });
  });
});

describe("rights", () => {
  it("needs an ordinary owner, not a superuser, for migrations", async () => {
    const database = await testDatabase();
    const admin = new pg.Client(database.url);
    await admin.connect();
    const owner = `${database.name}_owner`;
    await admin.query(`create role ${owner}`);
    await admin.query(`alter database ${database.name} owner to ${owner}`);
    await prepareSchema(as(database.url, owner), provider.sm3, Date.now());
    await prepareSchema(as(database.url, owner), provider.sm3, Date.now());
    const { rows } = await admin.query<{ may: boolean; not: boolean }>(
      `select has_table_privilege('audit_writer', 'audit.event', 'insert, select') as may,
         has_table_privilege('audit_writer', 'audit.event', 'update, delete, truncate') as not`,
    );
    expect(rows).toEqual([{ may: true, not: false }]);
    await admin.query("update audit.migration set sm3 = '\\x00'");
    await expect(
      prepareSchema(as(database.url, owner), provider.sm3, Date.now()),
    ).rejects.toMatchObject({ code: "config.invalid" });
    await admin.query(`reassign owned by ${owner} to current_user`);
    await admin.query(`drop owned by ${owner}`);
    await admin.query(`drop role ${owner}`);
    await admin.end();
    await database.drop();
  });

  it("lets the writer insert and read, nothing else; the reader only read", async () => {
    await log.append(...events("seal", 1, 2));
    const tables = ["event", "peer_trail", "tile", "checkpoint", "witness"];
    for (const url of [log.writerUrl, log.readerUrl, log.ownerUrl]) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      for (const table of tables) {
        await expect(client.query(`delete from audit.${table}`)).rejects.toThrow();
        await expect(client.query(`truncate audit.${table}`)).rejects.toThrow();
      }
      await expect(client.query("update audit.event set code = 'x'")).rejects.toThrow();
      await client.query("select 1 from audit.event");
      if (url === log.readerUrl) {
        await expect(
          client.query("insert into audit.checkpoint values (9, 8, 0, sha256('x'), '')"),
        ).rejects.toThrow(/permission denied/);
      }
      await client.end();
    }
  });
});
