/** Guarantee tested: whatever mix of passes asks for memory, each gets it, no class waits for another, and the stated size holds. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ErasureGroup } from "../src/erasure/index.ts";
import { type Code, Geometry } from "../src/object.ts";
import { Encoding } from "../src/tx/encoding.ts";
import { type Groups, ShardMemory, shardsOf, sharesOf } from "../src/tx/memory.ts";

const SHARD = 208;
const CODE: Code = { groupShards: 3, parityShards: 2 };
const SHARES = sharesOf(SHARD, CODE);

/** A geometry of so many full groups and a shard. */
const cutInto = (groups: number) => new Geometry(groups * 3 * SHARD + 1, SHARD, CODE);

test("a share holds the largest block of any link, and the whole stays as small as stated", () => {
  const check = (shardSize: number, groupShards: number, parityShards: number) => {
    const code = { groupShards, parityShards };
    const full = new Geometry(shardSize * groupShards, shardSize, code);
    const { all, own, long } = sharesOf(shardSize, code);
    const group = shardsOf(full, 0, 1);
    const block = full.blockGroups * group;
    if (long < block || own - long < group || own * 5 > all || all * shardSize > 128 << 20) {
      expect.fail(`${all} shards for blocks of ${block}: ${groupShards}+${parityShards}`);
    }
  };
  for (let k = 1; k <= 224; k += 1) check(8896, k, Math.min(64, 255 - k));
  fc.assert(
    fc.property(
      fc.integer({ min: 208, max: 8896 }),
      fc.integer({ min: 1, max: 224 }),
      fc.nat(64),
      (shardSize, k, m) => check(shardSize, k, Math.min(m, 255 - k)),
    ),
    { numRuns: 500 },
  );
});

interface Wish {
  readonly serviceClass: number;
  readonly groups: number;
}

test("every block asked for is given in the end, in the order asked, and never more than there is", async () => {
  const wishes = fc.array(
    fc.record({
      serviceClass: fc.nat(3),
      groups: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 64 })),
    }),
    { minLength: 30, maxLength: 120 },
  );
  let waited = 0;
  await fc.assert(
    fc.asyncProperty(wishes, fc.infiniteStream(fc.nat()), async (wanted, choice) => {
      const memory = new ShardMemory(SHARD, CODE);
      const held: { wish: Wish; groups: Groups }[] = [];
      const given: Wish[] = [];
      for (const wish of wanted) {
        void memory.take(cutInto(64), 0, wish.groups, wish.serviceClass).then((groups) => {
          held.push({ wish, groups });
          given.push(wish);
        });
      }
      await settled();
      waited += wanted.length - held.length;
      while (held.length > 0) {
        expect(memory.used).toBe(held.reduce((sum, { wish }) => sum + wish.groups * 5, 0));
        expect(memory.used).toBeLessThanOrEqual(SHARES.all);
        const [gone] = held.splice((choice.next().value as number) % held.length, 1);
        if (gone !== undefined) memory.giveBack(gone.groups, gone.wish.serviceClass);
        await settled();
      }
      expect(memory.used).toBe(0);
      for (const own of [0, 1, 2, 3]) {
        for (const short of [true, false]) {
          const of = (list: readonly Wish[]) =>
            list.filter((wish) => wish.serviceClass === own && (wish.groups === 1) === short);
          expect(of(given)).toEqual(of(wanted));
        }
      }
    }),
    { numRuns: 15 },
  );
  // Else nothing was tried.
  expect(waited).toBeGreaterThan(50);
});

test("no class waits for another: a share is free for each, whatever the others hold", async () => {
  for (const other of [0, 1, 2, 3]) {
    const greedy = [0, 1, 2, 3].filter((serviceClass) => serviceClass !== other);
    const memory = new ShardMemory(SHARD, CODE);
    for (let block = 0; block < 40; block += 1) {
      for (const serviceClass of greedy) void memory.take(cutInto(64), 0, 64, serviceClass);
    }
    await settled();
    const before = memory.used;
    // Two blocks each in their own shares, the second with a little of the common one, and one more in that.
    expect(before).toBe(7 * 64 * 5);
    let groups: Groups | undefined;
    void memory.take(cutInto(64), 0, 64, other).then((taken) => {
      groups = taken;
    });
    await settled();
    expect(groups).toHaveLength(64);
    expect(memory.used).toBe(before + 64 * 5);
  }
});

test("one class alone has its own share and the common one, to the last shard", async () => {
  const memory = new ShardMemory(SHARD, CODE);
  const given: Groups[] = [];
  for (let object = 0; object < SHARES.all / 5; object += 1) {
    void memory.take(cutInto(1), 0, 1, 2).then((groups) => given.push(groups));
  }
  await settled();
  expect(memory.used).toBe(SHARES.all - 3 * SHARES.own);
  for (let groups = given.shift(); groups !== undefined; groups = given.shift()) {
    memory.giveBack(groups, 2);
    await settled();
  }
  expect(memory.used).toBe(0);
});

test("no short object waits for a long one, nor a long one for a stream of short ones", async () => {
  const memory = new ShardMemory(SHARD, CODE);
  const blocks: Groups[] = [];
  for (const serviceClass of Array.from({ length: 20 }, (_, index) => index % 4)) {
    void memory.take(cutInto(64), 0, 64, serviceClass).then((groups) => {
      if (serviceClass === 1) blocks.push(groups);
    });
  }
  await settled();
  const had = blocks.length;
  expect(had).toBeLessThan(5);
  const short: Groups[] = [];
  const ask = () => void memory.take(cutInto(0), 0, 1, 1).then((groups) => short.push(groups));
  const kept = Math.floor((SHARES.own - SHARES.long) / 3);
  for (let object = 0; object < kept + 5; object += 1) ask();
  await settled();
  // One data shard and two of parity each; as long as a block waits they have what is kept for them.
  expect(short).toHaveLength(kept);
  memory.giveBack(blocks.shift() as Groups, 1);
  await settled();
  expect(blocks).toHaveLength(had);
  // However many come, each only takes the place of one that is over.
  for (let round = 0; round < 20; round += 1) {
    ask();
    memory.giveBack(short.shift() as Groups, 1);
    await settled();
    expect(short).toHaveLength(kept);
  }
  memory.giveBack(blocks.shift() as Groups, 1);
  await settled();
  expect(blocks).toHaveLength(Math.min(had, 4));
});

/** Promises that can settle have. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("parity is made in slices between other work, urgent objects first", async () => {
  const order: string[] = [];
  const encoding = new Encoding();
  /** A group that takes a slice each. */
  const group = (name: string) => {
    const encode = () => {
      order.push(name);
      for (const until = performance.now() + 0.6; performance.now() < until; );
    };
    return { encode } as ErasureGroup;
  };
  const jobs = [3, 2, 1, 0].map((serviceClass) =>
    encoding.encode(group(`class ${serviceClass}`), serviceClass),
  );
  let over = false;
  const all = Promise.all(jobs).then(() => {
    over = true;
  });
  while (!over) {
    order.push("other work");
    await settled();
  }
  await all;
  const encoded = order.filter((name) => name !== "other work");
  expect(encoded).toEqual(["class 0", "class 1", "class 2", "class 3"]);
  // Between any two slices the loop went round.
  for (const [at, name] of order.entries()) {
    if (name !== "other work") expect(order[at + 1] ?? "").not.toMatch(/class/);
  }
  const broken = { encode: () => expect.fail("no memory") } as unknown as ErasureGroup;
  await expect(encoding.encode(broken, 1)).rejects.toThrow("no memory");
});
