/** The service as its peers see it: over mutual TLS, each peer with its own rights. */

import { join } from "node:path";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { EventJournal } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { verifyConsistency } from "@lightferry/proto/merkle";
import { AuditService, type Client, createClient, type ServiceName } from "@lightferry/proto/rpc";
import { silentLogger } from "@lightferry/proto/service";
import { type TestZone, testZone } from "@lightferry/proto/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuditServiceRunning, startAuditService } from "../src/service.ts";
import { readNote } from "../src/verify/note.ts";
import {
  always,
  auditKey,
  event,
  events,
  NODE,
  provider,
  type TestLog,
  testLog,
  ZONE,
} from "./kit.ts";

let log: TestLog;
let zone: TestZone;
let service: AuditServiceRunning;
const clients = new Map<ServiceName, Client<typeof AuditService>>();

function as(peer: ServiceName): Client<typeof AuditService> {
  const client =
    clients.get(peer) ??
    createClient(AuditService, {
      ...{ address: `127.0.0.1:${service.port}`, tls: zone.tls[peer], zone: ZONE, peer: "audit" },
    });
  clients.set(peer, client);
  return client;
}

const bytesOf = (list: { bytes: Uint8Array }[]) => list.map(({ bytes }) => bytes);

beforeAll(async () => {
  log = await testLog();
  zone = await testZone(ZONE);
  service = await startAuditService({
    ...{ zone: ZONE, node: NODE, mode: "demo", witnessZone: "extranet", provider },
    ...{ databaseUrl: log.writerUrl, ownerUrl: log.ownerUrl, log: silentLogger() },
    listen: { host: "127.0.0.1", port: 0 },
    tls: zone.tls.audit,
    keyAt: always(auditKey),
    trust: () => {
      throw new GatewayError("certificate.unknown");
    },
    anchorPath: join(zone.dir, "anchor.json"),
    policy: { getRegistry: () => Promise.reject(new GatewayError("registry.invalid")) },
  });
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await service.close();
  await service.endSession();
  await zone.cleanup();
  await log.drop();
});

