/**
 * Guarantee: an exchange of the sending side is shown as its row stands, to its
 * own caller or to an operator; what was only emitted is marked unconfirmed.
 */
import { errorRow, isErrorCode } from "@lightferry/proto/errors";
import { formatId } from "@lightferry/proto/ids";
import type pg from "pg";
import { query } from "../database.ts";
import {
  type ExchangeDocument,
  type ExchangeFilter,
  MAX_PAGE,
  type ReceiptView,
  type RefusalView,
  type TimelineStep,
} from "../document.ts";

/** What one light path allows to be said of an exchange that has left. */
const UNCONFIRMED = {
  zh: "对端未知：尚无回执，本网只能确认已发出",
  en: "unconfirmed: no receipt has come back; this side knows only that it was sent",
} as const;

interface ViewRow extends pg.QueryResultRow {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly caller: string;
  readonly lane: string;
  readonly service: string;
  readonly grade: string;
  readonly priority: string;
  readonly size: number;
  readonly submitted_ms: number;
  readonly updated_ms: number;
  readonly code: string;
  readonly rule_id: string;
  readonly reason: string;
  readonly bundle_id: string | null;
  readonly receipt_state: string | null;
  readonly receipt_code: string | null;
  readonly receipt_at_ms: number | null;
  readonly receipt_number: number | null;
  readonly timeline: readonly (readonly [number, string, string?, string?])[];
}

const COLUMNS = `id, kind, state, caller, lane, service, grade, priority, size, submitted_ms, updated_ms,
  code, rule_id, reason, bundle_id, receipt_state, receipt_code, receipt_at_ms, receipt_number,
  timeline`;

/** @param caller given: another's exchange is as unknown as none. */
export async function findExchange(
  on: pg.Pool | pg.PoolClient,
  exchangeId: Uint8Array,
  caller?: string,
): Promise<ExchangeDocument | undefined> {
  const result = await query<ViewRow>(
    on,
    "exchange-view",
    `SELECT ${COLUMNS} FROM exchange WHERE id = $1 AND ($2::text IS NULL OR caller = $2)`,
    [formatId(exchangeId), caller ?? null],
  );
  const row = result.rows[0];
  return row === undefined ? undefined : documentOf(row);
}

/** Newest first; at most {@link MAX_PAGE}. */
export async function listExchanges(
  on: pg.Pool | pg.PoolClient,
  filter: ExchangeFilter,
): Promise<readonly ExchangeDocument[]> {
  if (filter.direction === "received") return [];
  const result = await query<ViewRow>(
    on,
    "exchange-list",
    `SELECT ${COLUMNS} FROM exchange
      WHERE ($1::text IS NULL OR caller = $1) AND ($2::text IS NULL OR lane = $2)
        AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR state = $4)
        AND ($5::uuid IS NULL OR id < $5)
      ORDER BY id DESC LIMIT $6`,
    [
      filter.caller ?? null,
      filter.lane ?? null,
      filter.service ?? null,
      filter.state ?? null,
      filter.before === undefined ? null : formatId(filter.before),
      Math.min(filter.limit, MAX_PAGE),
    ],
  );
  return result.rows.map(documentOf);
}

function documentOf(row: ViewRow): ExchangeDocument {
  return {
    exchangeId: row.id,
    direction: "sent",
    kind: row.kind,
    priority: row.priority,
    state: row.state,
    ...(row.state === "emitted" && row.receipt_state === null
      ? { unconfirmed: true, stateNote: UNCONFIRMED }
      : {}),
    ...receiptOf(row),
    lane: row.lane,
    service: row.service,
    caller: row.caller,
    grade: row.grade,
    size: row.size,
    submittedMs: row.submitted_ms,
    updatedMs: row.updated_ms,
    ...(row.bundle_id === null ? {} : { bundleId: row.bundle_id }),
    ...(row.code === "" ? {} : { refusal: refusalView(row.code, row.rule_id, row.reason) }),
    timeline: row.timeline.map(stepOf),
  };
}

function receiptOf(row: ViewRow): { receipt?: ReceiptView } {
  const { receipt_state: state, receipt_code: code, receipt_at_ms: atMs } = row;
  if (state === null) return {};
  return {
    receipt: {
      state,
      ...(code === null || code === "" ? {} : { refusal: refusalView(code, "", "") }),
      atMs: atMs ?? 0,
      number: row.receipt_number ?? 0,
    },
  };
}

function stepOf(step: ViewRow["timeline"][number]): TimelineStep {
  const [atMs, state, code = "", detail = ""] = step;
  return {
    atMs,
    state,
    ...(code === "" ? {} : { code }),
    ...(detail === "" ? {} : { detail }),
  };
}

/** Policy words a reason as title, detail, what to do; the first and last stand here already. */
function reasonZh({ zh, doZh }: { readonly zh: string; readonly doZh: string }, reason: string) {
  if (reason === "") return zh;
  if (!reason.startsWith(zh)) return `${zh}：${reason}`;
  const ending = `。${doZh}。`;
  return reason.endsWith(ending) ? reason.slice(0, -ending.length) : reason;
}

/** A code with its words; a code of a later program version keeps its reason alone. */
export function refusalView(code: string, rule: string, reason: string): RefusalView {
  if (!isErrorCode(code)) {
    return {
      code,
      rule,
      reason: { zh: reason, en: code },
      actor: "system-admin",
      do: { zh: "", en: "" },
    };
  }
  const row = errorRow(code);
  return {
    code,
    rule,
    reason: { zh: reasonZh(row, reason), en: row.en },
    actor: row.actor,
    do: { zh: row.doZh, en: row.doEn },
  };
}
