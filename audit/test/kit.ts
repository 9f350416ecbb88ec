/** Guarantee: tests build logs through the same parts as the service, on a real PostgreSQL. */
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { leafHash } from "@lightferry/proto/merkle";
import type { ActiveKey } from "@lightferry/proto/service";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { testDatabase } from "@lightferry/proto/testing";
import pg from "pg";
import { checkpointSigner } from "../src/checkpoint/sign.ts";
import { Sequencer } from "../src/sequencer/sequencer.ts";
import type { LogStore, PreparedEvent, PreparedTrail } from "../src/store/batch.ts";
import { PostgresLog } from "../src/store/postgres-log.ts";

export const ZONE = "business";
export const NODE = "node-business";
export const provider = loadProvider();
export const auditKey: Sm2PrivateKey = provider.generateSm2();

/** A signer that knows one key for all times. */
export function always(key: Sm2PrivateKey): (loggedMs: number) => ActiveKey {
  const keyId = formatKeyId(key.publicKey);
  return () => ({ key, keyId });
}

export type EventFields = lightferry.audit.v1.Event.$Properties;

/** An event as an emitter's journal would send it. */
export function event(emitter: string, sequence: number, fields: EventFields = {}): PreparedEvent {
  const bytes = encodeCanonical(lightferry.audit.v1.Event, {
    eventId: newId(),
    timeMs: Date.now(),
    zone: ZONE,
    node: NODE,
    emitter,
    emitterSequence: sequence,
    type: "exchange.received",
    outcome: "ok",
    ...fields,
  });
  const decoded = lightferry.audit.v1.Event.decode(bytes);
  return { bytes, event: decoded, leaf: leafHash(provider.sm3, bytes) };
}

export function events(emitter: string, first: number, count: number): PreparedEvent[] {
  return Array.from({ length: count }, (_, i) => event(emitter, first + i));
}

export function trail(exchangeId: Uint8Array, fields: EventFields = {}): PreparedTrail {
  const bundleId = newId();
  const far = event("front-proxy", 1, {
    ...{ zone: "extranet", node: "node-extranet", exchangeId, type: "exchange.sealed" },
    ...fields,
  });
  const trailFields = { zone: "extranet", exchangeId, bundleId, events: [far.bytes] };
  const bytes = encodeCanonical(lightferry.audit.v1.PeerTrail, trailFields);
  return { zone: "extranet", exchangeId, bundleId, bytes, digest: provider.sm3(bytes) };
}

export interface TestLog {
  /** Superuser; tests tamper through it. */
  readonly ownerUrl: string;
  readonly writerUrl: string;
  readonly readerUrl: string;
  readonly faults: string[];
  sequencer: Sequencer;
  /** A second life of the service on the same database. */
  restart(wrap?: (store: LogStore) => LogStore): Promise<Sequencer>;
  /** A new log, in the same database: a schema is made in half the time of a database. */
  renew(): Promise<void>;
  /** A second service on the same database at the same time. */
  another(): Sequencer;
  append(...list: PreparedEvent[]): Promise<number>;
  sql<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>;
  /** What a superuser who means harm does first: switches the triggers off. */
  unguard(): Promise<void>;
  drop(): Promise<void>;
}

export async function testLog(
  options: { now?: () => number; durable?: boolean; keyAt?: (loggedMs: number) => ActiveKey } = {},
): Promise<TestLog> {
  const database = await testDatabase({ durable: options.durable ?? false });
  const admin = new pg.Client({ connectionString: database.url });
  admin.on("error", () => {});
  await admin.connect();
  const faults: string[] = [];
  const start = (wrap: (store: LogStore) => LogStore = (store) => store): Sequencer =>
    new Sequencer({
      store: wrap(
        new PostgresLog({
          databaseUrl: as(database.url, "audit_writer"),
          ownerUrl: database.url,
          node: NODE,
          sm3: provider.sm3,
        }),
      ),
      sm3: provider.sm3,
      sign: checkpointSigner(provider, options.keyAt ?? always(auditKey), NODE),
      zone: ZONE,
      node: NODE,
      now: options.now ?? Date.now,
      onFault: (error) => faults.push(error.code),
    });
  const log: TestLog = {
    ownerUrl: database.url,
    writerUrl: as(database.url, "audit_writer"),
    readerUrl: as(database.url, "audit_reader"),
    faults,
    sequencer: start(),
    async restart(wrap) {
      await log.sequencer.close();
      log.sequencer = start(wrap);
      return log.sequencer;
    },
    async renew() {
      await log.sequencer.close();
      await admin.query("drop schema if exists audit cascade");
      faults.length = 0;
      log.sequencer = start();
    },
    another: () => start(),
    async append(...list) {
      return (await log.sequencer.append({ events: list, trails: [], own: [] })).treeSize;
    },
    async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      return (await admin.query<Row>(text, values)).rows;
    },
    async unguard() {
      await admin.query(
        `do $$ declare t regclass; begin
           for t in select c.oid::regclass from pg_class c
             where c.relnamespace = 'audit'::regnamespace and c.relkind in ('r', 'p')
           loop execute format('alter table %s disable trigger user', t); end loop; end $$`,
      );
    },
    async drop() {
      await log.sequencer.close();
      await admin.end();
      await database.drop();
    },
  };
  return log;
}

/** The same database with the rights of a group role. */
export function as(url: string, role: string): string {
  const copy = new URL(url);
  copy.searchParams.set("options", `-c role=${role}`);
  return copy.href;
}
