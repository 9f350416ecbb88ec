/** Guarantee: what became of accepted exchanges, asked of both zones, the target's own table and both logs. */
import pg from "pg";
import { ZONES, type ZoneName, zonePaths, zonePorts } from "../src/layout.ts";
import { databaseUrl, zonePasswords } from "../src/setup/databases.ts";
import { cli } from "./cli.ts";
import type { RunningZones } from "./zones.ts";

/** Exchanges asked after at a time. */
const FOLLOWERS = 8;

export interface Outcome {
  /** Exchanges that did not end as delivered, with their state. */
  readonly lost: readonly string[];
  readonly inDoubt: number;
}

/** Follows each to its end, or to the deadline. */
export async function undelivered(
  zones: RunningZones,
  exchangeIds: readonly string[],
  deadline: number,
): Promise<Outcome> {
  const lost: string[] = [];
  let inDoubt = 0;
  const left = [...exchangeIds].reverse();
  const follow = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const { received } = await zones.operators.follow("extranet", id, deadline);
      const state = received?.state ?? "missing";
      if (state === "in-doubt") inDoubt += 1;
      else if (state !== "delivered") lost.push(`${id} ${state}`);
    }
  };
  await Promise.all(Array.from({ length: FOLLOWERS }, follow));
  return { lost, inDoubt };
}

export interface TargetTable {
  readonly exchanges: ReadonlySet<string>;
  /** Exchanges that stand in it more than once. */
  readonly doubled: number;
}

/** What the demonstration's business system received. */
export async function targetTable(
  zones: RunningZones,
  table: "record" | "notice",
): Promise<TargetTable> {
  const { receiver } = zonePasswords(zonePaths(zones.home, "business"));
  const { postgres } = zonePorts("business", zones.options.portBase);
  const client = new pg.Client(databaseUrl(postgres, "receiver", receiver, "receiver"));
  await client.connect();
  try {
    const { rows } = await client.query<{ exchange: string; n: number }>(
      `SELECT exchange, count(*)::int AS n FROM ${table} GROUP BY exchange`,
    );
    return {
      exchanges: new Set(rows.map((row) => row.exchange)),
      doubled: rows.filter(({ n }) => n > 1).length,
    };
  } finally {
    await client.end();
  }
}

/** Exit codes of `audit verify` on either side; 0 is clean. */
export async function verifyLogs(zones: RunningZones): Promise<Record<ZoneName, number>> {
  const codes = await Promise.all(
    ZONES.map(async (zone) => {
      const { code } = await cli(zones.home, ["audit", "verify", "--zone", zone]);
      return [zone, code] as const;
    }),
  );
  return Object.fromEntries(codes) as Record<ZoneName, number>;
}
