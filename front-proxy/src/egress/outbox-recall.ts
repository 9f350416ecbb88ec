/**
 * Guarantee: a repair ticket brings every bundle that it names and that can
 * still be sent back into the queue, each once per ticket, and every other
 * number is accounted for: under way, or gone.
 *
 *   finished ─Recall▶ waiting (repair) ─Lease▶ leased ─Ack finished▶ finished
 *
 * Retention is counted anew from that second finish: the repeated pass may be
 * lost like the first, and the far side has the whole repair horizon to say so.
 * A bundle's own expiry still ends it, however often it is recalled.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type pg from "pg";
import { query } from "../database.ts";

type Request = InstanceType<typeof lightferry.ferry.v1.RecallRequest>;

/** A lane has two streams per node. */
const MAX_STREAMS = 64;
/** A ticket is at most 64 KiB, and a range takes six bytes there at the least. */
const MAX_RANGES = 16_384;
/** Half a minute of work for disk and database at the worst; who lost more asks in several pieces. */
const MAX_NUMBERS = 100_000;
/** Hex or UUID, as the sender names its tickets. */
const TICKET = /^[0-9A-Za-z-]{1,64}$/;
/** Files looked at together: they lie in one directory, whose entries are cached after the first. */
const STATS_AT_ONCE = 64;

export interface Range {
  readonly first: number;
  readonly last: number;
}

export interface Wanted {
  readonly lane: string;
  readonly ticket: string;
  /** By stream; ascending and apart. */
  readonly streams: ReadonlyMap<string, readonly Range[]>;
}

export interface Recalled {
  readonly recalled: number;
  /** Bytes of those. */
  readonly bytes: number;
  readonly underWay: number;
  readonly gone: ReadonlyMap<string, readonly Range[]>;
}

/** @throws GatewayError `outbox.recall-invalid`, `outbox.recall-too-large`. */
export function readRecall({ lane, ticket, streams }: Request): Wanted {
  if (!TICKET.test(ticket)) throw invalid("ticket");
  if (streams.length > MAX_STREAMS) throw tooLarge(`${streams.length} streams`);
  const wanted = new Map<string, readonly Range[]>();
  let numbers = 0;
  let count = 0;
  for (const { stream, ranges } of streams) {
    if (!stream || wanted.has(stream)) throw invalid("stream");
    const read: Range[] = [];
    let previous = 0;
    for (const range of ranges ?? []) {
      const first = range.first ?? 0;
      const last = range.last ?? 0;
      if (first <= previous || last < first || !Number.isSafeInteger(last)) throw invalid("ranges");
      previous = last;
      numbers += last - first + 1;
      count += 1;
      if (count > MAX_RANGES) throw tooLarge(`more than ${MAX_RANGES} ranges`);
      if (numbers > MAX_NUMBERS) throw tooLarge(`more than ${MAX_NUMBERS} numbers`);
      read.push({ first, last });
    }
    wanted.set(stream, read);
  }
  return { lane, ticket, streams: wanted };
}

interface NamedRow extends pg.QueryResultRow {
  readonly bundle_id: string;
  readonly stream: string;
  readonly sequence: number;
  readonly state: string;
  readonly file: string;
  readonly size: number;
  readonly expires_ms: number;
  readonly repeated: boolean;
}

/** Puts back what can be sent again, in the transaction of `client`; `dir` is the outbox. */
export async function recallBundles(
  client: pg.PoolClient,
  dir: string,
  wanted: Wanted,
  nowMs: number,
): Promise<Recalled> {
  const named = await namedRows(client, wanted);
  const underWay = new Set(named.filter(isUnderWay));
  const candidates = await whoseFileIsThere(
    dir,
    named.filter((row) => row.state === "finished" && !row.repeated && row.expires_ms > nowMs),
  );
  const taken = await putBack(client, wanted.ticket, candidates, nowMs);
  // In between another ticket may have put it back: it is under way then.
  const others = candidates.filter((row) => !taken.has(row.bundle_id));
  for (const row of await stillOpen(client, others)) underWay.add(row);
  const recalled = candidates.filter((row) => taken.has(row.bundle_id));
  return {
    recalled: recalled.length,
    bytes: recalled.reduce((sum, row) => sum + row.size, 0),
    underWay: underWay.size,
    gone: without(wanted.streams, [...recalled, ...underWay]),
  };
}

function isUnderWay(row: NamedRow): boolean {
  return (
    row.state === "waiting" || row.state === "leased" || (row.state === "finished" && row.repeated)
  );
}

