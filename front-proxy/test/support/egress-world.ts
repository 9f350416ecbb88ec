/**
 * Guarantee: a sending zone for tests with real parts: PostgreSQL, gRPC with
 * mutual TLS, journal, keystore, the API over TLS and the seal program's loops.
 * Policy and audit are egress-peers.ts.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventJournal } from "@lightferry/proto/event";
import { KeyRing, PayloadVault } from "@lightferry/proto/keystore";
import { PRIORITIES, type Registry } from "@lightferry/proto/registry";
import {
  AuditService,
  type Client,
  createClient,
  issueClientCertificate,
  OutboxService,
  PolicyService,
  SealQueueService,
  startRpcServer,
} from "@lightferry/proto/rpc";
import { createLogger, renewWithTrust } from "@lightferry/proto/service";
import { type TestZone, testZone } from "@lightferry/proto/testing";
import type pg from "pg";
import { TokenDesk } from "../../src/auth/desk.ts";
import type { FrontProxyConfig } from "../../src/config.ts";
import type { FrontProxyContext, IngressDesk } from "../../src/context.ts";
import { openPool } from "../../src/database.ts";
import { type Egress, startEgress } from "../../src/egress/index.ts";
import { startApi } from "../../src/http/server.ts";
import { Announcements } from "../../src/seal/announcements.ts";
import { type Worker as SealWorker, sealForever } from "../../src/seal/worker.ts";
import { ApiClient } from "./api-client.ts";
import { provider, type SenderKeys, senderKeys, senderRegistry } from "./egress-keys.ts";
import { type Peers, startPeers } from "./egress-peers.ts";
import { CONNECT_MS, migratedDatabase } from "./migrated.ts";
import type { SignedRegistry } from "./signed-registry.ts";

/** Tells a hang from a busy machine, and is over before the test is. */
const WAIT_MS = 30_000;

export interface Running {
  readonly context: FrontProxyContext;
  readonly egress: Egress;
  readonly queue: Client<typeof SealQueueService>;
  readonly outbox: Client<typeof OutboxService>;
  readonly apiPort: number;
  /** Of the gRPC side. */
  readonly address: string;
  /** Ends in order. */
  stop(): Promise<void>;
}

