/**
 * Guarantee: what a bundle's table costs here, one thread: SM3 of 256 KiB
 * chunks, four lanes at once beside the OpenSSL inside Node. The sides take
 * turns round by round, so a change in the machine's load hits both; the
 * median round counts.
 */
import { createTableHasher, LANE_COUNT, LEAF_BYTES, loadProvider } from "../src/sm/index.ts";
import { chooseLanes } from "../src/sm/lanes.ts";
import { tableHasher } from "../src/sm/table-hasher.ts";

/** A sealed chunk: 256 KiB and a 16-byte tag. */
const CHUNK_BYTES = 256 * 1024 + 16;
/** Four passes of the lanes: 4 MiB of a bundle. */
const CHUNKS = 4 * LANE_COUNT;
const ROUNDS = 15;
const FULL_ROUND_MS = 200;
const QUICK_ROUND_MS = 60;
/** The engine compiles the module well only after it has run some times. */
const WARM_UP_MS = 300;

interface Side {
  readonly name: string;
  /** Bytes that one call hashes. */
  readonly worth: number;
  readonly body: () => void;
  readonly rates: number[];
}

/** Calls `body` for about `ms` milliseconds; megabytes per second. */
function rate({ body, worth }: Side, ms: number): number {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  while (elapsed < ms) {
    body();
    calls += 1;
    elapsed = performance.now() - start;
  }
  return (calls * worth) / elapsed / 1e3;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function sides(): readonly [openssl: Side, copied: Side, inPlace: Side] {
  const provider = loadProvider();
  const fast = createTableHasher(provider);
  const alone = tableHasher(provider, chooseLanes(provider, "off"));
  const chunks = Array.from({ length: CHUNKS }, (_, i) => Buffer.alloc(CHUNK_BYTES, i));
  const into = Buffer.alloc(CHUNKS * LEAF_BYTES);
  for (let lane = 0; lane < LANE_COUNT; lane += 1) fast.lanes.buffer(lane, CHUNK_BYTES).fill(lane);
  const side = (name: string, count: number, body: () => void): Side => ({
    name,
    worth: count * CHUNK_BYTES,
    body,
    rates: [],
  });
  return [
    side("openssl", CHUNKS, () => alone.leaves(chunks, into)),
    side("table", CHUNKS, () => fast.leaves(chunks, into)),
    side("table-in-place", LANE_COUNT, () => fast.lanes.digest(CHUNK_BYTES, LANE_COUNT, into)),
  ];
}

/** Prints a table, then one JSON object per figure. @param quick shorter rounds, other figure names. */
export function run({ quick }: { quick: boolean }): Promise<void> {
  const all = sides();
  const [openssl, ...ours] = all;
  for (const side of all) rate(side, WARM_UP_MS);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const side of all) side.rates.push(rate(side, quick ? QUICK_ROUND_MS : FULL_ROUND_MS));
  }
  const { name } = createTableHasher(loadProvider());
  const peer = median(openssl.rates);
  process.stdout.write(`${"figure".padEnd(16)}${name.padEnd(14)}openssl     ratio\n`);
  for (const side of ours) {
    const columns = [side.name.padEnd(16), `${median(side.rates).toFixed(0)} MB/s`.padEnd(14)];
    const ratio = `${(median(side.rates) / peer).toFixed(2)}×`;
    process.stdout.write(`${columns.join("")}${`${peer.toFixed(0)} MB/s`.padEnd(12)}${ratio}\n`);
  }
  for (const side of ours) {
    const value = median(side.rates);
    const line = {
      bench: "sm3",
      figure: `sm3.${side.name}${quick ? ".quick" : ""}`,
      value: Number(value.toPrecision(5)),
      unit: "MB/s",
      peer: "OpenSSL, same chunks",
      peer_value: Number(peer.toPrecision(5)),
      ratio: Number((value / peer).toPrecision(4)),
      n: ROUNDS,
      conditions: `Node ${process.version}, OpenSSL ${process.versions.openssl}, ${name}, one thread, 256 KiB chunks, median of ${ROUNDS} alternating rounds`,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  return Promise.resolve();
}

if (import.meta.main) await run({ quick: process.argv.includes("--quick") });
