/** The tile tree gives what the plain tree of the definition gives, at every size, also after restoring. */
import { MerkleTree, verifyConsistency } from "@lightferry/proto/merkle";
import { loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { consistencyProof, type TileReader } from "../src/tree/proof.ts";
import { type Tile, TileTree } from "../src/tree/tile-tree.ts";
import { CompactRange } from "../src/verify/range.ts";

const { sm3 } = loadProvider();
/** Enough for a completed tile of level 1 would be 65,536 leaves; some hundred tiles are enough here. */
const MAX_LEAVES = 1_500;
const leaves = Array.from({ length: MAX_LEAVES }, (_, i) => sm3(Buffer.from(`leaf ${i}`)));
const naive = new MerkleTree(sm3);
for (const leaf of leaves) naive.append(leaf);

function grow(tree: TileTree, from: number, to: number): Tile[] {
  for (const leaf of leaves.slice(from, to)) tree.append(leaf);
  return tree.takeCompleted();
}

function reader(tiles: readonly Tile[]): TileReader {
  return async (keys) =>
    keys.map(({ level, index }) => {
      const tile = tiles.find((t) => t.level === level && t.index === index);
      return tile?.hashes ?? new Uint8Array();
    });
}

describe("tile tree", () => {
  it("has the root of RFC 6962 at every size, restored anywhere", () => {
    fc.assert(
      fc.property(fc.nat(MAX_LEAVES), fc.nat(MAX_LEAVES), (a, b) => {
        const [first, size] = a < b ? [a, b] : [b, a];
        const tree = new TileTree(sm3);
        grow(tree, 0, first);
        const restored = TileTree.restore(sm3, first, tree.snapshot().partial);
        expect(restored.root()).toEqual(naive.root(first));
        grow(restored, first, size);
        expect(restored.root()).toEqual(naive.root(size));
        expect(restored.size).toBe(size);
      }),
      { numRuns: 60 },
    );
  });

  it("gives the consistency proofs of RFC 6962 from tiles and the unfinished edge", async () => {
    const tree = new TileTree(sm3);
    const tiles: Tile[] = [];
    const snapshots = new Map<number, ReturnType<TileTree["snapshot"]>>();
    const sizes = fc.sample(fc.integer({ min: 1, max: MAX_LEAVES }), 40).sort((a, b) => a - b);
    let at = 0;
    for (const size of [...sizes, 256, 512, 1024].sort((a, b) => a - b)) {
      tiles.push(...grow(tree, at, size));
      at = size;
      snapshots.set(size, tree.snapshot());
    }
    for (const [size, snapshot] of snapshots) {
      for (const old of [1, 2, 255, 256, 257, 511, 512, size - 1, size, Math.ceil(size / 3)]) {
        if (old < 1 || old > size) continue;
        const proof = await consistencyProof(sm3, snapshot, old, reader(tiles));
        expect(proof).toEqual(naive.consistencyPath(old, size));
        expect(verifyConsistency(sm3, old, naive.root(old), size, naive.root(size), proof)).toBe(
          true,
        );
      }
      await expect(consistencyProof(sm3, snapshot, size + 1, reader(tiles))).rejects.toMatchObject({
        code: "audit.checkpoint-unknown",
      });
    }
  });

  it("completes tiles of a higher level", () => {
    const tree = new TileTree(sm3);
    const leaf = sm3(Buffer.from("same"));
    for (let i = 0; i < 65_536 + 300; i += 1) tree.append(leaf);
    const tiles = tree.takeCompleted();
    expect(tiles.filter((t) => t.level === 0).map((t) => t.index)).toEqual(
      Array.from({ length: 257 }, (_, i) => i),
    );
    expect(tiles.filter((t) => t.level === 1).map((t) => t.index)).toEqual([0]);
    const { partial, size, root } = tree.snapshot();
    expect(partial.map((hashes) => hashes.length)).toEqual([44, 1, 1, 0, 0, 0, 0]);
    expect(TileTree.restore(sm3, size, partial).root()).toEqual(root);
  });
});

describe("the verifier's range", () => {
  it("agrees with the plain tree and can be cloned", () => {
    const range = new CompactRange(sm3);
    let clone = range.clone();
    leaves.slice(0, 600).forEach((leaf, i) => {
      if (i === 300) clone = range.clone();
      range.append(leaf);
      if (i % 37 === 0) expect(range.root()).toEqual(naive.root(i + 1));
    });
    expect(clone.root()).toEqual(naive.root(300));
    expect(new CompactRange(sm3).root()).toEqual(naive.root(0));
  });
});