export interface EgressWorld {
  readonly dir: string;
  readonly databaseUrl: string;
  readonly zone: TestZone;
  readonly keys: SenderKeys;
  readonly registry: Registry;
  readonly signed: SignedRegistry;
  readonly peers: Peers;
  readonly api: ApiClient;
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly strangerCertificate: { readonly cert: string; readonly key: string };
  running: Running;
  /** The clock of the seal program, in milliseconds; a test may set it elsewhere. */
  sealClock: () => number;
  readonly pool: pg.Pool;
  token(caller?: string, days?: number): Promise<string>;
  start(change?: Partial<FrontProxyConfig>): Promise<void>;
  restart(change?: Partial<FrontProxyConfig>): Promise<void>;
  /** Starts the seal program's loops; they end with the world. */
  sealer(): Promise<SealWorker>;
  /** Waits until the exchange is in one of these states. */
  until(exchangeId: string, ...states: string[]): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const NO_INGRESS: IngressDesk = {
  bindings: [],
  findDelivery: async () => undefined,
  listDeliveries: async () => [],
  listQuarantine: async () => [],
  discard: async () => undefined,
  retry: async () => "",
  giveBack: async () => "",
};

export async function createEgressWorld(): Promise<EgressWorld> {
  const dir = await mkdtemp(join(tmpdir(), "lf-egress-"));
  const [zone, database] = await Promise.all([testZone("extranet"), migratedDatabase()]);
  const certificate = await issueClientCertificate(zone.dir, "city");
  const strangerCertificate = await issueClientCertificate(zone.dir, "nobody");
  const keys = await senderKeys(dir);
  const signed = senderRegistry({ city: certificate.fingerprint });
  const { registry } = signed;
  const peers = await startPeers(zone, keys, signed);
  await mkdir(join(dir, "outbox"));
  const pool = openPool(database.url, () => undefined, CONNECT_MS);
  const closers: (() => unknown)[] = [];
  let started: Running | undefined;

  const world: EgressWorld = {
    dir,
    databaseUrl: database.url,
    zone,
    keys,
    registry,
    signed,
    peers,
    api: new ApiClient(zone.tls["front-proxy"].ca, () => world.running.apiPort),
    certificate,
    strangerCertificate,
    get running() {
      if (started === undefined) throw new Error("not started");
      return started;
    },
    set running(value) {
      started = value;
    },
    sealClock: Date.now,
    pool,
    async token(caller = "city", days = 30) {
      const terms = { caller, days, note: "test" };
      return (await world.running.context.tokens.issue(terms, "tester")).token;
    },
    async start(change = {}) {
      started = await run(world, change);
    },
    async restart(change = {}) {
      await started?.stop();
      await world.start(change);
    },
    async sealer() {
      const worker = await sealWorker(world);
      const { shell } = worker.tools;
      const loops = PRIORITIES.map((priority) => sealForever(worker, priority));
      closers.push(async () => {
        worker.stop();
        await Promise.allSettled(loops);
        await shell.journal.close();
      });
      return worker;
    },
    async until(exchangeId, ...states) {
      const deadline = Date.now() + WAIT_MS;
      for (;;) {
        const { rows } = await pool.query("SELECT * FROM exchange WHERE id = $1", [exchangeId]);
        if (rows[0] !== undefined && states.includes(rows[0].state)) return rows[0];
        if (Date.now() > deadline) throw new Error(`still ${rows[0]?.state} ${rows[0]?.code}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async close() {
      for (const close of closers.reverse()) await close();
      await started?.stop();
      world.api.close();
      await peers.close();
      await pool.end();
      await database.drop();
      await zone.cleanup();
      await keys.trust.pki.cleanup();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}

function testLog() {
  const log = createLogger({ name: "test" });
  log.level = process.env.LIGHTFERRY_LOG_LEVEL ?? "silent";
  return log;
}

async function run(world: EgressWorld, change: Partial<FrontProxyConfig>): Promise<Running> {
  const { dir, zone, peers, keys } = world;
  const tls = zone.tls["front-proxy"];
  const config = {
    zone: "extranet",
    node: "node-extranet",
    service: "front-proxy",
    mode: "demo",
    tls,
    api: { host: "127.0.0.1", port: 0, tls },
    databaseUrl: world.databaseUrl,
    stateDir: join(dir, "state"),
    spoolDir: join(dir, "spool"),
    outboxDir: join(dir, "outbox"),
    watch: null,
    limits: {
      spoolHighWaterBytes: 1e9,
      uploadShareBytes: 5e8,
      spoolReserveBytes: 0,
      outboxRetentionSeconds: undefined,
    },
    ...change,
  } as FrontProxyConfig;
  const closers: (() => unknown)[] = [];
  const closing = new AbortController();
  const connect = { tls, zone: "extranet" };
  const policy = createClient(PolicyService, {
    ...connect,
    address: peers.policyAddress,
    peer: "policy",
  });
  const audit = createClient(AuditService, {
    ...connect,
    address: peers.auditAddress,
    peer: "audit",
  });
  const log = testLog();
  const journal = await EventJournal.open({
    dir: join(dir, "journal"),
    zone: "extranet",
    node: "node-extranet",
    emitter: "front-proxy",
    log,
    sink: audit,
    maxBytes: config.journalMaxBytes,
  });
  const pool = openPool(config.databaseUrl, () => undefined, CONNECT_MS);
  const shell = {
    config,
    log,
    journal,
    provider,
    closing: closing.signal,
    onClose: (close: () => unknown) => closers.push(close),
    ready: () => undefined,
    fail: (error: unknown) => {
      throw error;
    },
  };
  const registry = () => world.registry;
  const vault = PayloadVault.open(keys.vaultPath);
  const tokens = new TokenDesk({ shell, config, pool, registry });
  const { trust } = keys;
  const trustService = { importTrust: trust.importTrust.bind(trust) };
  const known = { registry, trust, trustService };
  const context = { shell, config, pool, ...known, vault, policy, audit, tokens };
  const egress = await startEgress(context);
  const rpc = await startRpcServer({
    ...connect,
    listen: { host: "127.0.0.1", port: 0 },
    services: egress.desk.bindings,
    log,
  });
  const api = await startApi(context, { ...egress, egress: egress.desk, ingress: NO_INGRESS });
  const address = `127.0.0.1:${rpc.port}`;
  const queue = createClient(SealQueueService, {
    tls: zone.tls.seal,
    zone: "extranet",
    address,
    peer: "front-proxy",
  });
  const outbox = createClient(OutboxService, {
    tls: zone.tls["ferry-tx"],
    zone: "extranet",
    address,
    peer: "front-proxy",
  });
  return {
    context,
    egress,
    queue,
    outbox,
    apiPort: api.port,
    address,
    stop: async () => {
      closing.abort();
      queue.close();
      outbox.close();
      await api.close();
      await rpc.close();
      for (const close of closers.reverse()) await close();
      await tokens.check.close();
      await journal.close();
      policy.close();
      audit.close();
      await pool.end();
    },
  };
}

async function sealWorker(world: EgressWorld): Promise<SealWorker & { stop(): void }> {
  const { dir, zone, keys, peers } = world;
  const closing = new AbortController();
  const log = testLog();
  const audit = createClient(AuditService, {
    tls: zone.tls.seal,
    zone: "extranet",
    address: peers.auditAddress,
    peer: "audit",
  });
  const journal = await EventJournal.open({
    dir: join(dir, "seal-journal"),
    zone: "extranet",
    node: "node-extranet",
    emitter: "seal",
    log,
    sink: audit,
  });
  const shell = {
    config: {
      node: "node-extranet",
      zone: "extranet",
      outboxDir: join(dir, "outbox"),
      spoolDir: join(dir, "spool"),
    },
    log,
    journal,
    provider,
    closing: closing.signal,
  } as unknown as SealWorker["tools"]["shell"];
  const ring = KeyRing.open({
    dir: keys.signKeysDir,
    unlock: { file: keys.signUnlockPath },
    use: "node-sign",
    mode: "demo",
  });
  renewWithTrust(shell, keys.trust, ring);
  return {
    tools: {
      shell,
      vault: PayloadVault.open(keys.vaultPath),
      registry: () => world.registry,
      trust: () => keys.trust.current(),
      ring,
      announcements: new Announcements("extranet"),
      now: () => world.sealClock(),
    },
    queue: world.running.queue,
    name: "seal@test/1",
    stop: () => {
      closing.abort();
      ring.close();
      audit.close();
    },
  };
}