describe("audit service", () => {
  it("logs its own journal, from started on", async () => {
    const journal = await EventJournal.open({
      ...{ dir: join(zone.dir, "journal"), zone: ZONE, node: NODE, emitter: "audit" },
      log: silentLogger(),
    });
    await journal.record([{ type: "service.started", outcome: "ok", actor: "audit" }]);
    journal.forwardTo(service.sink);
    await journal.drained();
    await journal.close();
    const { events: listed = [] } = await as("operator").listEvents({ type: "service." });
    expect(listed).toHaveLength(1);
  });

  it("takes events of the peer that sends them and of no other", async () => {
    const answer = await as("seal").append({ events: bytesOf(events("seal", 1, 20)) });
    expect(readNote(Buffer.from(answer.checkpoint ?? []).toString())?.size).toBe(answer.treeSize);
    const forged = as("seal").append({ events: bytesOf([event("policy", 1)]) });
    await expect(forged).rejects.toMatchObject({ code: "audit.emitter-mismatch" });
    const foreign = as("seal").append({ events: bytesOf([event("seal", 21, { zone: "x" })]) });
    await expect(foreign).rejects.toMatchObject({ code: "audit.emitter-mismatch" });
    const stranger = as("operator").append({ events: bytesOf([event("operator", 1)]) });
    await expect(stranger).rejects.toMatchObject({ code: "rpc.peer-not-allowed" });
  });

  it("refuses what could not be stored, and leaves the rest alone", async () => {
    const good = event("policy", 1);
    const bad: [string, Uint8Array][] = [
      ["audit.event-invalid", Buffer.concat([good.bytes, Buffer.from([0xfa, 0x06, 1, 0])])],
      ["audit.event-invalid", Buffer.from([0xff])],
      ["audit.event-invalid", event("policy", 1, { outcome: "perhaps" }).bytes],
      ["audit.event-invalid", event("policy", 1, { type: "Exchange" }).bytes],
      ["audit.event-invalid", event("policy", 0).bytes],
      ["audit.event-invalid", event("policy", 1, { eventId: new Uint8Array(3) }).bytes],
      ["audit.event-invalid", event("policy", 1, { digest: new Uint8Array(3) }).bytes],
      ["audit.event-invalid", event("policy", 1, { actor: "x".repeat(40_000) }).bytes],
      [
        "audit.event-invalid",
        event("policy", 1, { attributes: [{ name: "b" }, { name: "a" }] }).bytes,
      ],
    ];
    for (const [code, bytes] of bad) {
      await expect(as("policy").append({ events: [good.bytes, bytes] })).rejects.toMatchObject({
        code,
      });
    }
    await expect(
      as("policy").append({ events: bytesOf(events("policy", 1, 513)) }),
    ).rejects.toMatchObject({ code: "audit.batch-too-large" });
    await as("policy").append({ events: [good.bytes] });
  });

  it("proves that a later checkpoint continues an earlier one", async () => {
    const first = await as("front-proxy").getCheckpoint({ oldSize: 0 });
    await as("seal").append({ events: bytesOf(events("seal", 21, 300)) });
    const second = await as("front-proxy").getCheckpoint({ oldSize: first.size ?? 0 });
    const [old, now] = [first, second].map((c) => readNote(Buffer.from(c.note ?? []).toString()));
    if (old === undefined || now === undefined) expect.unreachable();
    expect(
      verifyConsistency(
        ...([provider.sm3, old.size, old.root, now.size, now.root] as const),
        second.consistency ?? [],
      ),
    ).toBe(true);
    await expect(
      as("front-proxy").getCheckpoint({ oldSize: now.size + 1_000 }),
    ).rejects.toMatchObject({ code: "audit.checkpoint-unknown" });
    await expect(as("seal").getCheckpoint({})).rejects.toMatchObject({
      code: "rpc.peer-not-allowed",
    });
  });

  it("lists by filter and by keyset, and records that an operator looked", async () => {
    const exchangeId = newId();
    await as("ferry-tx").append({
      events: bytesOf([
        event("ferry-tx", 1, { exchangeId, outcome: "error", code: "gate.down", actor: "reg" }),
        event("ferry-tx", 2, { type: "bundle.emitted", lane: "inbound" }),
      ]),
    });
    const list = async (request: lightferry.audit.v1.ListEventsRequest.$Properties) =>
      ((await as("operator").listEvents(request)).events ?? []).map((row) => ({
        index: row.index ?? -1,
        event: decodeCanonical(lightferry.audit.v1.Event, row.event ?? new Uint8Array()),
      }));
    for (const filter of [
      { exchangeId },
      { outcome: "error" },
      { code: "gate.down" },
      { actor: "reg" },
      { type: "exchange.", outcome: "error" },
    ]) {
      expect((await list(filter)).map(({ event: e }) => e.emitterSequence)).toEqual([1]);
    }
    expect(await list({ lane: "inbound" })).toHaveLength(1);
    const now = Date.now();
    expect(await list({ lane: "inbound", fromMs: now - 60_000, toMs: now + 60_000 })).toHaveLength(
      1,
    );
    expect(await list({ fromMs: now + 60_000 })).toHaveLength(0);
    expect(await list({ toMs: now - 600_000 })).toHaveLength(0);
    const pages: number[] = [];
    for (let page = await list({ type: "exchange.received", limit: 100 }); page.length > 0; ) {
      pages.push(...page.map(({ index }) => index));
      page = await list({ type: "exchange.received", limit: 100, beforeIndex: pages.at(-1) ?? 0 });
    }
    expect(pages).toEqual([...pages].sort((a, b) => b - a));
    expect(new Set(pages).size).toBe(pages.length);
    expect(pages.length).toBe(322);
    const [look] = await list({ type: "audit.read", limit: 1 });
    expect(look?.event.attributes.map((a) => `${a.name}=${a.value}`)).toContain("method=list");
    await expect(list({ limit: 501 })).rejects.toMatchObject({ code: "audit.filter-invalid" });
  });

  it("joins both halves of an exchange", async () => {
    const exchangeId = newId();
    const bundleId = newId();
    const far = [1, 2].map(
      (n) => event("front-proxy", n, { zone: "extranet", node: "node-extranet", exchangeId }).bytes,
    );
    await as("front-proxy").append({
      events: bytesOf([
        event("front-proxy", 1, { type: "exchange.arrived", exchangeId, bundleId }),
        event("front-proxy", 2, { type: "bundle.arrived", bundleId }),
        event("front-proxy", 3, { type: "exchange.delivered", exchangeId, bundleId }),
      ]),
      peerTrails: [{ zone: "extranet", exchangeId, bundleId, events: far }],
    });
    const trail = await as("operator").getTrail({ exchangeId });
    expect(trail.own).toHaveLength(3);
    expect(trail.peer?.map((half) => half.events)).toEqual([far]);
    await expect(
      as("seal").append({ peerTrails: [{ zone: "extranet", exchangeId, bundleId, events: far }] }),
    ).rejects.toMatchObject({ code: "audit.emitter-mismatch" });
    await expect(
      as("operator").getTrail({ exchangeId: bundleId.subarray(1) }),
    ).rejects.toMatchObject({ code: "audit.filter-invalid" });
    expect((await as("operator").getTrail({ exchangeId: newId() })).own ?? []).toEqual([]);
  });

  it("does not witness without a registry that verifies", async () => {
    await expect(
      as("front-proxy").witness({ zone: "extranet", note: Buffer.from("x") }),
    ).rejects.toMatchObject({ code: "audit.witness-invalid" });
    await expect(as("operator").witness({ zone: "extranet" })).rejects.toMatchObject({
      code: "rpc.peer-not-allowed",
    });
  });

  it("says so while the database is away, and goes on when it is back", async () => {
    const list = bytesOf(events("ferry-rx", 1, 5));
    const elsewhere = new URL(log.ownerUrl);
    const database = elsewhere.pathname.slice(1);
    elsewhere.pathname = "/postgres";
    const admin = new pg.Client(elsewhere.href);
    await admin.connect();
    await admin.query(`alter database ${database} with allow_connections false`);
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = $1 and application_name like 'lightferry-audit-%'`,
      [database],
    );
    await expect(as("ferry-rx").append({ events: list })).rejects.toMatchObject({
      code: "audit.database-unavailable",
    });
    await admin.query(`alter database ${database} with allow_connections true`);
    await admin.end();
    const { treeSize = 0 } = await as("ferry-rx").append({ events: list });
    const again = await as("ferry-rx").append({ events: list });
    expect(again.treeSize).toBe(treeSize);
  });
});
