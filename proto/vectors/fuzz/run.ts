/**
 * Guarantee: each mutated bundle is read to its end or its refusal: never
 * accepted with other contents than the original's, never anything but a named
 * refusal, never slow, and in bounded memory.
 */
import { readdirSync, readFileSync } from "node:fs";
import { bufferSource, openBundle, readHeader, verifyHeader } from "../../src/bundle/index.ts";
import { asGatewayError, GatewayError } from "../../src/errors/index.ts";
import { domainSeparated, loadProvider } from "../../src/sm/index.ts";
import { forge } from "../forge.ts";
import { type PartyName, readKeys } from "../keys.ts";
import type { Vector } from "../vector.ts";
import { type Choose, changeBytes, changeHeader, type Mutant } from "./mutations.ts";

/** No bundle of the kit takes more than a few milliseconds; a hundred times that is a hang. */
const HANG_MS = 2_000;
/** Bytes that a read hands out at most. One at a time is the vectors' business: it costs a turn each. */
const STEPS = [2 ** 20, 1021, 257];
/** Bytes at rest are all alike: small bundles have every field, and a million of them fit an hour. */
const LARGEST_BASE64 = 32 * 1024;
const BUNDLES = new URL("../bundle/", import.meta.url);

/** Forging costs ten times what a change of bytes does. */
const FORGED_ONE_IN = 50;
/** The vector with the one item that forged bundles carry too. */
const FORGED_LIKE = "valid-one-item";
const FORGED_CONTENT = Buffer.from('{"parcel":"430100-0001","area":12.5}');

export interface FuzzReport {
  readonly mutants: number;
  /** Codes of the refusals and how often. */
  readonly refused: Readonly<Record<string, number>>;
  /** Read to the end with the original's contents: a change, signed again, of what nothing depends on. */
  readonly harmless: number;
  /** Accepted though the sender did not sign it, or with other contents. Must be empty. */
  readonly accepted: readonly string[];
  /** Ended otherwise than by a named refusal. Must be empty. */
  readonly crashed: readonly string[];
  readonly slowestMs: number;
  /** Growth of the resident set, bytes. */
  readonly grownBytes: number;
}

/** How many faults are told before the rest is only counted. */
const TOLD = 20;

export async function fuzzBundles(count: number, choose: Choose): Promise<FuzzReport> {
  const kit = readdirSync(BUNDLES)
    .filter((name) => name.startsWith("valid-"))
    .map((name) => JSON.parse(readFileSync(new URL(name, BUNDLES), "utf8")) as Vector)
    .filter(({ bundle }) => bundle.length <= LARGEST_BASE64);
  const forged = kit.find(({ name }) => name === FORGED_LIKE);
  const provider = loadProvider();
  const keys = readKeys();
  const sign = (header: Uint8Array) =>
    provider.sm2Sign(keys.sender.key, domainSeparated("bundle-header/1", header));
  const refused: Record<string, number> = {};
  const accepted: string[] = [];
  const crashed: string[] = [];
  let harmless = 0;
  let slowestMs = 0;
  let startBytes = 0;
  // The collector and the caches settle first; what grows after that is a leak.
  const settled = Math.min(1_000, count / 4);
  for (let index = 0; index < count; index += 1) {
    if (index >= settled && startBytes === 0) startBytes = process.memoryUsage.rss();
    const vector = choose(FORGED_ONE_IN) === 0 ? forged : kit[choose(kit.length)];
    if (vector === undefined) break;
    const original = Buffer.from(vector.bundle, "base64");
    const resigned = vector === forged || choose(4) === 0;
    const mutant =
      vector === forged
        ? changeManifest(choose)
        : mutate(original, choose, resigned ? sign : undefined);
    if (mutant.bytes.equals(original)) continue;
    const started = performance.now();
    const outcome = await read(vector, mutant.bytes);
    slowestMs = Math.max(slowestMs, performance.now() - started);
    const told = `#${index} ${vector.name}: ${mutant.change}`;
    if (outcome === "same" && resigned) harmless += 1;
    else if (outcome === "same" || outcome === "other") accepted.push(told);
    else if (typeof outcome === "string") refused[outcome] = (refused[outcome] ?? 0) + 1;
    else crashed.push(`${told}: ${String(outcome.fault)}`);
  }
  return {
    mutants: count,
    refused,
    harmless,
    accepted: accepted.slice(0, TOLD),
    crashed: crashed.slice(0, TOLD),
    slowestMs: Math.round(slowestMs),
    grownBytes: Math.max(0, process.memoryUsage.rss() - startBytes),
  };

  /** "same", "other", the code of the refusal, or what was thrown instead. */
  async function read(vector: Vector, bytes: Buffer): Promise<string | { fault: unknown }> {
    const { now, lane, sender, self, decryptKey } = vector.context;
    const contents: string[] = [];
    const owned = (party: PartyName) => (nodeId: string, keyId: string) =>
      keys[party].nodeId === nodeId && keys[party].keyId === keyId
        ? keys[party].key.publicKey
        : undefined;
    const known = { signKey: owned("sender"), policyKey: owned("policy") };
    try {
      const received = await readHeader(bufferSource(bytes, STEPS[choose(STEPS.length)]));
      const verified = verifyHeader(provider, received, { now, lane, sender, self, keys: known });
      const key = keys[decryptKey as PartyName].key;
      for await (const item of openBundle(provider, verified, key)) {
        const pieces: Uint8Array[] = [];
        for await (const piece of item.content) pieces.push(Uint8Array.from(piece));
        contents.push(Buffer.concat(pieces).toString("base64"));
      }
    } catch (error) {
      return error instanceof GatewayError && error.code !== "internal.fault"
        ? asGatewayError(error).code
        : { fault: error };
    }
    const expected =
      "items" in vector.expect ? vector.expect.items.map((item) => Object.values(item)[0]) : [];
    return JSON.stringify(contents) === JSON.stringify(expected) ? "same" : "other";
  }
}

/** A sender whose manifest is at fault, everything around it made to fit. */
function changeManifest(choose: Choose): Mutant {
  let change = "";
  const bytes = forge({
    items: [{ content: FORGED_CONTENT }],
    manifestBytes: (plain) => {
      const mutant = changeBytes(Buffer.from(plain), choose);
      change = `manifest ${mutant.change}`;
      return mutant.bytes;
    },
  });
  return { bytes, change };
}

function mutate(
  original: Buffer,
  choose: Choose,
  sign: ((header: Uint8Array) => Uint8Array) | undefined,
): Mutant {
  if (sign !== undefined) return changeHeader(original, choose, sign);
  return choose(3) === 0 ? changeHeader(original, choose) : changeBytes(original, choose);
}

/** Whether a report says that all went as it must; the reasons when it did not. */
export function faultsOf(report: FuzzReport): string[] {
  return [
    ...report.accepted.map((told) => `accepted ${told}`),
    ...report.crashed.map((told) => `crashed ${told}`),
    ...(report.slowestMs > HANG_MS ? [`one took ${report.slowestMs} ms`] : []),
    ...(report.grownBytes > 128 * 1024 * 1024 ? [`grew by ${report.grownBytes} bytes`] : []),
  ];
}
