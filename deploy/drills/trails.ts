/**
 * Guarantee: says which exchanges lack a step of either half of their trail on
 * the receiving zone, read from that zone's log itself.
 */
import { setTimeout as delay } from "node:timers/promises";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import pg from "pg";
import { type ZoneName, zonePaths, zonePorts } from "../src/layout.ts";
import { databaseUrl, zonePasswords } from "../src/setup/databases.ts";
import type { RunningZones } from "./zones.ts";

/** Much longer than the longest pause of a journal between two tries to reach its audit service. */
const LIMIT_MS = 180_000;
const POLL_MS = 250;

const OWN_STEPS = ["exchange.arrived", "exchange.import-permitted", "exchange.delivered"];
const PEER_STEPS = ["exchange.received", "exchange.permitted", "exchange.sealed"];

const { Event, PeerTrail } = lightferry.audit.v1;

async function stepsOf(log: pg.Client, ids: readonly Buffer[]): Promise<Map<string, Set<string>>> {
  const steps = new Map<string, Set<string>>(ids.map((id) => [id.toString("hex"), new Set()]));
  const own = await log.query<{ id: string; type: string }>(
    "SELECT encode(exchange_id, 'hex') AS id, type FROM audit.event WHERE exchange_id = ANY($1)",
    [ids],
  );
  for (const { id, type } of own.rows) steps.get(id)?.add(`own ${type}`);
  const peer = await log.query<{ id: string; canonical: Buffer }>(
    "SELECT encode(exchange_id, 'hex') AS id, canonical FROM audit.peer_trail WHERE exchange_id = ANY($1)",
    [ids],
  );
  for (const { id, canonical } of peer.rows) {
    for (const event of decodeCanonical(PeerTrail, canonical).events) {
      steps.get(id)?.add(`peer ${decodeCanonical(Event, event).type}`);
    }
  }
  return steps;
}

const bytesOf = (id: string): Buffer => Buffer.from(id.replaceAll("-", ""), "hex");

/** A zone's log as its auditors may read it; end it. */
export async function openLog(zones: RunningZones, zone: ZoneName): Promise<pg.Client> {
  const password = zonePasswords(zonePaths(zones.home, zone)).audit_reader;
  const { postgres } = zonePorts(zone, zones.options.portBase);
  const log = new pg.Client(databaseUrl(postgres, "audit_reader", password, "audit"));
  await log.connect();
  return log;
}

/**
 * Waits until every bundle that the extranet sealed with one of these exchanges stands in the
 * business zone's log as refused with `code`.
 */
export async function untilBundlesRefused(
  zones: RunningZones,
  exchangeIds: readonly string[],
  code: string,
  deadline: number,
): Promise<void> {
  const ids = exchangeIds.map(bytesOf);
  const [sent, received] = [await openLog(zones, "extranet"), await openLog(zones, "business")];
  try {
    for (;;) {
      const sealed = await sent.query<{ exchange: string; bundle: string }>(
        `SELECT encode(exchange_id, 'hex') AS exchange, encode(bundle_id, 'hex') AS bundle
           FROM audit.event WHERE type = 'exchange.sealed' AND exchange_id = ANY($1)`,
        [ids],
      );
      const refused = await received.query<{ bundle: string }>(
        `SELECT encode(bundle_id, 'hex') AS bundle
           FROM audit.event WHERE type = 'bundle.refused' AND code = $1`,
        [code],
      );
      const known = new Set(refused.rows.map(({ bundle }) => bundle));
      const done = new Set(
        sealed.rows.filter(({ bundle }) => known.has(bundle)).map(({ exchange }) => exchange),
      );
      if (done.size === new Set(exchangeIds).size) return;
      if (Date.now() > deadline) {
        throw new RangeError(`${done.size} of ${exchangeIds.length} were refused with ${code}`);
      }
      await delay(POLL_MS);
    }
  } finally {
    await sent.end();
    await received.end();
  }
}

/** `<exchange id>: <missing step>, …` for each trail that is not full; waits for late journals. */
export async function incompleteTrails(
  zones: RunningZones,
  exchangeIds: readonly string[],
): Promise<string[]> {
  const ids = exchangeIds.map(bytesOf);
  const log = await openLog(zones, "business");
  const wanted = [
    ...OWN_STEPS.map((step) => `own ${step}`),
    ...PEER_STEPS.map((step) => `peer ${step}`),
  ];
  try {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const steps = await stepsOf(log, ids);
      const faults = [...steps].flatMap(([id, seen]) => {
        const missing = wanted.filter((step) => !seen.has(step));
        return missing.length === 0 ? [] : [`${id}: ${missing.join(", ")}`];
      });
      if (faults.length === 0 || Date.now() > deadline) return faults;
      await delay(POLL_MS);
    }
  } finally {
    await log.end();
  }
}
