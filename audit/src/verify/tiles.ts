/** Guarantee: every stored tile above the leaves is what the tiles below it give; none missing, none too many. */
import { nodeHash, type Sm3Function } from "@lightferry/proto/merkle";
import type { Findings } from "./findings.ts";
import type { Snapshot } from "./rows.ts";

const WIDTH = 256;
const HASH = 32;

/** @param alteredLeafTiles level-0 tiles already found altered: what they give accuses nobody. */
export async function checkTiles(
  rows: Snapshot["tiles"],
  size: number,
  alteredLeafTiles: ReadonlySet<number>,
  findings: Findings,
  sm3: Sm3Function,
): Promise<number> {
  let count = 0;
  /** Roots of the tiles of the level below, and of the level at hand. */
  let below = new Map<number, Uint8Array>();
  let roots = new Map<number, Uint8Array>();
  let level = 0;
  let next = 0;
  const expected = (): number => Math.floor(size / WIDTH ** (level + 1));
  const finishLevel = (): void => {
    if (next < expected()) findings.add("tile.missing", next, `level ${level}`, expected() - 1);
    below = roots;
    roots = new Map();
    level += 1;
    next = 0;
  };
  for (let row = await rows.peek(); row !== undefined; row = await rows.peek()) {
    rows.take();
    count += 1;
    while (level < row.level) finishLevel();
    if (row.index >= expected()) {
      findings.add("tile.extra", row.index, `level ${level}`);
      continue;
    }
    if (row.index > next) findings.add("tile.missing", next, `level ${level}`, row.index - 1);
    next = row.index + 1;
    const known =
      level === 0 ? !alteredLeafTiles.has(row.index) : agrees(row.index, row.hashes, below);
    if (!known && level > 0) findings.add("tile.altered", row.index, `level ${level}`);
    if (known) roots.set(row.index, tileRoot(sm3, row.hashes));
  }
  while (expected() > 0) finishLevel();
  return count;
}

function agrees(
  index: number,
  hashes: Uint8Array,
  below: ReadonlyMap<number, Uint8Array>,
): boolean {
  for (let entry = 0; entry < WIDTH; entry += 1) {
    const root = below.get(index * WIDTH + entry);
    const stored = hashes.subarray(entry * HASH, (entry + 1) * HASH);
    if (root !== undefined && Buffer.compare(root, stored) !== 0) return false;
  }
  return true;
}

function tileRoot(sm3: Sm3Function, hashes: Uint8Array): Uint8Array {
  let row: Uint8Array[] = [];
  for (let at = 0; at < hashes.length; at += HASH) row.push(hashes.subarray(at, at + HASH));
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) {
      above.push(nodeHash(sm3, row[i] as Uint8Array, row[i + 1] as Uint8Array));
    }
    row = above;
  }
  return row[0] ?? new Uint8Array();
}
