/**
 * Guarantee checked: a reader written from SPEC.md alone, in another language, says of every vector
 * and of mutated bundles exactly what the reader of this package says.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { domainSeparated, loadProvider } from "../src/sm/index.ts";
import { forge } from "../vectors/forge.ts";
import { changeBytes, changeHeader, type Mutant } from "../vectors/fuzz/mutations.ts";
import { readKeys } from "../vectors/keys.ts";
import type { Vector } from "../vectors/vector.ts";
import { readVector } from "./read-vector.ts";

const kit = fileURLToPath(new URL("../vectors/bundle/", import.meta.url));
const program = fileURLToPath(new URL("second-reader/read_kit.py", import.meta.url));
const MUTANTS = Number(process.env.LIGHTFERRY_MUTANTS ?? 200);
const SEED = Number(process.env.LIGHTFERRY_SEED ?? 20260115);
/** Plain Python needs some 30 ms a bundle. */
const TIMEOUT_MS = 60_000 + 200 * MUTANTS;

interface Ran {
  readonly status: number;
  readonly lines: readonly { readonly name: string; readonly expected?: unknown }[];
}

const python = await run("--version").catch(() => undefined);
const unavailable = python === undefined ? "python3 is not installed: second reader not run" : "";
if (unavailable !== "") process.stderr.write(`${unavailable}\n`);

function run(...places: string[]): Promise<Ran> {
  const args = places[0] === "--version" ? places : [program, ...places];
  return new Promise((resolve, reject) => {
    execFile("python3", args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const status = typeof error?.code === "number" ? error.code : 0;
      if ((error !== null && typeof error.code !== "number") || stderr !== "") {
        reject(new Error(`python3: ${stderr || String(error)}`));
        return;
      }
      const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
      resolve({ status, lines: lines.map((line) => JSON.parse(line) as Ran["lines"][number]) });
    });
  });
}

/** A repeatable generator (mulberry32). */
function chooser(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One of four: bytes changed on the way, a header changed and signed or not, what is inside changed by the sender. */
function mutate(original: Buffer, index: number, choose: (below: number) => number): Mutant {
  const keys = readKeys();
  const provider = loadProvider();
  const sign = (header: Uint8Array) =>
    provider.sm2Sign(keys.sender.key, domainSeparated("bundle-header/1", header));
  switch (index % 4) {
    case 0:
      return changeBytes(original, choose);
    case 1:
      return changeHeader(original, choose);
    case 2:
      return changeHeader(original, choose, sign);
    default:
      return changeInside(choose);
  }
}

/** Manifest, entry or verdict changed before it is committed to, hashed, permitted and signed. */
function changeInside(choose: (below: number) => number): Mutant {
  let change = "";
  const altered = (where: string) => (bytes: Uint8Array) => {
    const mutant = changeBytes(Buffer.from(bytes), choose);
    change = `${where} ${mutant.change}`;
    return mutant.bytes;
  };
  const content = Buffer.from("{}");
  const bytes =
    choose(2) === 0
      ? forge({ items: [{ content }], manifestBytes: altered("manifest") })
      : forge({ items: [{ content, entryBytes: altered("entry") }] });
  return { bytes, change };
}

it.skipIf(unavailable !== "")(
  "agrees with every vector of the kit",
  async () => {
    const { status, lines } = await run(kit);
    expect(lines.filter(({ expected }) => expected !== undefined)).toEqual([]);
    expect(status).toBe(0);
    expect(lines.length).toBe((await readdir(kit)).length);
  },
  TIMEOUT_MS,
);

it.skipIf(unavailable !== "")(
  `says of ${MUTANTS} mutants what this reader says`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "lf-mutants-"));
    try {
      const choose = chooser(SEED);
      const names = (await readdir(kit)).filter((name) => name.startsWith("valid-")).sort();
      const told = new Map<string, string>();
      for (let index = 0; index < MUTANTS; index += 1) {
        const name = names[choose(names.length)] ?? "";
        const good = JSON.parse(await readFile(join(kit, name), "utf8")) as Vector;
        const mutant = mutate(Buffer.from(good.bundle, "base64"), index, choose);
        const bundle = mutant.bytes.toString("base64");
        const own = { ...good, name: `mutant-${index}`, bundle };
        const vector = { ...own, expect: await readVector(own) };
        told.set(vector.name, `${good.name}: ${mutant.change}`);
        await writeFile(join(folder, `${vector.name}.json`), JSON.stringify(vector));
      }
      const { lines } = await run(folder);
      const differing = lines.filter(({ expected }) => expected !== undefined);
      expect(differing.map((line) => ({ ...line, change: told.get(line.name) }))).toEqual([]);
      expect(lines.length).toBe(MUTANTS);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  TIMEOUT_MS,
);
