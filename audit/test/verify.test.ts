/** Verify: clean when clean, and every kind of tampering is named with its index. */
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type VerifyReport, verifyLog } from "../src/verify/verify.ts";
import { auditKey, event, events, NODE, provider, type TestLog, testLog, trail } from "./kit.ts";

let log: TestLog;
beforeAll(async () => {
  log = await testLog();
});
afterAll(() => log.drop());

function verify(kept: string[] = []): Promise<VerifyReport> {
  return verifyLog({
    databaseUrl: log.readerUrl,
    provider,
    node: NODE,
    auditKey: () => auditKey.publicKey,
    peerAuditKey: () => undefined,
    kept,
  });
}

function found(report: VerifyReport): string[] {
  return report.findings.map(({ kind, index, last, detail }) =>
    [kind, last === undefined ? index : `${index}-${last}`, detail].join(" ").trim(),
  );
}

async function forged(seq: number): Promise<Uint8Array[]> {
  const [row] = await log.sql<{ canonical: Buffer }>(
    "select canonical from audit.event where seq = $1",
    [seq],
  );
  const genuine = lightferry.audit.v1.Event.decode(row?.canonical ?? new Uint8Array());
  const { bytes, leaf } = event(genuine.emitter, genuine.emitterSequence, {
    ...genuine,
    digest: new Uint8Array(32).fill(7),
  });
  return [bytes, leaf];
}

/** Three batches: 0–299, 300–399, 400–449; tile 0 is complete, the rest is not. */
async function fill(): Promise<void> {
  await log.append(...events("front-proxy", 1, 300));
  await log.append(...events("front-proxy", 301, 100));
  await log.append(...events("seal", 1, 50));
}

describe("a log that nobody touched", () => {
  beforeEach(() => log.renew());

  it("is clean", async () => {
    await log.append(event("seal", 1));
    expect(await verify()).toMatchObject({ clean: true, events: 1 });
  });

  it("counts what it read", async () => {
    await fill();
    await log.sequencer.append({ events: [], trails: [trail(newId()), trail(newId())], own: [] });
    expect(await verify()).toMatchObject({
      ...{ clean: true, events: 451, checkpoints: 4, tiles: 1, peerTrails: 2, unchecked: 0 },
      newest: { size: 451 },
    });
  });
});

