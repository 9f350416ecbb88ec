/** Guarantee: RFC 6962 roots at every size while leaves stream past, in one hash per set bit of the size. */
import { nodeHash, type Sm3Function } from "@lightferry/proto/merkle";

export class CompactRange {
  readonly #sm3: Sm3Function;
  readonly #peaks: Uint8Array[];
  #size: number;

  constructor(sm3: Sm3Function, size = 0, peaks: readonly Uint8Array[] = []) {
    this.#sm3 = sm3;
    this.#size = size;
    this.#peaks = [...peaks];
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array): void {
    let node = leaf;
    for (let below = this.#size; below % 2 === 1; below = Math.floor(below / 2)) {
      node = nodeHash(this.#sm3, this.#peaks.pop() ?? new Uint8Array(), node);
    }
    this.#peaks.push(node);
    this.#size += 1;
  }

  root(): Uint8Array {
    const peaks = [...this.#peaks];
    let root = peaks.pop();
    if (root === undefined) return this.#sm3();
    for (let left = peaks.pop(); left !== undefined; left = peaks.pop()) {
      root = nodeHash(this.#sm3, left, root);
    }
    return root;
  }

  clone(): CompactRange {
    return new CompactRange(this.#sm3, this.#size, this.#peaks);
  }
}
