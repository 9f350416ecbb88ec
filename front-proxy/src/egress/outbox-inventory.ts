/**
 * Guarantee: the far side is told every number that can still be sent again and
 * every number that will never be sent, each in one range of one page; what a
 * page leaves out comes in the next.
 *
 *   rows in order of stream and number ─▶ borders of islands (SQL) ─▶ ranges ─▶ page
 */
import type { lightferry } from "@lightferry/proto/gen";
import type pg from "pg";
import { query } from "../database.ts";

type Answer = lightferry.ferry.v1.ListEmittedResponse.$Properties;
type Kind = "held" | "given-up";

export interface PageLimits {
  readonly streams: number;
  readonly ranges: number;
}

/**
 * At most some 600 KiB, a tenth of what a message may be. A lane has two streams per node, and bundles
 * of a stream leave nearly in order: one page is the rule.
 */
const PAGE: PageLimits = { streams: 64, ranges: 32_768 };

/** Parts a stream from the number after which its next page begins; no registered id holds it. */
const CURSOR_MARK = "#";
const BEYOND_ALL = Number.MAX_SAFE_INTEGER;

interface Border extends pg.QueryResultRow {
  readonly stream: string;
  readonly sequence: number;
  readonly inventory: Kind;
  readonly begins: boolean;
  readonly ends: boolean;
}

interface Island {
  readonly stream: string;
  readonly kind: Kind;
  readonly first: number;
  readonly last: number;
}

// Only the borders leave the database. What has expired would be refused by the far side: it cannot
// repair anything.
const bordersOf = (source: string) => `
SELECT * FROM (
  SELECT b.stream, b.sequence, b.inventory,
    lag(b.sequence) OVER w IS DISTINCT FROM b.sequence - 1
      OR lag(b.inventory) OVER w IS DISTINCT FROM b.inventory AS begins,
    lead(b.sequence) OVER w IS DISTINCT FROM b.sequence + 1
      OR lead(b.inventory) OVER w IS DISTINCT FROM b.inventory AS ends
  FROM ${source}
  WHERE b.lane = $1 AND b.inventory IS NOT NULL AND (b.stream, b.sequence) > ($2, $3)
    AND (b.inventory = 'given-up' OR b.expires_ms > $4)
  WINDOW w AS (PARTITION BY b.stream ORDER BY b.sequence)
) AS marked WHERE begins OR ends ORDER BY stream, sequence LIMIT $5`;

const ALL = bordersOf("outbox_bundle b");
const RECENT = `
WITH recent AS (
  SELECT stream, min(sequence) AS lowest FROM outbox_bundle
   WHERE lane = $1 AND inventory = 'held' AND emitted_ms >= $6 GROUP BY stream)
${bordersOf("recent r JOIN outbox_bundle b ON b.stream = r.stream AND b.sequence >= r.lowest")}`;

/**
 * One page of the inventory of a lane. With `more` the next begins after the last stream named here; when
 * that stream alone fills a page it may be cut, and the next begins after `<stream>#<last number named>`,
 * which is right in either case.
 * @param sinceMs 0 = everything; else the streams of which something was emitted since, from the lowest
 *   number so emitted: what was said before need not be said every minute.
 * @param after cursor as above; empty = from the beginning.
 */
export async function listEmitted(
  pool: pg.Pool,
  ask: { readonly lane: string; readonly sinceMs: number; readonly after: string },
  limits: PageLimits = PAGE,
): Promise<Answer> {
  const { stream, sequence } = readCursor(ask.after);
  // Two borders an island, and one row more to know that there is more.
  const most = 2 * limits.ranges + 1;
  const values = [ask.lane, stream, sequence, Date.now(), most];
  const { rows } =
    ask.sinceMs === 0
      ? await query<Border>(pool, "outbox-emitted-all", ALL, values)
      : await query<Border>(pool, "outbox-emitted-since", RECENT, [...values, ask.sinceMs]);
  const islands = islandsOf(rows);
  const whole = rows.length < most && islands.length <= limits.ranges;
  const kept = whole ? islands : withoutCutStream(islands.slice(0, limits.ranges));
  const streams = [...new Set(kept.map((island) => island.stream))].slice(0, limits.streams);
  const last = streams.at(-1);
  const paged = kept.slice(0, kept.findLastIndex((island) => island.stream === last) + 1);
  return {
    held: rangesOf(paged, "held"),
    givenUp: rangesOf(paged, "given-up"),
    more: !whole || paged.length < kept.length,
  };
}

function readCursor(after: string): { readonly stream: string; readonly sequence: number } {
  const mark = after.lastIndexOf(CURSOR_MARK);
  const sequence = Number(after.slice(mark + 1));
  return mark > 0 && Number.isSafeInteger(sequence)
    ? { stream: after.slice(0, mark), sequence }
    : { stream: after, sequence: BEYOND_ALL };
}

/** An island whose end lies beyond the rows is left to the next page. */
function islandsOf(rows: readonly Border[]): readonly Island[] {
  const islands: Island[] = [];
  let first = 0;
  for (const { stream, sequence, inventory, begins, ends } of rows) {
    if (begins) first = sequence;
    if (ends) islands.push({ stream, kind: inventory, first, last: sequence });
  }
  return islands;
}

/** A page ends with a whole stream, unless it holds nothing but a part of one. */
function withoutCutStream(islands: readonly Island[]): readonly Island[] {
  const cut = islands.at(-1)?.stream;
  const whole = islands.filter((island) => island.stream !== cut);
  return whole.length === 0 ? islands : whole;
}

function rangesOf(
  islands: readonly Island[],
  kind: Kind,
): lightferry.ferry.v1.StreamRanges.$Properties[] {
  const byStream = Map.groupBy(
    islands.filter((island) => island.kind === kind),
    (island) => island.stream,
  );
  return [...byStream].map(([stream, of]) => ({
    stream,
    ranges: of.map(({ first, last }) => ({ first, last })),
  }));
}
