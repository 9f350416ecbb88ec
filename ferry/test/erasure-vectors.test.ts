/**
 * Guarantee: every variant reproduces ferry/vectors/erasure.json byte for byte, and that file is
 * what ferry/vectors/erasure.py says, a program that shares nothing with ours.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { coefficient, POLYNOMIAL } from "../src/erasure/field.ts";
import { ErasureCoder, type ErasureGroup, type ErasureVariant } from "../src/erasure/index.ts";

interface Case {
  readonly k: number;
  readonly m: number;
  readonly shardBytes: number;
  readonly dataSha256: string;
}
interface Encode extends Case {
  readonly data?: readonly string[];
  readonly parity?: readonly string[];
  readonly paritySha256: string;
}
interface Decode extends Case {
  readonly lost: readonly number[];
  readonly present?: Readonly<Record<string, string>>;
  readonly restored?: Readonly<Record<string, string>>;
}
interface Vectors {
  readonly polynomial: string;
  readonly matrix: readonly { row: number; columns: number; factors: string }[];
  readonly encodes: readonly Encode[];
  readonly decodes: readonly Decode[];
}

const place = (name: string) => fileURLToPath(new URL(`../vectors/${name}`, import.meta.url));
const text = readFileSync(place("erasure.json"), "utf8");
const vectors = JSON.parse(text) as Vectors;
const python = spawnSync("python3", ["--version"]).status === 0;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
function sha256(shards: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const shard of shards) hash.update(shard);
  return hash.digest("hex");
}

/** A group that holds the data of a case, by the formula in the file. */
function groupOf(variant: ErasureVariant, { k, m, shardBytes }: Case): ErasureGroup {
  const coder = ErasureCoder.open({ shards: k + m, shardBytes, variant });
  expect(coder.variant).toBe(variant);
  const group = coder.allocate(k, m) as ErasureGroup;
  for (let i = 0; i < k; i += 1) {
    const shard = group.shard(i);
    for (let n = 0; n < shardBytes; n += 1) shard[n] = 167 * i + 29 * n + 83 * (n >> 8) + k + 1;
  }
  return group;
}
const dataOf = (group: ErasureGroup) => Array.from({ length: group.k }, (_, i) => group.shard(i));
const parityOf = (group: ErasureGroup) =>
  Array.from({ length: group.m }, (_, j) => group.shard(group.k + j));

it("has the matrix of the vectors", () => {
  expect(vectors.polynomial).toBe(POLYNOMIAL.toString(16));
  for (const { row, columns, factors } of vectors.matrix) {
    expect(hex(Uint8Array.from({ length: columns }, (_, i) => coefficient(row, i)))).toBe(factors);
  }
});

it.skipIf(!python)("vectors are what the independent program computes", () => {
  const made = execFileSync("python3", [place("erasure.py")], { encoding: "utf8" });
  expect(JSON.parse(made)).toEqual(vectors);
});

describe.each(["relaxed", "simd", "twin"] as const)("variant %s", (variant) => {
  it("encodes as the vectors", () => {
    for (const vector of vectors.encodes) {
      const group = groupOf(variant, vector);
      group.encode();
      const name = `${vector.k}+${vector.m} of ${vector.shardBytes}`;
      expect(sha256(dataOf(group)), name).toBe(vector.dataSha256);
      expect(sha256(parityOf(group)), name).toBe(vector.paritySha256);
      if (vector.data) expect(dataOf(group).map(hex)).toEqual(vector.data);
      if (vector.parity) expect(parityOf(group).map(hex)).toEqual(vector.parity);
    }
  });

  it("decodes as the vectors", () => {
    for (const vector of vectors.decodes) {
      const { k, m, lost } = vector;
      const group = groupOf(variant, vector);
      group.encode();
      const present = new Uint8Array(k + m).fill(1);
      for (const index of lost) {
        present[index] = 0;
        group.shard(index).fill(0xee);
      }
      for (const [index, bytes] of Object.entries(vector.present ?? {})) {
        expect(hex(group.shard(Number(index)))).toBe(bytes);
      }
      expect(group.decode(present)).toBe(true);
      expect(sha256(dataOf(group)), `${k}+${m} without ${lost.join()}`).toBe(vector.dataSha256);
      for (const [index, bytes] of Object.entries(vector.restored ?? {})) {
        expect(hex(group.shard(Number(index)))).toBe(bytes);
      }
    }
  });
});
