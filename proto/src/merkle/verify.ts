/**
 * Guarantee: proofs are checked by the algorithms of RFC 9162 §2.1.3.2 and
 * §2.1.4.2 (the iterative form of RFC 6962's); a malformed proof is false, never a throw.
 */
import { nodeHash, type Sm3Function } from "./hash.ts";

/** The root that the path leads to, or undefined when its length does not fit. */
export function rootFromInclusion(
  sm3: Sm3Function,
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!isIndex(index) || !isIndex(size) || index >= size) return undefined;
  let fn = index;
  let sn = size - 1;
  let root = leaf;
  for (const sibling of path) {
    if (sn === 0 || sibling.length !== 32) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      root = nodeHash(sm3, sibling, root);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      root = nodeHash(sm3, root, sibling);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? root : undefined;
}

export function verifyInclusion(
  sm3: Sm3Function,
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const computed = rootFromInclusion(sm3, leaf, index, size, path);
  return computed !== undefined && Buffer.compare(computed, root) === 0;
}

/** True when the tree of `size` with `root` continues the tree of `oldSize` with `oldRoot`. */
export function verifyConsistency(
  sm3: Sm3Function,
  oldSize: number,
  oldRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (!isIndex(oldSize) || !isIndex(size) || oldSize > size) return false;
  if (oldSize === 0) return path.length === 0;
  if (oldSize === size) return path.length === 0 && Buffer.compare(oldRoot, root) === 0;
  const nodes = Number.isInteger(Math.log2(oldSize)) ? [oldRoot, ...path] : [...path];
  const first = nodes.shift();
  if (first === undefined) return false;
  let fn = oldSize - 1;
  let sn = size - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let oldComputed = first;
  let newComputed = first;
  for (const node of nodes) {
    if (sn === 0 || node.length !== 32) return false;
    if (fn % 2 === 1 || fn === sn) {
      oldComputed = nodeHash(sm3, node, oldComputed);
      newComputed = nodeHash(sm3, node, newComputed);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      newComputed = nodeHash(sm3, newComputed, node);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return (
    sn === 0 &&
    Buffer.compare(oldComputed, oldRoot) === 0 &&
    Buffer.compare(newComputed, root) === 0
  );
}

function isIndex(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}
