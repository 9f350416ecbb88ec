/**
 * Guarantee: the log's state is read back from the newest checkpoint, completed
 * tiles and at most 255 leaf columns, and is used only when it gives exactly the
 * signed root: a damaged log is never extended.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { Sm3Function } from "@lightferry/proto/merkle";
import type pg from "pg";
import { completeRoot, splitHashes } from "../tree/proof.ts";
import { TILE_LEVELS, TILE_WIDTH, TileTree } from "../tree/tile-tree.ts";
import type { LogState } from "./batch.ts";

export async function restoreState(
  client: pg.Client,
  sm3: Sm3Function,
  node: string,
): Promise<LogState> {
  const { rows } = await client.query<{
    size: number;
    logged_ms: number;
    root: Buffer;
    note: string;
  }>("select size, logged_ms, root, note from audit.checkpoint order by size desc limit 1");
  const newest = rows[0];
  if (newest === undefined) {
    return { tree: new TileTree(sm3), loggedMs: 0, note: "", emitters: new Map() };
  }
  const partial = [await partialLeaves(client, newest.size)];
  for (let level = 1; level < TILE_LEVELS; level += 1) {
    partial.push(await partialNodes(client, sm3, newest.size, level));
  }
  const tree = TileTree.restore(sm3, newest.size, partial);
  if (Buffer.compare(tree.root(), newest.root) !== 0) {
    throw new GatewayError("audit.log-damaged", { detail: `checkpoint ${newest.size}` });
  }
  return {
    tree,
    loggedMs: newest.logged_ms,
    note: newest.note,
    emitters: await lastSequences(client, node),
  };
}

async function partialLeaves(client: pg.Client, size: number): Promise<Uint8Array[]> {
  const first = Math.floor(size / TILE_WIDTH) * TILE_WIDTH;
  const { rows } = await client.query<{ leaf: Buffer }>(
    "select leaf from audit.event where seq >= $1 and seq < $2 order by seq",
    [first, size],
  );
  expectCount(rows.length, size - first, "leaves of the unfinished tile");
  return rows.map((row) => row.leaf);
}

/** Hashes of the unfinished tile of a level: the roots of the completed tiles one level below. */
async function partialNodes(
  client: pg.Client,
  sm3: Sm3Function,
  size: number,
  level: number,
): Promise<Uint8Array[]> {
  const nodes = Math.floor(size / TILE_WIDTH ** level);
  const first = Math.floor(nodes / TILE_WIDTH) * TILE_WIDTH;
  if (first === nodes) return [];
  const { rows } = await client.query<{ hashes: Buffer }>(
    "select hashes from audit.tile where level = $1 and index >= $2 and index < $3 order by index",
    [level - 1, first, nodes],
  );
  expectCount(rows.length, nodes - first, `tiles of level ${level - 1}`);
  return rows.map((row) => completeRoot(sm3, splitHashes(row.hashes)));
}

function expectCount(found: number, expected: number, what: string): void {
  if (found !== expected) {
    throw new GatewayError("audit.log-damaged", { detail: `${found} of ${expected} ${what}` });
  }
}

/** One index look-up per emitter and partition instead of a scan of the log. */
const LAST_SEQUENCES_SQL = `
with recursive emitter as (
  (select emitter, emitter_sequence from audit.event where node = $1
   order by emitter desc, emitter_sequence desc limit 1)
  union all
  select next.emitter, next.emitter_sequence from emitter, lateral (
    select e.emitter, e.emitter_sequence from audit.event e
    where e.node = $1 and e.emitter < emitter.emitter
    order by e.emitter desc, e.emitter_sequence desc limit 1) next
)
select emitter, emitter_sequence from emitter`;

async function lastSequences(client: pg.Client, node: string): Promise<Map<string, number>> {
  const { rows } = await client.query<{ emitter: string; emitter_sequence: number }>(
    LAST_SEQUENCES_SQL,
    [node],
  );
  return new Map(rows.map((row) => [row.emitter, row.emitter_sequence]));
}
