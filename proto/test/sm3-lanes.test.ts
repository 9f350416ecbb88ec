/**
 * Guarantee checked: the digests of a bundle's table are SM3(0x00 || chunk)
 * whoever computes them, and vector code that is wrong, absent or switched off
 * is replaced by the provider with a reason.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createTableHasher, lanesInUse, loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LANE_BYTES, LANE_COUNT } from "../src/sm/lane-input.ts";
import { chooseLanes, LANES_NAME } from "../src/sm/lanes.ts";
import { compileLanes, type LaneCore } from "../src/sm/lanes-module.ts";
import { SM3_VECTORS, selfTestLanes } from "../src/sm/lanes-self-test.ts";
import { tableHasher } from "../src/sm/table-hasher.ts";

const provider = loadProvider("openssl");
const portable = loadProvider("sm-crypto");
const module = readFileSync(new URL("../wasm/sm3-lanes.wasm", import.meta.url));
const refused = expect.objectContaining({ code: "sm.operation-failed" });
const leaf = (chunk: Uint8Array): Buffer =>
  createHash("sm3").update(Uint8Array.of(0)).update(chunk).digest();
const expected = (chunks: readonly Uint8Array[]): Buffer => Buffer.concat(chunks.map(leaf));

/** `length` bytes that differ by seed; cheaper than drawing each one. */
function noise(length: number, seed: number): Buffer {
  let state = Math.imul(seed + 1, 2_654_435_761);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

describe("four lanes", () => {
  const core = compileLanes()();
  const digests = (length: number, first: number): Buffer[] => {
    const all = core.digest(length, first);
    return Array.from({ length: LANE_COUNT }, (_, i) =>
      Buffer.from(all.subarray(i * 32, i * 32 + 32)),
    );
  };

  it.each(SM3_VECTORS)("reproduce GB/T 32905 $name, each beside other messages", (vector) => {
    const { message, digest } = vector;
    for (let at = 0; at < LANE_COUNT; at += 1) {
      for (const [i, lane] of core.lanes.entries()) {
        lane.set(i === at ? message.subarray(1) : noise(message.length - 1, i));
      }
      const found = digests(message.length - 1, message[0] ?? 0);
      expect(found[at]).toEqual(digest);
      expect(found.filter((other) => other.equals(digest))).toHaveLength(1);
    }
  });

  it("agree with OpenSSL at every length through four blocks", () => {
    for (let length = 0; length <= 256; length += 1) {
      const chunks = core.lanes.map((_, i) => noise(length, length * 4 + i));
      for (const [i, lane] of core.lanes.entries()) lane.set(chunks[i] ?? []);
      expect(digests(length, 0), `${length} bytes`).toEqual(chunks.map(leaf));
    }
  });

  it("agree with OpenSSL on any four messages, and leave them as they are", () => {
    const message = (length: number) => fc.nat().map((seed) => noise(length, seed));
    const four = fc
      .oneof(fc.nat(300), fc.nat(70_000), fc.constantFrom(4_112, 65_552))
      .chain((length) => fc.tuple(...Array.from({ length: LANE_COUNT }, () => message(length))));
    fc.assert(
      fc.property(four, fc.nat(255), (chunks, first) => {
        const [{ length } = Buffer.alloc(0)] = chunks;
        for (const [i, lane] of core.lanes.entries()) lane.fill(0xee).set(chunks[i] ?? []);
        const results = digests(length, first);
        for (const [i, chunk] of chunks.entries()) {
          const whole = createHash("sm3").update(Uint8Array.of(first)).update(chunk).digest();
          expect(results[i]).toEqual(whole);
          const lane = Buffer.alloc(LANE_BYTES, 0xee);
          chunk.copy(lane);
          expect(Buffer.compare(core.lanes[i] ?? Buffer.alloc(0), lane)).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("take a whole sealed chunk and not a byte more", () => {
    for (const [i, lane] of core.lanes.entries()) lane.set(noise(LANE_BYTES, i));
    expect(digests(LANE_BYTES, 0)).toEqual(core.lanes.map(leaf));
    for (const length of [LANE_BYTES + 1, -1, 2 ** 31]) {
      expect(() => core.digest(length, 0)).toThrow(refused);
    }
  });
});

describe.each([
  ["in vectors", createTableHasher(provider), LANES_NAME],
  ["by the provider", tableHasher(provider, chooseLanes(provider, "off")), "openssl"],
  ["by the reference", createTableHasher(portable), "sm-crypto"],
] as const)("a table hashed %s", (_, hasher, name) => {
  const slow = name === "sm-crypto";

  it("is the same for any chunks of any lengths", () => {
    const lengths = fc.oneof(
      fc.array(fc.nat(slow ? 200 : 2_000), { maxLength: 11 }),
      fc
        .tuple(fc.nat(slow ? 300 : 70_000), fc.nat(9), fc.nat(300))
        .map(([each, count, last]) => [...Array(count).fill(each), last] as number[]),
    );
    fc.assert(
      fc.property(lengths, fc.nat(), (sizes, seed) => {
        const chunks = sizes.map((length, i) => noise(length, seed + i));
        const into = Buffer.alloc(32 * chunks.length + 5, 0x55);
        hasher.leaves(chunks, into);
        expect(into).toEqual(Buffer.concat([expected(chunks), Buffer.alloc(5, 0x55)]));
      }),
      { numRuns: slow ? 10 : 60 },
    );
    expect(hasher.name).toBe(name);
  });

  it.each([1, 2, 3, 4])("takes %i chunks from where they were made", (n) => {
    const chunks = Array.from({ length: n }, (_, i) => noise(1_040, i));
    for (const [i, chunk] of chunks.entries()) hasher.lanes.buffer(i, 1_040).set(chunk);
    const into = Buffer.alloc(32 * n + 5, 0x55);
    hasher.lanes.digest(1_040, n, into);
    expect(into).toEqual(Buffer.concat([expected(chunks), Buffer.alloc(5, 0x55)]));
    for (const [i, chunk] of chunks.entries()) {
      expect(Buffer.from(hasher.lanes.buffer(i, 1_040))).toEqual(chunk);
    }
  });

  it("refuses numbers out of range and too little room", () => {
    const room = Buffer.alloc(128);
    const { lanes } = hasher;
    expect(lanes.buffer(3, lanes.capacity)).toHaveLength(LANE_BYTES);
    for (const body of [
      () => lanes.buffer(4, 1),
      () => lanes.buffer(-1, 1),
      () => lanes.buffer(0.5, 1),
      () => lanes.buffer(0, LANE_BYTES + 1),
      () => lanes.buffer(0, -1),
      () => lanes.digest(LANE_BYTES + 1, 1, room),
      () => lanes.digest(10, 0, room),
      () => lanes.digest(10, 5, room),
      () => lanes.digest(10, 4, room.subarray(1)),
      () => hasher.leaves([room, room], room.subarray(0, 63)),
    ]) {
      expect(body).toThrow(refused);
    }
    expect(room).toEqual(Buffer.alloc(128));
  });
});

it("refuses to copy a lane over another, and hashes a chunk longer than a lane", () => {
  const hasher = createTableHasher(provider);
  const own = [1, 0, 2].map((lane) => hasher.lanes.buffer(lane, 100));
  expect(() => hasher.leaves(own, Buffer.alloc(96))).toThrow(refused);
  const long = [1, 2, 3].map((seed) => noise(LANE_BYTES + 1, seed));
  const into = Buffer.alloc(96);
  hasher.leaves(long, into);
  expect(into).toEqual(expected(long));
});

it("two hashers do not share their lanes", () => {
  const [a, b] = [createTableHasher(provider), createTableHasher(provider)];
  a.lanes.buffer(0, 10).fill(1);
  b.lanes.buffer(0, 10).fill(2);
  expect(a.lanes.buffer(0, 10)[0]).toBe(1);
});

describe("the choice", () => {
  const altered = (from: Uint8Array, to: Uint8Array): Buffer => {
    const at = module.indexOf(from);
    expect(at).toBeGreaterThan(0);
    const copy = Buffer.from(module);
    copy.set(to, at);
    return copy;
  };
  const renamed = (name: string) =>
    altered(Buffer.from(name), Buffer.from(name.replace(/^./, "X")));

  it("is the vector code here, and the provider where it is switched off", () => {
    expect(chooseLanes(provider, undefined)).toMatchObject({ name: LANES_NAME, reason: "" });
    expect(chooseLanes(provider, "off")).toEqual({
      name: "openssl",
      reason: "LIGHTFERRY_SM3_LANES=off",
      open: undefined,
    });
    expect(lanesInUse(portable).name).toBe("sm-crypto");
  });

  it.each([
    ["absent", () => readFileSync("/nonexistent/sm3-lanes.wasm"), /cannot be read/],
    ["cut short", () => module.subarray(0, -1), /not accepted/],
    ["without a memory", () => renamed("memory"), /memory/],
    ["without a function", () => renamed("digests"), /digests/],
    [
      "of another algorithm",
      // Word 0 of the initial value of GB/T 32905 §4.1, little-endian, changed by one bit in lane 0.
      () => altered(Buffer.from("6f168073", "hex"), Buffer.from("6e168073", "hex")),
      /GB\/T 32905 A\.1 in lane 0/,
    ],
  ])("is the provider when the module is %s", (_, read, reason) => {
    const found = chooseLanes(provider, undefined, () => compileLanes(read));
    expect(found).toMatchObject({ name: "openssl", open: undefined });
    expect(found.reason).toMatch(reason);
    expect(tableHasher(provider, found).name).toBe("openssl");
  });

  it("is either build of the source, as this Node accepts them", () => {
    const plain = chooseLanes(provider, undefined, () => compileLanes(() => module));
    expect(plain).toMatchObject({ name: LANES_NAME, reason: "" });
    const { WebAssembly: wasm } = globalThis as unknown as {
      WebAssembly: NonNullable<Parameters<typeof compileLanes>[1]>;
    };
    const read: string[] = [];
    const refusing = {
      Module: class extends wasm.Module {
        constructor(bytes: Uint8Array) {
          read.push(bytes === module ? "plain" : "relaxed");
          super(bytes);
        }
      },
      Instance: wasm.Instance,
      validate: (bytes: Uint8Array) => bytes === module,
    };
    const builds = (build: string) => (build === "sm3-lanes.wasm" ? module : new Uint8Array(8));
    const found = chooseLanes(provider, undefined, () => compileLanes(builds, refusing));
    expect(found.name).toBe(LANES_NAME);
    expect(read).toEqual(["plain"]);
  });

  it("is the provider where a process has no WebAssembly", () => {
    const found = chooseLanes(provider, undefined, () => compileLanes(() => module, null));
    expect(found.reason).toMatch(/no WebAssembly/);
  });

  it.each([
    ["one lane", (length: number, all: Uint8Array) => length === 64 && flip(all, 3 * 32)],
    ["one length", (length: number, all: Uint8Array) => length === 119 && flip(all, 0)],
    ["long messages", (length: number, all: Uint8Array) => length > 50_000 && flip(all, 40)],
  ])("finds code that is wrong in %s", (_, spoil) => {
    const core = compileLanes()();
    const wrong: LaneCore = {
      ...core,
      digest(length, first) {
        const all = core.digest(length, first);
        spoil(length, all);
        return all;
      },
    };
    expect(selfTestLanes(core, provider)).toBeUndefined();
    expect(selfTestLanes(wrong, provider)).toMatch(/bytes in lane \d differ from openssl/);
  });

  it("falls back when there is no room for another memory", () => {
    const full = {
      name: LANES_NAME,
      reason: "",
      open: () => {
        throw new RangeError("could not allocate memory");
      },
    };
    expect(tableHasher(provider, full).name).toBe("openssl");
  });

  it("works where JavaScript may not be made from strings, and obeys the environment", () => {
    const report = `import { lanesInUse, loadProvider } from ${JSON.stringify(
      new URL("../src/sm/index.ts", import.meta.url).href,
    )}; console.log(lanesInUse(loadProvider()).name);`;
    const run = (choice: string) =>
      execFileSync(
        process.execPath,
        ["--disallow-code-generation-from-strings", "--input-type=module", "-e", report],
        { env: { ...process.env, LIGHTFERRY_SM3_LANES: choice }, encoding: "utf8" },
      ).trim();
    expect(run("")).toBe(LANES_NAME);
    expect(run("off")).toBe("openssl");
  });
});

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}
