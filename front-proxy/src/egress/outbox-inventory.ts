/**
 * Guarantee: the far side is told every number that can still be sent again and
 * every number that will never be sent, each in one range of one page; what a
 * page leaves out comes in the next.
 *
 *   numbers that are not held ─▶ islands between them (SQL) ─▶ ranges ─▶ page
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

interface Island extends pg.QueryResultRow {
  readonly stream: string;
  readonly kind: Kind;
  readonly first: number;
  readonly last: number;
}

// A number has its row from the commit of its bundle on, for ever. So what is held is what lies between
// the numbers that are not: of a week's millions only those are read, and they are few.
const islandsOf = (spans: string, givenUp: string) => `
WITH RECURSIVE ${spans}, border AS (
  SELECT stream, lowest - 1 AS sequence FROM span WHERE lowest IS NOT NULL
  UNION ALL SELECT stream, highest + 1 FROM span WHERE lowest IS NOT NULL
  UNION ALL SELECT b.stream, b.sequence FROM span s
    JOIN outbox_bundle b ON b.lane = $1 AND b.stream = s.stream
     AND b.sequence BETWEEN s.lowest AND s.highest AND b.inventory IS DISTINCT FROM 'held'
), held AS (
  SELECT stream, 'held' AS kind, sequence + 1 AS first, next - 1 AS last FROM (
    SELECT stream, sequence, lead(sequence) OVER (PARTITION BY stream ORDER BY sequence) AS next
      FROM border) AS pair
   WHERE next > sequence + 1
), given_up AS (
  SELECT stream, 'given-up' AS kind, min(sequence) AS first, max(sequence) AS last FROM (
    SELECT b.stream, b.sequence,
      b.sequence - row_number() OVER (PARTITION BY b.stream ORDER BY b.sequence) AS island
     FROM ${givenUp}
     WHERE b.lane = $1 AND b.inventory = 'given-up' AND (b.lane, b.stream, b.sequence) > ($1, $2, $3)
    ) AS numbered
   GROUP BY stream, island
)
SELECT * FROM held UNION ALL SELECT * FROM given_up ORDER BY stream, first LIMIT $4`;

const HIGHEST = `(SELECT max(sequence) FROM outbox_bundle
   WHERE lane = $1 AND stream = s.stream AND inventory = 'held') AS highest`;

// From one stream to the next by the index, then its ends.
const ALL = islandsOf(
  `stream_name AS (
    SELECT min(stream) AS stream FROM outbox_bundle
     WHERE lane = $1 AND inventory = 'held' AND stream >= $2
    UNION ALL
    SELECT (SELECT min(b.stream) FROM outbox_bundle b
             WHERE b.lane = $1 AND b.inventory = 'held' AND b.stream > s.stream)
      FROM stream_name s WHERE s.stream IS NOT NULL
  ), span AS (
    SELECT s.stream, (SELECT min(sequence) FROM outbox_bundle
       WHERE lane = $1 AND stream = s.stream AND inventory = 'held'
         AND sequence > CASE WHEN s.stream = $2 THEN $3::bigint ELSE 0 END) AS lowest, ${HIGHEST}
      FROM stream_name s WHERE s.stream IS NOT NULL)`,
  "outbox_bundle b",
);
const RECENT = islandsOf(
  `recent AS (
    SELECT stream, min(sequence) AS lowest FROM outbox_bundle
     WHERE lane = $1 AND inventory = 'held' AND emitted_ms >= $5
       AND (lane, stream, sequence) > ($1, $2, $3) GROUP BY stream
  ), span AS (SELECT s.stream, s.lowest, ${HIGHEST} FROM recent s)`,
  "span s JOIN outbox_bundle b ON b.stream = s.stream AND b.sequence >= s.lowest",
);

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
  const values = [ask.lane, stream, sequence, limits.ranges + 1];
  const { rows } =
    ask.sinceMs === 0
      ? await query<Island>(pool, "outbox-emitted-all", ALL, values)
      : await query<Island>(pool, "outbox-emitted-since", RECENT, [...values, ask.sinceMs]);
  const whole = rows.length <= limits.ranges;
  const kept = whole ? rows : withoutCutStream(rows.slice(0, limits.ranges));
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
