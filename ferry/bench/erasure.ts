/**
 * Guarantee: what coding costs here, on one thread: data megabytes per processor second of encode
 * and decode, each variant beside the best npm package where that is installed. The sides take
 * turns round by round, so a change in the machine's load hits all; the median round counts.
 * Every decode of ours has another pattern of losses, and each kind is compared once with the data.
 */
import { pathToFileURL } from "node:url";
import { ErasureCoder, type ErasureGroup, type ErasureVariant } from "../src/erasure/index.ts";
import { type Bytes, fillWith, firstLost, patterns } from "./erasure/input.ts";
import { openPeer, PEER } from "./erasure/peer.ts";

const SHARD_BYTES = 1_408;
const GEOMETRIES = [
  { k: 32, m: 8 },
  { k: 128, m: 16 },
  { k: 187, m: 24 },
] as const;
const VARIANTS: readonly ErasureVariant[] = ["relaxed", "simd", "twin"];
/** What a sender with full interleaving keeps; more than the second cache holds. */
const GROUPS = 64;
/** The twin and the package take milliseconds for a group: few suffice. */
const SLOW_GROUPS = 2;
const ROUNDS = 15;
const QUICK_ROUNDS = 5;
const ROUND_MS = 30;
/** The engine compiles the module well only after it has run some times. */
const WARM_UP_MS = 150;

interface Side {
  readonly figure: string;
  readonly worth: number;
  readonly body: () => void;
  readonly rates: number[];
}

/** Calls `body` for about `ms` milliseconds; megabytes per processor second. */
function rate({ body, worth }: Side, ms: number): number {
  const start = performance.now();
  const used = process.cpuUsage();
  let calls = 0;
  while (performance.now() - start < ms) {
    body();
    calls += 1;
  }
  const { user, system } = process.cpuUsage(used);
  return (calls * worth) / (user + system);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Encode, and decode of 1, m/2 and m lost data shards, on `groups` in turn. */
function sidesOf(
  name: string,
  { k, m }: { k: number; m: number },
  groups: readonly { encode(): void; decode(present: Bytes): void; shard(i: number): Bytes }[],
  losses: (k: number, m: number, lost: number) => readonly Bytes[],
): Side[] {
  let turn = 0;
  const next = () => {
    turn += 1;
    return groups[turn % groups.length] as (typeof groups)[number];
  };
  const worth = k * SHARD_BYTES;
  const sides: Side[] = [
    { figure: `encode.${name}`, worth, rates: [], body: () => next().encode() },
  ];
  for (const group of groups) group.encode();
  for (const [label, lost] of [
    ["1", 1],
    ["half", m / 2],
    ["all", m],
  ] as const) {
    const marks = losses(k, m, lost);
    const check = groups[0] as (typeof groups)[number];
    const before = Array.from({ length: k }, (_, i) => Uint8Array.from(check.shard(i)));
    const erased = marks[0] as Bytes;
    for (let i = 0; i < k; i += 1) if (erased[i] === 0) check.shard(i).fill(0);
    check.decode(erased);
    if (before.some((shard, i) => Buffer.compare(shard, check.shard(i)) !== 0)) {
      throw new Error(`${name} did not restore ${lost} shards`);
    }
    let pattern = 0;
    const body = () => {
      pattern += 1;
      next().decode(marks[pattern % marks.length] as Bytes);
    };
    sides.push({ figure: `decode-${label}.${name}`, worth, rates: [], body });
  }
  return sides;
}

function ours(variant: ErasureVariant, shape: { k: number; m: number }): Side[] {
  const count = variant === "twin" ? SLOW_GROUPS : GROUPS;
  const shards = count * (shape.k + shape.m);
  const coder = ErasureCoder.open({ shards, shardBytes: SHARD_BYTES, variant });
  if (coder.variant !== variant) {
    process.stdout.write(`${variant}: ${coder.reason}\n`);
    return [];
  }
  const groups = Array.from({ length: count }, () => {
    const group = coder.allocate(shape.k, shape.m) as ErasureGroup;
    fillWith(shape.k, (i) => group.shard(i));
    return group;
  });
  return sidesOf(variant, shape, groups, patterns);
}

/** Prints a table, then one JSON object per figure. @param quick fewer rounds, other figure names. */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  const given = process.argv.indexOf("--peer");
  const path = given < 0 ? undefined : process.argv[given + 1];
  const peer = await openPeer(path === undefined ? PEER : pathToFileURL(path).href);
  if (peer === undefined) process.stdout.write(`${PEER} is not installed: no ratio to it\n`);
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const lines: object[] = [];
  for (const shape of GEOMETRIES) {
    const name = `${shape.k}+${shape.m}`;
    const all = VARIANTS.flatMap((variant) => ours(variant, shape));
    if (peer !== undefined) {
      const groups = Array.from({ length: SLOW_GROUPS }, () => peer(shape, SHARD_BYTES));
      all.push(...sidesOf("npm", shape, groups, firstLost));
    }
    for (const side of all) rate(side, WARM_UP_MS);
    for (let round = 0; round < rounds; round += 1) {
      for (const side of all) side.rates.push(rate(side, ROUND_MS));
    }
    const of = (figure: string) => median(all.find((s) => s.figure === figure)?.rates ?? []);
    process.stdout.write(
      `${"figure".padEnd(28)}${"MB/s".padStart(8)}${"÷ npm".padStart(8)}${"÷ encode".padStart(10)}\n`,
    );
    for (const side of all) {
      const [work = "", variant = ""] = side.figure.split(".");
      const value = median(side.rates);
      const beside = of(`${work}.npm`);
      const encode = of(`encode.${variant}`);
      const ratio = beside === 0 ? "–" : (value / beside).toFixed(1);
      process.stdout.write(
        `${`${name} ${work} ${variant}`.padEnd(28)}${value.toFixed(0).padStart(8)}${ratio.padStart(8)}${(value / encode).toFixed(2).padStart(10)}\n`,
      );
      lines.push({
        bench: "erasure",
        figure: `erasure.${name}.${side.figure}${quick ? ".quick" : ""}`,
        value: Number(value.toPrecision(4)),
        unit: "MB/s",
        ...(beside > 0 && {
          peer: PEER,
          peer_value: Number(beside.toPrecision(4)),
          ratio: Number((value / beside).toPrecision(3)),
        }),
        ratio_to_encode: Number((value / encode).toPrecision(3)),
        n: rounds,
        conditions: `Node ${process.version}, one thread, data MB per processor second, ${SHARD_BYTES}-byte shards, median of ${rounds} alternating rounds`,
      });
    }
  }
  for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
}

if (import.meta.main) await run({ quick: process.argv.includes("--quick") });
