/**
 * Guarantee: consistency proofs (RFC 6962 §2.1.2) between any two sizes of the
 * committed log out of stored tiles and the unfinished edge, reading each tile
 * once and never a leaf row.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { nodeHash, type Sm3Function, splitPoint } from "@lightferry/proto/merkle";
import { HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, type TreeSnapshot } from "./tile-tree.ts";

export interface TileKey {
  readonly level: number;
  readonly index: number;
}

/** Reads the stored tiles, in the order asked for. A missing one is `audit.log-damaged`. */
export type TileReader = (keys: readonly TileKey[]) => Promise<readonly Uint8Array[]>;

/** Leaves [start, start + size). */
interface Range {
  readonly start: number;
  readonly size: number;
}

/**
 * Proof that the tree of `snapshot` continues the tree of `oldSize`.
 * Empty when `oldSize` is 0 or equal to the size.
 * @throws GatewayError `audit.checkpoint-unknown` when the log is not that long.
 */
export async function consistencyProof(
  sm3: Sm3Function,
  snapshot: TreeSnapshot,
  oldSize: number,
  readTiles: TileReader,
): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > snapshot.size) {
    throw new GatewayError("audit.checkpoint-unknown", {
      detail: `size ${oldSize} of ${snapshot.size}`,
    });
  }
  if (oldSize === 0 || oldSize === snapshot.size) return [];
  const ranges = subproof(oldSize, { start: 0, size: snapshot.size }, true);
  const tiles = await loadTiles(snapshot, ranges, readTiles);
  return ranges.map((range) => rangeRoot(sm3, range, tiles));
}

function subproof(m: number, { start, size }: Range, complete: boolean): Range[] {
  if (m === size) return complete ? [] : [{ start, size }];
  const k = splitPoint(size);
  const right = { start: start + k, size: size - k };
  return m <= k
    ? [...subproof(m, { start, size: k }, complete), right]
    : [...subproof(m - k, right, false), { start, size: k }];
}

/** Hashes of one tile, stored or unfinished, by "level/index". */
type Tiles = ReadonlyMap<string, readonly Uint8Array[]>;

const key = (level: number, index: number): string => `${level}/${index}`;

async function loadTiles(
  snapshot: TreeSnapshot,
  ranges: readonly Range[],
  readTiles: TileReader,
): Promise<Tiles> {
  const tiles = new Map<string, readonly Uint8Array[]>();
  const wanted = new Map<string, TileKey>();
  for (const part of ranges.flatMap(completeParts)) {
    const { level, tile } = locate(part);
    const id = key(level, tile);
    if (tile === Math.floor(snapshot.size / TILE_WIDTH ** (level + 1))) {
      tiles.set(id, snapshot.partial[level] ?? []);
    } else {
      wanted.set(id, { level, index: tile });
    }
  }
  const stored = await readTiles([...wanted.values()]);
  [...wanted.keys()].forEach((id, i) => {
    tiles.set(id, splitHashes(stored[i] ?? new Uint8Array()));
  });
  return tiles;
}

/** A range as complete subtrees, left to right. */
function completeParts(range: Range): Range[] {
  if (Number.isInteger(Math.log2(range.size))) return [range];
  const k = splitPoint(range.size);
  return [
    { start: range.start, size: k },
    ...completeParts({ start: range.start + k, size: range.size - k }),
  ];
}

/** Where the hashes below a complete subtree lie: tile level, tile, first hash and how many. */
function locate(part: Range): { level: number; tile: number; first: number; count: number } {
  const level = Math.floor(Math.log2(part.size) / TILE_HEIGHT);
  const unit = TILE_WIDTH ** level;
  const position = part.start / unit;
  return {
    level,
    tile: Math.floor(position / TILE_WIDTH),
    first: position % TILE_WIDTH,
    count: part.size / unit,
  };
}

function rangeRoot(sm3: Sm3Function, range: Range, tiles: Tiles): Uint8Array {
  const roots = completeParts(range).map((part) => {
    const { level, tile, first, count } = locate(part);
    const hashes = tiles.get(key(level, tile))?.slice(first, first + count) ?? [];
    if (hashes.length !== count) {
      throw new GatewayError("audit.log-damaged", { detail: `tile ${level}/${tile} is short` });
    }
    return completeRoot(sm3, hashes);
  });
  return roots.reduceRight((right, left) => nodeHash(sm3, left, right));
}

/** Root over 2^n hashes. */
export function completeRoot(sm3: Sm3Function, hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) {
      above.push(nodeHash(sm3, row[i] as Uint8Array, row[i + 1] as Uint8Array));
    }
    row = above;
  }
  return row[0] as Uint8Array;
}

/** The 32-byte hashes of a stored tile. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at + HASH_BYTES <= bytes.length; at += HASH_BYTES) {
    hashes.push(bytes.subarray(at, at + HASH_BYTES));
  }
  return hashes;
}
