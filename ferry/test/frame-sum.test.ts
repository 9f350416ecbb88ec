/** Guarantee tested: the checksum of a frame is XXH64 as published, whatever computes it and wherever the frame lies. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  FrameSums,
  frameSum,
  LEAST_COPIED,
  slowSum,
  summedMemory,
} from "../src/frame-sum/index.ts";
import { xxh64 } from "../src/frame-sum/twin.ts";

/** What other implementations of XXH64 give, and the reference's own sanity check of 101 bytes. */
const PUBLISHED: [string, bigint, bigint][] = [
  ["", 0n, 0xef46db3751d8e999n],
  ["a", 0n, 0xd24ec4f1a98c6e5bn],
  ["abc", 0n, 0x44bc2cf5ad770999n],
  ["Nobody inspects the spammish repetition", 0n, 0xfbcea83c8a378bf1n],
];

function sanityBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let next = 2654435761n;
  for (let at = 0; at < length; at += 1) {
    bytes[at] = Number(next >> 56n);
    next = (next * 11400714785074694797n) & 0xffff_ffff_ffff_ffffn;
  }
  return bytes;
}

test("the twin gives the published results", () => {
  for (const [text, seed, digest] of PUBLISHED) {
    expect(xxh64(Buffer.from(text), seed), text).toBe(digest);
  }
  expect(xxh64(sanityBytes(1), 0n)).toBe(0xe934a84adb052768n);
  expect(xxh64(sanityBytes(14), 0n)).toBe(0x8282dcc4994e35c8n);
  expect(xxh64(sanityBytes(222), 0n)).toBe(0xb641ae8cb691c174n);
  expect(xxh64(sanityBytes(222), 2654435761n)).toBe(0x20cb8ab7ae10c14an);
});

test("a frame's seed is its first four bytes, and its own field takes no part", () => {
  const frame = new Uint8Array(8 + 222);
  frame.set([0x9e, 0x37, 0x79, 0xb1, 1, 2, 3, 4]);
  frame.set(sanityBytes(222), 8);
  expect(frameSum(frame, 0, frame.length)).toBe(0xae10c14a);
});

test("WebAssembly runs here and gives what the twin gives, at any place, in any memory", () => {
  const sums = new FrameSums();
  expect(sums.fast).toBe(true);
  const shared = new Uint8Array(sums.memory(20_000));
  expect(shared.length).toBeGreaterThanOrEqual(20_000);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 8, maxLength: 300 }),
      fc.nat(9_000),
      fc.nat(7),
      (frame, at, skip) => {
        const sum = slowSum(frame);
        shared.set(frame, at);
        expect(sums.sum(shared, at, frame.length)).toBe(sum);
        expect(sums.sum(shared.subarray(skip), at - Math.min(at, skip), frame.length)).toBe(
          slowSum(shared.slice(at - Math.min(at, skip) + skip).subarray(0, frame.length)),
        );
        const elsewhere = new Uint8Array(at + frame.length);
        elsewhere.set(frame, at);
        expect(sums.sum(elsewhere, at, frame.length)).toBe(sum);
      },
    ),
  );
});

test("memory of another thread's making and the longest frame are summed alike", () => {
  const frame = sanityBytes(8944);
  const here = new Uint8Array(summedMemory(1 << 18));
  here.set(frame, 1000);
  expect(frameSum(here, 1000, frame.length)).toBe(slowSum(frame));
  expect(frameSum(frame, 0, frame.length)).toBe(slowSum(frame));
});

test("without address space for another such memory frames are copied and summed all the same", () => {
  const { WebAssembly: wasm } = globalThis as unknown as {
    WebAssembly: NonNullable<ConstructorParameters<typeof FrameSums>[0]>;
  };
  const small = class extends wasm.Memory {
    constructor(size: { initial: number; maximum: number; shared?: boolean }) {
      if (size.initial > 1) throw new RangeError("no room");
      super(size);
    }
  };
  const sums = new FrameSums({ Module: wasm.Module, Instance: wasm.Instance, Memory: small });
  expect(sums.fast).toBe(true);
  const ring = new Uint8Array(sums.memory(1 << 18));
  expect(ring.length).toBe(1 << 18);
  ring.set(sanityBytes(300), 77);
  expect(sums.sum(ring, 77, 300)).toBe(slowSum(sanityBytes(300)));
});

test("without WebAssembly, or with a wrong one, the definition itself sums", () => {
  class Refused {
    constructor() {
      throw new RangeError("refused");
    }
  }
  const memory = class {
    readonly buffer = new SharedArrayBuffer(65_536);
  };
  const wrong = class {
    readonly exports = { frameSum: () => 7 };
  };
  const frame = sanityBytes(100);
  for (const wasm of [
    null,
    { Module: Refused, Memory: memory, Instance: wrong },
    { Module: Object, Memory: memory, Instance: wrong },
  ]) {
    const sums = new FrameSums(wasm);
    expect(sums.fast).toBe(false);
    expect(sums.sum(frame, 0, frame.length)).toBe(slowSum(frame));
    expect(sums.memory(1 << 18).byteLength).toBe(1 << 18);
  }
});

/** What Node has of it; its type declarations leave it out. */
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: NonNullable<ConstructorParameters<typeof FrameSums>[0]>;
};

test("a payload copied from another memory and summed on the way is what a copy and a sum give", () => {
  const sums = new FrameSums();
  const ring = new Uint8Array(sums.memory(1 << 16));
  const shards = new wasm.Memory({ initial: 2, maximum: 2 });
  const copy = sums.copier(ring.buffer, shards);
  expect(copy).toBeDefined();
  expect(sums.copier(ring.buffer, shards), "made once for two memories").toBe(copy);
  const source = new Uint8Array(shards.buffer);
  for (let at = 0; at < source.length; at += 1) source[at] = (at * 2654435761) >>> 11;
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 48, maxLength: 48 }),
      fc.integer({ min: LEAST_COPIED, max: 9_000 }),
      fc.nat(50_000),
      fc.nat(100_000),
      (header, length, frame, from) => {
        const around = ring.slice();
        around.set(header, frame);
        ring.set(header, frame);
        around.set(source.subarray(from, from + length), frame + 48);
        expect((copy?.(frame, from, length) ?? 0) >>> 0).toBe(
          slowSum(around.slice(frame, frame + 48 + length)),
        );
        expect(Buffer.compare(ring, around), "nothing but the payload is written").toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test("nobody is given a copy from or into memory of another kind, or by an engine that gives other results", () => {
  const sums = new FrameSums();
  const shards = new wasm.Memory({ initial: 1, maximum: 1 });
  expect(sums.copier(new ArrayBuffer(1 << 16), shards)).toBeUndefined();
  const none = new FrameSums(null);
  expect(none.copier(none.memory(1 << 16), shards)).toBeUndefined();
  const wrong = class {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: object, imports: object) {
      const { frameSum: sum } = new wasm.Instance(module, imports).exports;
      this.exports = sum === undefined ? { frameCopy: () => 1 } : { frameSum: sum };
    }
  };
  const lying = new FrameSums({ Module: wasm.Module, Memory: wasm.Memory, Instance: wrong });
  expect(lying.fast).toBe(true);
  expect(lying.copier(lying.memory(1 << 16), shards)).toBeUndefined();
});
