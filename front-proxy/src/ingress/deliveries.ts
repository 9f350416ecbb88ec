/** Guarantee: a received exchange is shown as its row stands, to its own caller or to an operator. */
import { formatId } from "@lightferry/proto/ids";
import type { Pool } from "pg";
import { query } from "../database.ts";
import {
  type ExchangeDocument,
  type ExchangeFilter,
  MAX_PAGE,
  type TimelineStep,
} from "../document.ts";
import { refusalView } from "../egress/exchange-view.ts";

interface ViewRow {
  readonly exchange_id: Buffer;
  readonly bundle_id: Buffer;
  readonly kind: string;
  readonly state: string;
  readonly lane: string;
  readonly service: string;
  readonly caller: string;
  readonly grade: string;
  readonly size: number;
  readonly submitted_ms: number;
  readonly updated_ms: number;
  readonly attempts: number;
  readonly code: string | null;
  readonly rule: string | null;
  readonly reason: string | null;
  readonly timeline: readonly TimelineStep[];
}

const COLUMNS = `exchange_id, bundle_id, kind, state, lane, service, caller, grade, size,
  submitted_ms, updated_ms, attempts, code, rule, reason, timeline`;

/** @param caller given: another's exchange is as unknown as none. */
export async function findDelivery(
  pool: Pool,
  exchangeId: Uint8Array,
  caller?: string,
): Promise<ExchangeDocument | undefined> {
  const { rows } = await query<ViewRow>(
    pool,
    "ingress.view",
    `SELECT ${COLUMNS} FROM delivery
     WHERE exchange_id = $1 AND ($2::text IS NULL OR caller = $2)`,
    [exchangeId, caller ?? null],
  );
  const row = rows[0];
  return row === undefined ? undefined : documentOf(row);
}

/** Newest first; at most {@link MAX_PAGE}. */
export async function listDeliveries(
  pool: Pool,
  filter: ExchangeFilter,
): Promise<readonly ExchangeDocument[]> {
  if (filter.direction === "sent") return [];
  const { rows } = await query<ViewRow>(
    pool,
    "ingress.list",
    `SELECT ${COLUMNS} FROM delivery
     WHERE ($1::text IS NULL OR caller = $1) AND ($2::text IS NULL OR lane = $2)
       AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR state = $4)
       AND ($5::bytea IS NULL OR exchange_id < $5)
     ORDER BY exchange_id DESC LIMIT $6`,
    [
      filter.caller ?? null,
      filter.lane ?? null,
      filter.service ?? null,
      filter.state ?? null,
      filter.before ?? null,
      Math.min(filter.limit, MAX_PAGE),
    ],
  );
  return rows.map(documentOf);
}

function documentOf(row: ViewRow): ExchangeDocument {
  return {
    exchangeId: formatId(row.exchange_id),
    direction: "received",
    kind: row.kind,
    state: row.state,
    lane: row.lane,
    service: row.service,
    caller: row.caller,
    grade: row.grade,
    size: row.size,
    submittedMs: row.submitted_ms,
    updatedMs: row.updated_ms,
    bundleId: formatId(row.bundle_id),
    attempts: row.attempts,
    ...(row.code === null
      ? {}
      : { refusal: refusalView(row.code, row.rule ?? "", row.reason ?? "") }),
    timeline: row.timeline,
  };
}
