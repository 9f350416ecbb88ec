/**
 * Guarantee: the growing right edge of an RFC 6962 tree over SM3, small enough
 * to keep in memory for any size of log: at most 255 hashes per tile level plus
 * one hash per set bit of the size. Completed tiles are handed out once, to be
 * stored; nothing that was handed out is needed again to append.
 *
 * Tile layout is C2SP tlog-tiles with height 8: tile (level L, index N) holds
 * the 256 roots of the complete subtrees of 256^L leaves numbered N·256 … N·256+255.
 */
import { nodeHash, type Sm3Function } from "@lightferry/proto/merkle";

/** Tree height of one tile; fixed by the C2SP layout. */
export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 2 ** TILE_HEIGHT;
export const HASH_BYTES = 32;
/** 256^6 leaves exceed the safe integers, so level 6 can never complete a tile. */
export const TILE_LEVELS = 7;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 256 hashes of 32 bytes. */
  readonly hashes: Uint8Array;
}

/** The tree at one size; stays as it is while the tree grows. */
export interface TreeSnapshot {
  readonly size: number;
  readonly root: Uint8Array;
  /** partial[L] = hashes of the unfinished tile of level L. */
  readonly partial: readonly (readonly Uint8Array[])[];
}

interface Peak {
  readonly height: number;
  readonly hash: Uint8Array;
}

export class TileTree {
  readonly #sm3: Sm3Function;
  readonly #partial: Uint8Array[][] = Array.from({ length: TILE_LEVELS }, () => []);
  /** Roots of the complete subtrees that make up the tree, largest first. */
  readonly #peaks: Peak[] = [];
  #size = 0;
  #completed: Tile[] = [];

  constructor(sm3: Sm3Function) {
    this.#sm3 = sm3;
  }

  /**
   * Rebuilds the right edge.
   * @param partial what {@link TreeSnapshot.partial} held: level L has `floor(size / 256^L) mod 256` hashes.
   */
  static restore(
    sm3: Sm3Function,
    size: number,
    partial: readonly (readonly Uint8Array[])[],
  ): TileTree {
    const tree = new TileTree(sm3);
    tree.#size = size;
    for (let level = TILE_LEVELS - 1; level >= 0; level -= 1) {
      for (const hash of partial[level] ?? []) {
        tree.#partial[level]?.push(hash);
        tree.#merge({ height: level * TILE_HEIGHT, hash }, () => {});
      }
    }
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** Appends one leaf hash of 32 bytes. */
  append(leaf: Uint8Array): void {
    this.#size += 1;
    this.#keep(0, leaf);
    this.#merge({ height: 0, hash: leaf }, (peak) => {
      if (peak.height % TILE_HEIGHT === 0) this.#keep(peak.height / TILE_HEIGHT, peak.hash);
    });
  }

  /** Root of the whole tree; SM3 of nothing for the empty one. */
  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (let i = this.#peaks.length - 1; i >= 0; i -= 1) {
      const hash = (this.#peaks[i] as Peak).hash;
      root = root === undefined ? hash : nodeHash(this.#sm3, hash, root);
    }
    return root ?? this.#sm3();
  }

  /** Tiles completed since the last call. */
  takeCompleted(): Tile[] {
    const tiles = this.#completed;
    this.#completed = [];
    return tiles;
  }

  snapshot(): TreeSnapshot {
    return {
      size: this.#size,
      root: this.root(),
      partial: this.#partial.map((hashes) => hashes.slice()),
    };
  }

  /** Adds a subtree at the right and joins equal heights, reporting every node that becomes complete. */
  #merge(added: Peak, completed: (peak: Peak) => void): void {
    let peak = added;
    for (;;) {
      const left = this.#peaks.at(-1);
      if (left === undefined || left.height !== peak.height) break;
      this.#peaks.pop();
      peak = { height: peak.height + 1, hash: nodeHash(this.#sm3, left.hash, peak.hash) };
      completed(peak);
    }
    this.#peaks.push(peak);
  }

  #keep(level: number, hash: Uint8Array): void {
    const hashes = this.#partial[level];
    if (hashes === undefined) return;
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    const leavesPerTile = TILE_WIDTH ** (level + 1);
    this.#completed.push({
      level,
      index: Math.floor((this.#size - 1) / leavesPerTile),
      hashes: Buffer.concat(hashes),
    });
    this.#partial[level] = [];
  }
}
