import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  leafHash,
  MerkleTree,
  merkleRoot,
  nodeHash,
  type Sm3Function,
  verifyConsistency,
  verifyInclusion,
} from "../src/merkle/index.ts";

const sm3: Sm3Function = (...parts) => {
  const hash = createHash("sm3");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The recursive definition of RFC 6962 §2.1, word for word: the slow twin. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sm3();
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(sm3, naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

const leavesOf = (n: number) =>
  Array.from({ length: n }, (_, i) => leafHash(sm3, Buffer.from(`leaf ${i}`)));

describe("Merkle tree over SM3", () => {
  it("agrees with the recursive definition for every size up to 130", () => {
    const leaves = leavesOf(130);
    const tree = new MerkleTree(sm3);
    for (let n = 0; n <= leaves.length; n += 1) {
      expect(tree.root()).toEqual(naiveRoot(leaves.slice(0, n)));
      const next = leaves[n];
      if (next !== undefined) tree.append(next);
    }
    expect(merkleRoot(sm3, leaves)).toEqual(naiveRoot(leaves));
  });

  it("proves every leaf at every size, and nothing else", () => {
    const leaves = leavesOf(40);
    const tree = new MerkleTree(sm3);
    for (const leaf of leaves) tree.append(leaf);
    for (let size = 1; size <= 40; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const path = tree.inclusionPath(index, size);
        const leaf = leaves[index] ?? new Uint8Array();
        expect(verifyInclusion(sm3, leaf, index, size, path, tree.root(size))).toBe(true);
        expect(verifyInclusion(sm3, leaf, index + 1, size, path, tree.root(size))).toBe(false);
        expect(verifyInclusion(sm3, leaf, index, size, [...path, leaf], tree.root(size))).toBe(
          false,
        );
      }
    }
  });

  it("proves consistency between any two sizes and refuses a forged history", () => {
    const tree = new MerkleTree(sm3);
    for (const leaf of leavesOf(70)) tree.append(leaf);
    fc.assert(
      fc.property(fc.nat(70), fc.nat(70), (a, b) => {
        const [old, size] = a < b ? [a, b] : [b, a];
        const path = tree.consistencyPath(old, size);
        expect(verifyConsistency(sm3, old, tree.root(old), size, tree.root(size), path)).toBe(true);
        if (old > 0 && old < size) {
          const forged = sm3(Buffer.from("forged"));
          expect(verifyConsistency(sm3, old, forged, size, tree.root(size), path)).toBe(false);
          expect(verifyConsistency(sm3, old, tree.root(old), size, forged, path)).toBe(false);
          expect(
            verifyConsistency(sm3, old, tree.root(old), size, tree.root(size), path.slice(1)),
          ).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});
