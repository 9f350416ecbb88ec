/**
 * Guarantee: any k shards of a group restore its data and fewer never pretend to, in every
 * variant and geometry; what a coder holds is bounded; misuse is refused.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testVariant } from "../src/erasure/choose.ts";
import {
  ErasureCoder,
  type ErasureGroup,
  type ErasureVariant,
  MAX_DATA_SHARDS,
  MAX_GROUP_SHARDS,
  MAX_PARITY_SHARDS,
} from "../src/erasure/index.ts";
import { compileKernel } from "../src/erasure/kernel.ts";
import { encodeByTwin } from "../src/erasure/twin.ts";

const VARIANTS: readonly ErasureVariant[] = ["relaxed", "simd", "twin"];
const LONGEST = 1_100;

/** Small groups often, and now and then any that is allowed. */
const geometry = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) },
      fc.integer({ min: 1, max: MAX_DATA_SHARDS }),
    ),
    fc.integer({ min: 1, max: MAX_PARITY_SHARDS }),
    fc.oneof(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: LONGEST })),
  )
  .map(([k, m, shardBytes]) => ({ k, m: Math.min(m, MAX_GROUP_SHARDS - k), shardBytes }));

/** Cheap bytes from a seed (xorshift), so that a failing case is small to print. */
function randomise(bytes: Uint8Array, seed: number): void {
  let state = seed | 1;
  for (let i = 0; i < bytes.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
}

const shardsOf = (group: ErasureGroup) =>
  Array.from({ length: group.k + group.m }, (_, i) => group.shard(i));
const copyOf = (shards: readonly Uint8Array[]) => shards.map((shard) => Uint8Array.from(shard));
const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  a.every((shard, i) => Buffer.compare(shard, b[i] as Uint8Array) === 0);

describe.each(VARIANTS)("variant %s", (variant) => {
  const coder = ErasureCoder.open({ shards: 2 * MAX_GROUP_SHARDS, shardBytes: LONGEST, variant });

  it("works here", () => {
    expect({ variant: coder.variant, reason: coder.reason }).toEqual({ variant, reason: "" });
  });

  it("restores from any k shards, makes the twin's parity, and leaves all else alone", () => {
    fc.assert(
      fc.property(geometry, fc.integer(), fc.infiniteStream(fc.nat()), (shape, seed, choice) => {
        const { k, m, shardBytes } = shape;
        // A neighbour in the same memory: nothing of it may change.
        const neighbour = coder.allocate(3, 1, LONGEST) as ErasureGroup;
        for (const [i, shard] of shardsOf(neighbour).entries()) randomise(shard, seed + i);
        const before = copyOf(shardsOf(neighbour));
        const group = coder.allocate(k, m, shardBytes) as ErasureGroup;
        const shards = shardsOf(group);
        for (const [i, shard] of shards.entries()) randomise(shard, seed ^ (i * 7919));
        const expected = copyOf(shards);
        encodeByTwin(expected.slice(0, k), expected.slice(k));
        group.encode();
        expect(same(shards, expected)).toBe(true);

        // Lose 0 … m of all, in any places.
        const order = Array.from({ length: k + m }, (_, i) => i);
        const lost = choice.next().value % (m + 1);
        const present = new Uint8Array(k + m).fill(1);
        for (let n = 0; n < lost; n += 1) {
          const [index] = order.splice(choice.next().value % order.length, 1) as [number];
          present[index] = 0;
          randomise(group.shard(index), seed + n);
        }
        const arrived = copyOf(shards);
        expect(group.decode(present)).toBe(true);
        expect(same(shards.slice(0, k), expected.slice(0, k))).toBe(true);
        expect(same(shards.slice(k), arrived.slice(k))).toBe(true);
        expect(same(shardsOf(neighbour), before)).toBe(true);
        group.free();
        neighbour.free();
      }),
      { numRuns: variant === "twin" ? 25 : 120 },
    );
    expect(coder.available).toBe(2 * MAX_GROUP_SHARDS);
  });

  it("with fewer than k says so and changes nothing", () => {
    fc.assert(
      fc.property(geometry, fc.integer(), fc.infiniteStream(fc.nat()), (shape, seed, choice) => {
        const { k, m, shardBytes } = shape;
        const group = coder.allocate(k, m, shardBytes) as ErasureGroup;
        for (const [i, shard] of shardsOf(group).entries()) randomise(shard, seed + i);
        const before = copyOf(shardsOf(group));
        const present = new Uint8Array(k + m);
        for (let n = choice.next().value % k; n > 0; n -= 1) {
          present[choice.next().value % (k + m)] = 1;
        }
        expect(group.decode(present)).toBe(false);
        expect(same(shardsOf(group), before)).toBe(true);
        group.free();
      }),
      { numRuns: 60 },
    );
  });
});

describe("arena", () => {
  it("never holds more than it was made for, whatever sizes come and go", () => {
    const shards = 40;
    const coder = ErasureCoder.open({ shards, shardBytes: 100 });
    const { bytes } = coder;
    const held: ErasureGroup[] = [];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat({ max: 6 }), fc.nat(), (k, m, choice) => {
        const room = coder.available;
        const group = coder.allocate(k, m, 1 + (choice % 100));
        // Nothing fragments: there is room exactly when enough cells are free.
        expect(group !== undefined).toBe(k + m <= room);
        if (group === undefined || choice % 3 === 0) {
          held.splice(choice % Math.max(1, held.length), 1)[0]?.free();
        }
        if (group !== undefined) held.push(group);
        const used = held.reduce((sum, one) => sum + one.k + one.m, 0);
        expect(coder.available).toBe(shards - used);
        const places = new Set(held.flatMap(shardsOf).map((shard) => shard.byteOffset));
        expect(places.size).toBe(used);
      }),
      { numRuns: 200 },
    );
    expect(coder.bytes).toBe(bytes);
    expect(bytes).toBeLessThan(256 * 1024);
  });

  it("keeps a default sender's 64 groups in 14 MB", () => {
    const coder = ErasureCoder.open({ shards: 64 * 144, shardBytes: 1_408 });
    expect(coder.bytes).toBeLessThan(14e6);
    expect(Array.from({ length: 65 }, () => coder.allocate(128, 16)).indexOf(undefined)).toBe(64);
  });

  it("fills what a short write leaves with zeros", () => {
    const coder = ErasureCoder.open({ shards: 3, shardBytes: 70 });
    const first = coder.allocate(2, 1) as ErasureGroup;
    for (const shard of shardsOf(first)) shard.fill(0xff);
    first.free();
    const group = coder.allocate(2, 1, 65) as ErasureGroup;
    group.write(0, Uint8Array.of(1, 2, 3));
    expect([...group.shard(0)]).toEqual([1, 2, 3, ...new Array<number>(62).fill(0)]);
    expect(() => group.write(1, new Uint8Array(66))).toThrow(/66 bytes for 65/);
  });

  it("refuses a group after it was freed", () => {
    const coder = ErasureCoder.open({ shards: 3, shardBytes: 8 });
    const group = coder.allocate(2, 1) as ErasureGroup;
    group.free();
    const uses = [
      () => group.free(),
      () => group.encode(),
      () => group.decode(new Uint8Array(3)),
      () => group.shard(0),
      () => group.write(0, Uint8Array.of(1)),
    ];
    for (const use of uses) expect(use).toThrow(/after free/);
    expect(coder.available).toBe(3);
  });

  it("gives the data shards as spans that cover them in order, however the memory was given and taken back", () => {
    const coder = ErasureCoder.open({ shards: 64, shardBytes: 64 });
    const groups = Array.from({ length: 10 }, () => coder.allocate(4, 1) as ErasureGroup);
    expect(groups.map((group) => group.data().length)).toEqual(groups.map(() => 1));
    for (const at of [8, 1, 5]) groups[at]?.free();
    const group = coder.allocate(20, 2, 64) as ErasureGroup;
    const spans = group.data();
    expect(spans.length).toBeGreaterThan(1);
    expect(spans.length).toBeLessThan(20);
    for (let shard = 0; shard < 20; shard += 1) group.shard(shard).fill(shard + 1);
    expect(Buffer.concat(spans)).toEqual(
      Buffer.from(Array.from({ length: 20 * 64 }, (_, at) => 1 + (at >> 6))),
    );
    expect((coder.allocate(3, 1, 63) as ErasureGroup).data().map(({ length }) => length)).toEqual([
      63, 63, 63,
    ]);
  });

  it("refuses numbers out of range before it allocates", () => {
    const open = (shards: number, shardBytes: number) => () =>
      ErasureCoder.open({ shards, shardBytes });
    for (const bad of [0, -1, 1.5, Number.NaN, 65_508]) expect(open(1, bad)).toThrow(/not in/);
    for (const bad of [0, -1, 1.5, Number.NaN, 2 ** 31]) expect(open(bad, 1)).toThrow(/not in/);
    const coder = ErasureCoder.open({ shards: 300, shardBytes: 8 });
    const bad = [
      [0, 1],
      [225, 1],
      [1, 65],
      [200, 57],
      [1.5, 1],
      [1, -1],
    ] as const;
    for (const [k, m] of bad) expect(() => coder.allocate(k, m)).toThrow(/not in/);
    expect(() => coder.allocate(1, 1, 9)).toThrow(/not in/);
    const group = coder.allocate(2, 1) as ErasureGroup;
    expect(() => group.decode(new Uint8Array(2))).toThrow(/2 marks/);
    expect(() => group.shard(3)).toThrow(/shard 3 of 2\+1/);
    expect(coder.available).toBe(297);
  });
});

describe("choice of the variant", () => {
  it("falls back to the definition where a build is not accepted, and says why", () => {
    const api = {
      validate: () => false,
      Module: Object,
      Memory: class {
        readonly buffer = new ArrayBuffer(0);
      },
      Instance: class {
        readonly exports = {};
      },
    };
    const choice = testVariant("simd", (variant) => compileKernel(variant, api));
    expect(choice.variant).toBe("twin");
    expect(choice.reason).toContain("not accepted");
    expect(testVariant("relaxed", (variant) => compileKernel(variant, null)).reason).toContain(
      "no WebAssembly",
    );
  });

  it.each(["wide", "quad", "product", "put", "add"] as const)(
    "never uses a build whose %s computes wrongly",
    (name) => {
      const choice = testVariant("simd", (variant) => {
        const module = compileKernel(variant);
        return { ...module, open: (bytes) => ({ ...module.open(bytes), [name]: () => undefined }) };
      });
      expect(choice.variant).toBe("twin");
      expect(choice.reason).toMatch(/(parity|repair) of/);
    },
  );
});