describe("tampering", () => {
  const tables = ["event", "checkpoint", "tile", "peer_trail"];
  // One log, filled by the service; every test has its rows as they were.
  beforeAll(async () => {
    await log.renew();
    await fill();
    await log.unguard();
    await log.sql("create schema genuine");
    for (const table of tables) {
      await log.sql(`create table genuine.${table} as table audit.${table}`);
    }
  });
  beforeEach(async () => {
    for (const table of tables) {
      // Quicker than to truncate all partitions and indexes of a few rows.
      await log.sql(`delete from audit.${table}`);
      await log.sql(`insert into audit.${table} select * from genuine.${table}`);
    }
  });

  /** $1 and $2 of a case: the event at `forge` with another digest, and its leaf hash. */
  const cases: { name: string; sql: string; forge?: number; expected: string[] }[] = [
    {
      name: "bytes of an event under a complete tile",
      sql: "update audit.event set canonical = $1 where seq = 17 and $2::bytea is not null",
      forge: 17,
      expected: ["row.altered 17"],
    },
    {
      name: "bytes and leaf column of an event under a complete tile",
      sql: "update audit.event set canonical = $1, leaf = $2 where seq = 17",
      forge: 17,
      expected: ["row.altered 17"],
    },
    {
      name: "bytes of an event in the unfinished tile",
      sql: "update audit.event set canonical = $1 where seq = 320 and $2::bytea is not null",
      forge: 320,
      expected: ["row.altered 320"],
    },
    {
      name: "bytes and leaf column in the unfinished tile",
      sql: "update audit.event set canonical = $1, leaf = $2 where seq = 320",
      forge: 320,
      expected: ["checkpoint.root 300-399"],
    },
    {
      name: "bytes that are no event at all",
      sql: "update audit.event set canonical = '\\xff' where seq = 320",
      expected: ["row.altered 320 not a canonical event", "row.altered 320"],
    },
    {
      name: "a typed column",
      sql: "update audit.event set outcome = 'refused', actor = 'nobody' where seq = 42",
      expected: ["row.column 42 outcome", "row.column 42 actor"],
    },
    {
      name: "the logged time",
      sql: "update audit.event set logged_ms = logged_ms + 1 where seq = 42",
      expected: ["row.column 42 logged_ms"],
    },
    {
      name: "a leaf column alone",
      sql: "update audit.event set leaf = sha256('x') where seq = 42",
      expected: ["row.column 42 leaf"],
    },
    {
      name: "a deleted row under a complete tile",
      sql: "delete from audit.event where seq = 100",
      expected: ["row.missing 100-100", "emitter.hole 101-101 node-business/front-proxy"],
    },
    {
      name: "a deleted row in the unfinished tile",
      sql: "delete from audit.event where seq = 410",
      expected: ["row.missing 410-410", "emitter.hole 11-11 node-business/seal"],
    },
    {
      name: "two rows in exchanged order under a complete tile",
      sql: `update audit.event set seq = 9999 where seq = 10; update audit.event set seq = 10 where seq = 11;
            update audit.event set seq = 11 where seq = 9999`,
      expected: ["row.altered 10", "row.altered 11"],
    },
    {
      name: "two rows in exchanged order in the unfinished tile",
      sql: `update audit.event set seq = 9999 where seq = 310; update audit.event set seq = 310 where seq = 311;
            update audit.event set seq = 311 where seq = 9999`,
      expected: ["checkpoint.root 300-399"],
    },
    {
      name: "a cut tail",
      sql: "delete from audit.event where seq >= 380",
      expected: ["row.missing 380-449"],
    },
    {
      name: "an added row",
      sql: `insert into audit.event select (jsonb_populate_record(e, '{"seq": 450}')).*
            from audit.event e where seq = 449`,
      expected: ["row.uncovered 450-450"],
    },
    {
      name: "a row twice",
      sql: `insert into audit.event select (jsonb_populate_record(e,
              jsonb_build_object('logged_ms', e.logged_ms + 1))).* from audit.event e where seq = 7`,
      expected: ["row.duplicate 7"],
    },
    {
      name: "a tile",
      sql: "update audit.tile set hashes = set_byte(hashes, 32 * 9, get_byte(hashes, 32 * 9) # 1)",
      expected: ["tile.altered 0 level 0, entry 9"],
    },
    { name: "a lost tile", sql: "delete from audit.tile", expected: ["tile.missing 0-0 level 0"] },
    {
      name: "an added tile",
      sql: "insert into audit.tile select 0, 5, hashes from audit.tile",
      expected: ["tile.extra 5 level 0"],
    },
    {
      name: "a checkpoint's note",
      sql: "update audit.checkpoint set note = replace(note, E'\\nlogged ', E'\\nlogged 1') where size = 400",
      expected: ["checkpoint.signature 400"],
    },
    {
      name: "a checkpoint's root",
      sql: "update audit.checkpoint set root = sha256('x') where size = 400",
      expected: ["checkpoint.column 400 root"],
    },
    {
      name: "a lost checkpoint",
      sql: "delete from audit.checkpoint where size = 400",
      expected: ["checkpoint.missing 300-400"],
    },
  ];

  it.each(cases)("names $name", async ({ sql, forge, expected }) => {
    await log.sql(sql, forge === undefined ? [] : await forged(forge));
    const report = await verify();
    expect(found(report).sort()).toEqual([...expected].sort());
    expect(report.clean).toBe(false);
  });

  it("finds a log rolled back to a validly signed state by a note kept elsewhere", async () => {
    const kept = log.sequencer.committed?.note ?? "";
    await log.sql("delete from audit.event where seq >= 400");
    await log.sql("delete from audit.checkpoint where size > 400");
    expect((await verify()).clean).toBe(true);
    expect(found(await verify([kept]))).toEqual(["checkpoint.rolled-back 450 the log is shorter"]);
  });

  it("finds altered tiles above the leaves", async () => {
    const level1 = { level: 1, index: 0, hashes: Buffer.alloc(8192) };
    await log.sql("insert into audit.tile values ($1, $2, $3)", Object.values(level1));
    expect(found(await verify())).toEqual(["tile.extra 0 level 1"]);
  });
});

describe("peer trails", () => {
  beforeEach(() => log.renew());

  it("that are altered, removed or added are found", async () => {
    const job = { events: [], trails: [trail(newId()), trail(newId())], own: [] };
    await log.sequencer.append(job);
    await log.sequencer.append({ events: [event("seal", 1)], trails: [], own: [] });
    await log.unguard();
    await log.sql("begin");
    await log.sql("update audit.peer_trail set zone = 'elsewhere' where position = 0");
    await log.sql("commit");
    expect(found(await verify())).toEqual(["trail.altered 0 position 0: columns"]);
    await log.sql("update audit.peer_trail set zone = 'extranet'");
    expect((await verify()).clean).toBe(true);
    await log.sql(
      "insert into audit.peer_trail select 1, 0, logged_ms, zone, exchange_id, bundle_id, canonical from audit.peer_trail limit 1",
    );
    expect(found(await verify())).toEqual(["trail.altered 1 not covered by an event"]);
    await log.sql("delete from audit.peer_trail where cover_seq = 1 or position = 1");
    expect(found(await verify())).toEqual(["trail.altered 0 1 trails"]);
  });
});

describe("emitter numbers", () => {
  beforeEach(() => log.renew());

  it("reports holes as such and accepts any order", async () => {
    await log.append(event("seal", 3), event("seal", 1), event("policy", 2));
    expect(found(await verify())).toEqual([
      "emitter.hole 2-2 node-business/seal",
      "emitter.hole 1-1 node-business/policy",
    ]);
    await log.append(event("seal", 2), event("policy", 1));
    expect((await verify()).clean).toBe(true);
  });
});