async function namedRows(client: pg.PoolClient, wanted: Wanted): Promise<readonly NamedRow[]> {
  const ranges = [...wanted.streams].flatMap(([stream, of]) =>
    of.map((range) => ({ stream, ...range })),
  );
  const { rows } = await query<NamedRow>(
    client,
    "outbox-recall-named",
    `SELECT b.bundle_id, b.stream, b.sequence, b.state, b.file, b.size, b.expires_ms,
       EXISTS (SELECT 1 FROM outbox_recall r WHERE r.bundle_id = b.bundle_id AND r.ticket = $2)
         AS repeated
      FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS w (stream, first, last)
      JOIN outbox_bundle b ON b.stream = w.stream AND b.sequence BETWEEN w.first AND w.last
     WHERE b.lane = $1 AND b.state NOT IN ('refused', 'removed')`,
    [
      wanted.lane,
      wanted.ticket,
      ranges.map(({ stream }) => stream),
      ranges.map(({ first }) => first),
      ranges.map(({ last }) => last),
    ],
  );
  return rows;
}

async function whoseFileIsThere(
  dir: string,
  rows: readonly NamedRow[],
): Promise<readonly NamedRow[]> {
  const there: NamedRow[] = [];
  for (let at = 0; at < rows.length; at += STATS_AT_ONCE) {
    const some = rows.slice(at, at + STATS_AT_ONCE);
    const found = await Promise.all(
      some.map((row) => stat(join(dir, row.file)).catch(() => undefined)),
    );
    there.push(...some.filter((row, index) => found[index]?.size === row.size));
  }
  return there;
}

/** The row of the ticket decides: of two calls at once only one puts the bundle back. */
async function putBack(
  client: pg.PoolClient,
  ticket: string,
  rows: readonly NamedRow[],
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const first = await query<{ bundle_id: string }>(
    client,
    "outbox-recall-note",
    `INSERT INTO outbox_recall (bundle_id, ticket, recalled_ms)
     SELECT id, $2, $3 FROM unnest($1::uuid[]) AS id ON CONFLICT DO NOTHING RETURNING bundle_id`,
    [rows.map((row) => row.bundle_id), ticket, nowMs],
  );
  const moved = await query<{ bundle_id: string }>(
    client,
    "outbox-recall-put-back",
    `UPDATE outbox_bundle SET state = 'waiting', repair = true, lease_id = NULL
      WHERE bundle_id = ANY($1::uuid[]) AND state = 'finished' RETURNING bundle_id`,
    [first.rows.map((row) => row.bundle_id)],
  );
  return new Set(moved.rows.map((row) => row.bundle_id));
}

async function stillOpen(
  client: pg.PoolClient,
  rows: readonly NamedRow[],
): Promise<readonly NamedRow[]> {
  if (rows.length === 0) return [];
  const found = await query<{ bundle_id: string }>(
    client,
    "outbox-recall-open",
    `SELECT bundle_id FROM outbox_bundle
      WHERE bundle_id = ANY($1::uuid[]) AND state IN ('waiting', 'leased')`,
    [rows.map((row) => row.bundle_id)],
  );
  const open = new Set(found.rows.map((row) => row.bundle_id));
  return rows.filter((row) => open.has(row.bundle_id));
}

/** The ranges less the numbers of these rows. */
function without(
  streams: Wanted["streams"],
  rows: readonly NamedRow[],
): ReadonlyMap<string, readonly Range[]> {
  const kept = Map.groupBy(rows, (row) => row.stream);
  const gone = new Map<string, readonly Range[]>();
  for (const [stream, ranges] of streams) {
    const numbers = (kept.get(stream) ?? []).map((row) => row.sequence).sort((a, b) => a - b);
    const left: Range[] = [];
    let at = 0;
    for (const { first, last } of ranges) {
      let next = first;
      for (; at < numbers.length && (numbers[at] ?? 0) <= last; at += 1) {
        const number = numbers[at] ?? 0;
        if (number > next) left.push({ first: next, last: number - 1 });
        next = number + 1;
      }
      if (next <= last) left.push({ first: next, last });
    }
    if (left.length > 0) gone.set(stream, left);
  }
  return gone;
}

function invalid(detail: string): GatewayError {
  return new GatewayError("outbox.recall-invalid", { detail });
}

function tooLarge(detail: string): GatewayError {
  return new GatewayError("outbox.recall-too-large", { detail });
}
