/**
 * Guarantee: what a grant has used today is counted in the database before a
 * permit is given, one upsert for a whole batch. Without the database nothing
 * is permitted. What was counted for an exchange that was then refused, or
 * whose answer was lost, may stay counted: the error is on the strict side.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { GrantEntry } from "@lightferry/proto/registry";
import pg from "pg";
import { migrate } from "./migrate.ts";

/** A database that does not answer in so long is down for a caller that waits for a 202. */
const CONNECT_LIMIT_MS = 3_000;
const STATEMENT_LIMIT_MS = 5_000;
/** One batch is charged at a time; the second connection is for migration while an old one dies. */
const CONNECTIONS = 2;
/** The calendar day of the grants: UTC+8, China Standard Time (no summer time). */
const DAY_OFFSET_MS = 8 * 3_600_000;

export interface Charge {
  readonly grant: GrantEntry;
  readonly bytes: number;
}

export type QuotaAnswer = "within" | "exchanges" | "bytes";

interface Use {
  readonly grant: GrantEntry;
  exchanges: number;
  bytes: number;
}

const UPSERT = `
  insert into policy.quota_use as used (day, grant_id, exchanges, bytes)
  select $1, * from unnest($2::text[], $3::bigint[], $4::bigint[])
  on conflict (day, grant_id) do update
    set exchanges = used.exchanges + excluded.exchanges, bytes = used.bytes + excluded.bytes
  returning grant_id, exchanges, bytes`;
const GIVE_BACK = `
  update policy.quota_use as used
  set exchanges = used.exchanges - back.exchanges, bytes = used.bytes - back.bytes
  from unnest($2::text[], $3::bigint[], $4::bigint[]) as back (grant_id, exchanges, bytes)
  where used.day = $1 and used.grant_id = back.grant_id`;

export class QuotaBook {
  readonly #pool: pg.Pool;
  #migrated: Promise<void> | undefined;
  /** Charges run one after the other: what one gives back, the next may use. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(databaseUrl: string) {
    this.#pool = new pg.Pool({
      connectionString: databaseUrl,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      statement_timeout: STATEMENT_LIMIT_MS,
      query_timeout: STATEMENT_LIMIT_MS,
      application_name: "lightferry-policy",
    });
    // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
    this.#pool.on("error", () => undefined);
  }

  /** Applies migrations; again at the next use when it failed. @throws GatewayError `policy.database-unavailable` */
  async prepare(): Promise<void> {
    this.#migrated ??= migrate(this.#pool);
    try {
      await this.#migrated;
    } catch (cause) {
      this.#migrated = undefined;
      throw new GatewayError("policy.database-unavailable", { cause });
    }
  }

  /**
   * Counts the charges in order; those that do not fit are not counted.
   * @throws GatewayError `policy.database-unavailable`: nothing may be permitted.
   */
  charge(charges: readonly Charge[], nowMs: number): Promise<QuotaAnswer[]> {
    if (charges.length === 0) return Promise.resolve([]);
    const run = this.#last.then(() => this.#charge(charges, nowMs));
    this.#last = run.catch(() => undefined);
    return run;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #charge(charges: readonly Charge[], nowMs: number): Promise<QuotaAnswer[]> {
    await this.prepare();
    const day = new Date(nowMs + DAY_OFFSET_MS).toISOString().slice(0, 10);
    try {
      const asked = sumByGrant(charges);
      const { rows } = await this.#pool.query<{
        grant_id: string;
        exchanges: string;
        bytes: string;
      }>(UPSERT, [day, ...columns(asked)]);
      const before = new Map<string, { exchanges: number; bytes: number }>();
      for (const row of rows) {
        const use = asked.get(row.grant_id);
        before.set(row.grant_id, {
          exchanges: Number(row.exchanges) - (use?.exchanges ?? 0),
          bytes: Number(row.bytes) - (use?.bytes ?? 0),
        });
      }
      const answers = charges.map((charge) => answer(charge, before.get(charge.grant.id)));
      const back = sumByGrant(charges.filter((_, i) => answers[i] !== "within"));
      if (back.size > 0) await this.#pool.query(GIVE_BACK, [day, ...columns(back)]);
      return answers;
    } catch (cause) {
      throw new GatewayError("policy.database-unavailable", { cause });
    }
  }
}

function answer(
  { grant, bytes }: Charge,
  used: { exchanges: number; bytes: number } | undefined,
): QuotaAnswer {
  if (used === undefined || used.exchanges + 1 > grant.perDay) return "exchanges";
  if (used.bytes + bytes > grant.bytesPerDay) return "bytes";
  used.exchanges += 1;
  used.bytes += bytes;
  return "within";
}

/** Ascending by grant, so that two writers lock rows in one order. */
function sumByGrant(charges: readonly Charge[]): Map<string, Use> {
  const sums = new Map<string, Use>();
  for (const { grant, bytes } of charges) {
    const sum = sums.get(grant.id) ?? { grant, exchanges: 0, bytes: 0 };
    sum.exchanges += 1;
    sum.bytes += bytes;
    sums.set(grant.id, sum);
  }
  return new Map([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function columns(sums: ReadonlyMap<string, Use>): [string[], number[], number[]] {
  const uses = [...sums.values()];
  return [[...sums.keys()], uses.map((use) => use.exchanges), uses.map((use) => use.bytes)];
}
