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
import { encodeCanonical, type MessageType } from "../src/canonical.ts";
import { lightferry } from "../src/gen/index.js";
import { domainSeparated, loadProvider } from "../src/sm/index.ts";
import { TrustStore } from "../src/trust/index.ts";
import { type Forgery, forge } from "../vectors/forge.ts";
import { changeBytes, changeField, changeHeader, type Mutant } from "../vectors/fuzz/mutations.ts";
import { readKeys } from "../vectors/keys.ts";
import { pkiItem } from "../vectors/pki/make.ts";
import type { Vector } from "../vectors/vector.ts";
import { readVector } from "./read-vector.ts";

const { Header, Manifest, ManifestEntry } = lightferry.bundle.v1;
const { Verdict } = lightferry.policy.v1;
const kit = fileURLToPath(new URL("../vectors/bundle/", import.meta.url));
const certificates = fileURLToPath(new URL("../vectors/certificates/", import.meta.url));
const program = fileURLToPath(new URL("second-reader/read_kit.py", import.meta.url));
const MUTANTS = Number(process.env.LIGHTFERRY_MUTANTS ?? 200);
const SEED = Number(process.env.LIGHTFERRY_SEED ?? 20260115);
const ITEM_MUTANTS = 2 * MUTANTS;
/** Names in vectors/pki. */
const ITEMS = [
  "sender-sign",
  "recipient-encrypt",
  "extranet-ca",
  "extranet-list-2-superseded-before",
  "root",
];
/** Plain Python needs some 30 ms a bundle. */
const TIMEOUT_MS = 60_000 + 200 * MUTANTS;

interface Ran {
  readonly status: number;
  readonly lines: readonly {
    readonly name: string;
    readonly code?: string;
    readonly imports?: unknown;
    readonly expected?: unknown;
  }[];
}

const python = await run("--version").catch(() => undefined);
const unavailable = python === undefined ? "python3 is not installed: second reader not run" : "";
if (unavailable !== "") process.stderr.write(`${unavailable}\n`);

function run(...places: string[]): Promise<Ran> {
  // -B: nothing is written beside the program.
  const args = places[0] === "--version" ? places : ["-B", program, ...places];
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
  const changedBytes = (where: string) => (bytes: Uint8Array) => {
    const mutant = changeBytes(Buffer.from(bytes), choose);
    change = `${where} ${mutant.change}`;
    return mutant.bytes;
  };
  const changedField =
    <M extends object>(where: string, type: MessageType<M>) =>
    (bytes: Uint8Array) => {
      const message = type.decode(bytes);
      change = `${where} field ${changeField(message, choose)}`;
      return encodeCanonical(type, message);
    };
  const content = Buffer.from("{}");
  const inside = (): Forgery => {
    switch (choose(5)) {
      case 0:
        return { items: [{ content }], manifestBytes: changedBytes("manifest") };
      case 1:
        return { items: [{ content }], manifestBytes: changedField("manifest", Manifest) };
      case 2:
        return { items: [{ content, entryBytes: changedBytes("entry") }] };
      case 3:
        return { items: [{ content, entryBytes: changedField("entry", ManifestEntry) }] };
      default: {
        const verdict = verdictOf(forge({ items: [{ content }] }));
        change = `verdict field ${changeField(verdict, choose)}`;
        return { items: [{ content, verdict }], early: { grade: "G2" } };
      }
    }
  };
  const bytes = forge(inside());
  return { bytes, change };
}

/** The verdict of the only item. */
function verdictOf(bundle: Buffer) {
  const header = Header.decode(bundle.subarray(8, 8 + bundle.readUInt32BE(4)));
  return Verdict.decode(header.items[0]?.verdict ?? Buffer.of());
}

it.skipIf(unavailable !== "")(
  "agrees with every vector of the kit",
  async () => {
    const { status, lines } = await run(kit, certificates);
    expect(lines.filter(({ expected }) => expected !== undefined)).toEqual([]);
    expect(status).toBe(0);
    const count = (await readdir(kit)).length + (await readdir(certificates)).length;
    expect(lines.length).toBe(count);
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
      // Mutants that all fail alike would prove little.
      expect(new Set(lines.map(({ code }) => code)).size).toBeGreaterThan(10);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  TIMEOUT_MS,
);

it.skipIf(unavailable !== "")(
  `says of ${ITEM_MUTANTS} mutated certificates and lists what the trust store says`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "lf-mutants-"));
    try {
      const choose = chooser(SEED);
      const context = {
        now: Date.UTC(2026, 0, 15),
        mode: "production",
        root: "root",
        known: ["extranet-ca", "business-ca"],
        lists: [],
      } as const;
      const store = TrustStore.build(loadProvider(), {
        root: pkiItem(context.root),
        mode: context.mode,
        set: { version: 1, certificates: context.known.map(pkiItem) },
      });
      const imports = Array.from({ length: ITEM_MUTANTS }, () => {
        const item = ITEMS[choose(ITEMS.length)] ?? "root";
        const original = Buffer.from(pkiItem(item));
        const bytes =
          choose(3) === 0 ? changeBytes(original, choose).bytes : flipped(original, choose);
        const { status, code } = store.judge(bytes, context.now);
        const said = { item, der: bytes.toString("base64"), status };
        return code === undefined ? said : { ...said, code };
      });
      // Parsed and judged, not only found to be nothing at all.
      expect(new Set(imports.map((one) => ("code" in one ? one.code : "")))).toContain(
        "certificate.untrusted",
      );
      await writeFile(
        join(folder, "imports.json"),
        JSON.stringify({ name: "mutants", changed: "", context, imports }),
      );
      const { lines } = await run(folder);
      expect(lines.length).toBe(1);
      expect(lines[0]?.imports).toEqual(imports);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  TIMEOUT_MS,
);

function flipped(bytes: Buffer, choose: (below: number) => number): Buffer {
  const at = choose(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << choose(8));
  return bytes;
}
