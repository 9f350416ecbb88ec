/**
 * Guarantee: an append-only tree whose complete subtrees are hashed once and
 * kept, so that a root or a proof at any size costs O(log n) hashes.
 */
import { GatewayError } from "../errors/index.ts";
import { nodeHash, type Sm3Function, splitPoint } from "./hash.ts";

/** Root of a list of leaf hashes; SM3 of nothing for the empty list. */
export function merkleRoot(sm3: Sm3Function, leaves: readonly Uint8Array[]): Uint8Array {
  const tree = new MerkleTree(sm3);
  for (const leaf of leaves) tree.append(leaf);
  return tree.root();
}

export class MerkleTree {
  readonly #sm3: Sm3Function;
  /** levels[h][i] = root of the complete subtree over leaves [i·2^h, (i+1)·2^h). */
  readonly #levels: Uint8Array[][] = [[]];

  constructor(sm3: Sm3Function) {
    this.#sm3 = sm3;
  }

  get size(): number {
    return this.#level(0).length;
  }

  /** Appends a leaf hash (32 bytes); returns its index. */
  append(leaf: Uint8Array): number {
    const index = this.size;
    let node = leaf;
    let at = index;
    for (let height = 0; ; height += 1) {
      this.#level(height).push(node);
      if (at % 2 === 0) return index;
      node = nodeHash(this.#sm3, this.#node(height, at - 1), node);
      at = Math.floor(at / 2);
    }
  }

  root(size: number = this.size): Uint8Array {
    this.#checkSize(size);
    return size === 0 ? this.#sm3() : this.#subtree(0, size);
  }

  /** RFC 6962 §2.1.1: from the sibling of the leaf up to the root. */
  inclusionPath(index: number, size: number = this.size): Uint8Array[] {
    this.#checkSize(size);
    if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
      throw new GatewayError("merkle.out-of-range", { detail: `leaf ${index} of ${size}` });
    }
    return this.#path(index, 0, size);
  }

  /** RFC 6962 §2.1.2. Empty when either size is 0 or both are equal. */
  consistencyPath(oldSize: number, size: number = this.size): Uint8Array[] {
    this.#checkSize(size);
    if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > size) {
      throw new GatewayError("merkle.out-of-range", { detail: `size ${oldSize} of ${size}` });
    }
    if (oldSize === 0 || oldSize === size) return [];
    return this.#subproof(oldSize, 0, size, true);
  }

  #path(index: number, start: number, size: number): Uint8Array[] {
    if (size === 1) return [];
    const k = splitPoint(size);
    return index < k
      ? [...this.#path(index, start, k), this.#subtree(start + k, size - k)]
      : [...this.#path(index - k, start + k, size - k), this.#subtree(start, k)];
  }

  #subproof(m: number, start: number, size: number, complete: boolean): Uint8Array[] {
    if (m === size) return complete ? [] : [this.#subtree(start, size)];
    const k = splitPoint(size);
    return m <= k
      ? [...this.#subproof(m, start, k, complete), this.#subtree(start + k, size - k)]
      : [...this.#subproof(m - k, start + k, size - k, false), this.#subtree(start, k)];
  }

  /** Root over [start, start+size); start is a multiple of the largest power of two ≤ size. */
  #subtree(start: number, size: number): Uint8Array {
    const height = Math.log2(size);
    if (Number.isInteger(height)) return this.#node(height, start / size);
    const k = splitPoint(size);
    return nodeHash(this.#sm3, this.#subtree(start, k), this.#subtree(start + k, size - k));
  }

  #level(height: number): Uint8Array[] {
    let level = this.#levels[height];
    if (level === undefined) {
      level = [];
      this.#levels[height] = level;
    }
    return level;
  }

  #node(height: number, index: number): Uint8Array {
    const node = this.#levels[height]?.[index];
    if (node === undefined) {
      throw new GatewayError("merkle.out-of-range", { detail: `node ${height}/${index}` });
    }
    return node;
  }

  #checkSize(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.size) {
      throw new GatewayError("merkle.out-of-range", { detail: `size ${size} of ${this.size}` });
    }
  }
}
