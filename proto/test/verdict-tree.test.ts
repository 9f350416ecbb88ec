import fc from "fast-check";
import { expect, it } from "vitest";
import { leafHash, MerkleTree, rootFromInclusion } from "../src/merkle/index.ts";
import { loadProvider } from "../src/sm/index.ts";
import { BatchTree } from "../src/verdict/batch-tree.ts";

const provider = loadProvider();

function build(size: number) {
  let hashes = 0;
  const sm3 = (...parts: readonly Uint8Array[]) => {
    hashes += 1;
    return provider.sm3(...parts);
  };
  const merkle = new MerkleTree(sm3);
  const leaves = Array.from({ length: size }, (_, index) => leafHash(sm3, Buffer.from([index])));
  for (const leaf of leaves) merkle.append(leaf);
  const paths = leaves.map((_, index) => merkle.inclusionPath(index));
  const root = merkle.root();
  hashes = 0;
  return { sm3, leaves, paths, root, tree: new BatchTree(sm3, size, root), count: () => hashes };
}

it("accepts every leaf of every size, in any order and again, hashing each node once", () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 70 })
        .chain((size) =>
          fc.tuple(
            fc.constant(size),
            fc.shuffledSubarray([...Array(size).keys()], { minLength: size }),
          ),
        ),
      ([size, order]) => {
        const { leaves, paths, tree, count } = build(size);
        for (const index of [...order, ...order]) {
          expect(tree.includes(leaves[index] ?? Buffer.of(), index, paths[index] ?? [])).toBe(true);
        }
        expect(count()).toBe(size - 1);
      },
    ),
  );
});

it("says the same as the stateless check, whatever it was shown before", () => {
  const altered = fc.record({
    leaf: fc.nat(40),
    index: fc.nat(41),
    path: fc.nat(40),
    drop: fc.nat(8),
    flip: fc.option(fc.nat(7)),
    more: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(altered, { maxLength: 30 }),
      (size, tries) => {
        const { sm3, leaves, paths, root, tree } = build(size);
        for (const one of tries) {
          // Often the right proof, else one thing or several of another's.
          const leaf = leaves[one.leaf % size] ?? Buffer.of();
          const index = one.index < 20 ? one.leaf % size : one.index;
          const from = one.path < 30 ? one.leaf % size : one.path % size;
          let path = (paths[from] ?? []).map((hash, height) => {
            const copy = Buffer.from(hash);
            if (height === one.flip) copy[31] = (copy[31] ?? 0) ^ 1;
            return copy;
          });
          if (one.drop < 2) path = path.slice(one.drop);
          if (one.more) path.push(Buffer.alloc(32, 1));
          const computed = rootFromInclusion(sm3, leaf, index, size, path);
          const stateless = computed !== undefined && Buffer.compare(computed, root) === 0;
          expect(tree.includes(leaf, index, path)).toBe(stateless);
        }
      },
    ),
    { numRuns: 300 },
  );
});
