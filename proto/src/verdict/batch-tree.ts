/**
 * Guarantee: says of each leaf and path exactly what RFC 9162 §2.1.3.2 says of
 * it alone (`rootFromInclusion`), but hashes each node of a batch once: nodes
 * that led to the root are kept, and what a path repeats is compared with them.
 * For a full batch that is two hashes a verdict in place of eleven.
 */
import { nodeHash, type Sm3Function } from "../merkle/index.ts";

/** A node by height and index in its level. */
interface Place {
  readonly name: number;
  readonly hash: Uint8Array;
}

/** Heights stay below 64 for every size a batch may have. */
const HEIGHTS = 64;

export class BatchTree {
  readonly #sm3: Sm3Function;
  readonly #size: number;
  readonly #root: Uint8Array;
  readonly #known = new Map<number, Uint8Array>();

  /** @param size leaves of the batch. @param root its root, 32 bytes. */
  constructor(sm3: Sm3Function, size: number, root: Uint8Array) {
    this.#sm3 = sm3;
    this.#size = size;
    this.#root = root;
  }

  /** True when leaf and path lead to the root; a malformed proof is false, never a throw. */
  includes(leaf: Uint8Array, index: number, path: readonly Uint8Array[]): boolean {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.#size) return false;
    const fresh: Place[] = [];
    let height = 0;
    let at = index;
    let last = this.#size - 1;
    let node = leaf;
    // Once a node is known to lead to the root, so must be everything above it.
    let proven = this.#matches(nameOf(height, at, last), node, fresh);
    if (proven === false) return false;
    for (const sibling of path) {
      if (last === 0 || sibling.length !== 32) return false;
      const right = at % 2 === 1 || at === last;
      while (right && at % 2 === 0 && at !== 0) {
        // The sibling of a last node lies on the level where that node is a right child.
        at /= 2;
        last = Math.floor(last / 2);
        height += 1;
      }
      const beside = this.#matches(nameOf(height, right ? at - 1 : at + 1, last), sibling, fresh);
      if (beside === false || (proven === true && beside === undefined)) return false;
      at = Math.floor(at / 2);
      last = Math.floor(last / 2);
      height += 1;
      if (proven === undefined) {
        node = right ? nodeHash(this.#sm3, sibling, node) : nodeHash(this.#sm3, node, sibling);
        proven = this.#matches(nameOf(height, at, last), node, fresh);
        if (proven === false) return false;
      }
    }
    if (last !== 0) return false;
    if (proven === undefined && Buffer.compare(node, this.#root) !== 0) return false;
    for (const { name, hash } of fresh) this.#known.set(name, hash);
    return true;
  }

  /** Compares with the node known at that place; undefined when none is, and then it is noted. */
  #matches(name: number, hash: Uint8Array, fresh: Place[]): boolean | undefined {
    const known = this.#known.get(name);
    if (known === undefined) {
      fresh.push({ name, hash });
      return undefined;
    }
    return Buffer.compare(known, hash) === 0;
  }
}

/** The last node of an odd level stands for itself one level up: one node, one name. */
function nameOf(height: number, index: number, last: number): number {
  if (index === last) {
    while (index % 2 === 0 && index !== 0) {
      index /= 2;
      height += 1;
    }
  }
  return index * HEIGHTS + height;
}
