/**
 * Guarantee: an altered row is told apart from an altered tile. Two ranges run
 * beside each other where rows and tiles differ; the signed root of the next
 * checkpoint says which of them is right, and both go on from there.
 */
import type { Sm3Function } from "@lightferry/proto/merkle";
import type { Findings } from "./findings.ts";
import { CompactRange } from "./range.ts";

/** What the three places say about one leaf; undefined where they say nothing. */
export interface LeafEvidence {
  /** Hash of the row's bytes. */
  readonly computed: Uint8Array | undefined;
  /** The row's leaf column. */
  readonly column: Uint8Array | undefined;
  /** The stored tile's entry. */
  readonly tile: Uint8Array | undefined;
}

interface Doubt {
  readonly index: number;
  readonly column: boolean;
  readonly tile: boolean;
}

/** One batch has at most some hundred leaves; more doubts than this are only counted as altered. */
const MAX_DOUBTS = 100_000;

export class Leaves {
  /** Level-0 tiles that do not say what the rows say. */
  readonly alteredTiles = new Set<number>();
  /** Checkpoints that could not be held against the rows, because rows before them are lost. */
  unchecked = 0;
  readonly #findings: Findings;
  #size = 0;
  #rows: CompactRange;
  /** Built from tiles and leaf columns; undefined while it would be the same. */
  #kept: CompactRange | undefined;
  #doubts: Doubt[] = [];
  /** From here on neither range can give a signed root. */
  #lost = false;

  constructor(sm3: Sm3Function, findings: Findings) {
    this.#rows = new CompactRange(sm3);
    this.#findings = findings;
  }

  get size(): number {
    return this.#size;
  }

  /** Root over the leaves so far, or undefined when they are lost. */
  root(): Uint8Array | undefined {
    return this.#lost ? undefined : this.#rows.root();
  }

  append({ computed, column, tile }: LeafEvidence): void {
    const index = this.#size;
    const kept = tile ?? column ?? computed;
    const leaf = computed ?? kept;
    if (leaf === undefined || kept === undefined) {
      this.lose(index + 1);
      return;
    }
    this.#size += 1;
    const differs = (other: Uint8Array | undefined): boolean =>
      computed !== undefined && other !== undefined && !equal(computed, other);
    const doubt = { index, column: differs(column), tile: differs(tile) };
    if (this.#lost) {
      if (doubt.column) this.#findings.add("row.altered", index);
      return;
    }
    if (doubt.column || doubt.tile) {
      if (this.#doubts.length < MAX_DOUBTS) this.#doubts.push(doubt);
      this.#kept ??= this.#rows.clone();
    }
    this.#rows.append(leaf);
    this.#kept?.append(kept);
  }

  /** Leaves up to `size` are gone without a trace of their hashes. */
  lose(size: number): void {
    this.#accuseRows();
    this.#lost = true;
    this.#size = size;
  }

  /** Settles the doubts with the root that was signed for exactly the leaves so far. */
  settle(signedRoot: Uint8Array, previousSize: number): void {
    if (this.#lost) {
      this.unchecked += 1;
      return;
    }
    if (equal(this.#rows.root(), signedRoot)) {
      for (const { index, column, tile } of this.#doubts) {
        if (column) this.#findings.add("row.column", index, "leaf");
        if (tile) this.#accuseTile(index);
      }
    } else if (this.#kept !== undefined && equal(this.#kept.root(), signedRoot)) {
      this.#accuseRows();
      this.#rows = this.#kept;
    } else {
      this.#accuseRows();
      this.#findings.add("checkpoint.root", previousSize, "", this.size - 1);
      this.#lost = true;
    }
    this.#doubts = [];
    this.#kept = undefined;
  }

  /** Doubts that no checkpoint will settle any more. */
  finish(): void {
    this.#accuseRows();
  }

  #accuseRows(): void {
    for (const { index } of this.#doubts) this.#findings.add("row.altered", index);
    this.#doubts = [];
  }

  #accuseTile(index: number): void {
    const tile = Math.floor(index / 256);
    if (this.alteredTiles.has(tile)) return;
    this.alteredTiles.add(tile);
    this.#findings.add("tile.altered", tile, `level 0, entry ${index % 256}`);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
