/** Guarantee: how receipts stand is counted without reading more rows than a bound, however many there are. */
import { RECEIPT_STATES } from "@lightferry/proto/receipt";
import type pg from "pg";
import type { FrontProxyContext } from "../context.ts";
import { query } from "../database.ts";
import { NOT_CARRIED } from "./list-rows.ts";
import { receiptRoute } from "./route.ts";

/** Beyond this "more than" says enough, and counting would take the database's time. */
const COUNT_MAX = 100_000;

/** A lane that leads out of this zone: what is known of what was sent. */
export interface SentReceipts {
  readonly lane: string;
  /** Emitted, and nothing said of it yet; {@link COUNT_MAX} and one means "more". */
  readonly unreceipted: number;
  readonly moreUnreceipted: boolean;
  /** When the oldest of them was emitted. */
  readonly oldestUnreceiptedMs?: number;
  /** Exchanges by what was last said of them. */
  readonly states: Readonly<Record<string, number>>;
  readonly lastTakenMs?: number;
  /** Numbers below the highest taken that never came: export them again over there. */
  readonly missingLists: number;
}

/** A lane that leads into this zone: what is still to be said. */
export interface OwedReceipts {
  readonly lane: string;
  readonly due: number;
  readonly moreDue: boolean;
  readonly oldestDueMs?: number;
  readonly unsignedLists: number;
  /** Signed, and neither handed to a lane nor exported. */
  readonly listsToExport: number;
  /** The lane by which they return; absent: by file or QR code. */
  readonly returnsBy?: string;
}

export interface ReceiptStatus {
  readonly sent: readonly SentReceipts[];
  readonly owed: readonly OwedReceipts[];
}

export async function readReceiptStatus(context: FrontProxyContext): Promise<ReceiptStatus> {
  const { pool, config, registry } = context;
  const { lanes } = registry().document;
  const sent: SentReceipts[] = [];
  const owed: OwedReceipts[] = [];
  for (const { id, from, to } of lanes) {
    if (from === config.zone) sent.push(await sentOn(pool, id));
    if (to === config.zone) {
      const route = receiptRoute(registry(), config.node, config.zone, from, Date.now());
      owed.push({ ...(await owedOn(pool, id)), ...(route ? { returnsBy: route.lane } : {}) });
    }
  }
  return { sent, owed };
}

async function sentOn(pool: pg.Pool, lane: string): Promise<SentReceipts> {
  const counted = await query<{ n: number; oldest: number | null }>(
    pool,
    "receipt-status-sent",
    `SELECT count(*) AS n, min(updated_ms) AS oldest FROM
       (SELECT updated_ms FROM exchange
         WHERE lane = $1 AND state = 'emitted' AND receipt_state IS NULL AND kind <> 'receipt'
         ORDER BY updated_ms LIMIT $2) AS open`,
    [lane, COUNT_MAX + 1],
  );
  const tally = await query<{ state: string; exchanges: number }>(
    pool,
    "receipt-status-tally",
    "SELECT state, exchanges FROM receipt_tally WHERE lane = $1 AND exchanges > 0",
    [lane],
  );
  const lists = await query<{ last: number | null; missing: number }>(
    pool,
    "receipt-status-taken",
    `SELECT max(taken_ms) AS last, coalesce(max(number) - min(number) + 1 - count(*), 0) AS missing
       FROM receipt_taken WHERE lane = $1`,
    [lane],
  );
  const { n = 0, oldest = null } = counted.rows[0] ?? {};
  const { last = null, missing = 0 } = lists.rows[0] ?? {};
  const by = new Map(tally.rows.map(({ state, exchanges }) => [state, exchanges]));
  return {
    lane,
    unreceipted: Math.min(n, COUNT_MAX),
    moreUnreceipted: n > COUNT_MAX,
    ...(oldest === null ? {} : { oldestUnreceiptedMs: oldest }),
    states: Object.fromEntries(RECEIPT_STATES.map((state) => [state, by.get(state) ?? 0])),
    ...(last === null ? {} : { lastTakenMs: last }),
    missingLists: missing,
  };
}

async function owedOn(pool: pg.Pool, lane: string): Promise<OwedReceipts> {
  const { rows } = await query<{
    due: number;
    oldest: number | null;
    unsigned: number;
    waiting: number;
  }>(
    pool,
    "receipt-status-owed",
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM receipt_due WHERE lane = $1
              UNION ALL SELECT 1 FROM receipt_due_bundle WHERE lane = $1 LIMIT $2) AS d) AS due,
            least((SELECT at_ms FROM receipt_due WHERE lane = $1 ORDER BY at_ms LIMIT 1),
                  (SELECT at_ms FROM receipt_due_bundle WHERE lane = $1 ORDER BY at_ms LIMIT 1)) AS oldest,
            (SELECT count(*) FROM receipt_list WHERE lane = $1 AND signed IS NULL) AS unsigned,
            (SELECT count(*) FROM receipt_list l WHERE lane = $1 AND signed IS NOT NULL
               AND exported_ms IS NULL AND ${NOT_CARRIED}) AS waiting`,
    [lane, COUNT_MAX + 1],
  );
  const { due = 0, oldest = null, unsigned = 0, waiting = 0 } = rows[0] ?? {};
  return {
    lane,
    due: Math.min(due, COUNT_MAX),
    moreDue: due > COUNT_MAX,
    ...(oldest === null ? {} : { oldestDueMs: oldest }),
    unsignedLists: unsigned,
    listsToExport: waiting,
  };
}
