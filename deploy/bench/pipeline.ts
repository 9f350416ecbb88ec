/**
 * Guarantee: measures the whole road on this machine: small requests a second,
 * their latency at a fixed offered rate, and one large file; urgent requests
 * beside both, with ordinary ones of the same minute as their measure; with the CPU
 * seconds of every process and, beside the file, the bare cipher and hash of
 * the same bytes in the same run.
 *
 * Usage: npm run bench -- pipeline [--quick]
 */
import { type CipherGCM, createCipheriv, createHash, randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { cpuSeconds, familyOf, peakMegabytes } from "../drills/cpu.ts";
import { seededFrom } from "../drills/random.ts";
import { type RunningZones, startZones } from "../drills/zones.ts";
import { ZONE_SERVICES, ZONES, type ZoneName, zonePaths, zonePorts } from "../src/layout.ts";
import { databaseUrl, zonePasswords } from "../src/setup/databases.ts";
import { NOTICE, RECORD, rowsOf, submit, Timed, untilRows, WARNING } from "./pipeline/timed.ts";

const CONCURRENCY = 256;
const OFFERED_PER_SECOND = 500;
/** Of those one more that is urgent: ten a second. */
const URGENT_EVERY = 50;
/** Between two warnings, and two ordinary notices, beside the file. */
const BESIDE_FILE_MS = 250;
const CHUNK = 256 * 1024;
const CONDITIONS =
  "2 cores shared by all processes, load generator and PostgreSQL included; loopback gate, frames of 8,944 bytes";

interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly peer_value?: number;
  readonly n: number;
}

export async function run({ quick }: { readonly quick: boolean }): Promise<void> {
  const requests = quick ? 2_000 : 20_000;
  const latencySeconds = quick ? 4 : 20;
  const fileBytes = (quick ? 50 : 500) * 1_000_000;
  const tag = quick ? ".quick" : "";
  const figures: Figure[] = [];
  const zones = await startZones();
  const receiver = new pg.Client(receiverUrl(zones));
  await receiver.connect();
  try {
    await throughput(zones, receiver, 200, "warm");
    const cpuBefore = cpuTable(zones);
    const rate = await throughput(zones, receiver, requests, "rate");
    figures.push({ figure: `pipeline.requests.rate${tag}`, value: rate, unit: "1/s", n: requests });
    printCpu(`CPU seconds for ${requests} requests`, zones, cpuBefore);
    const offered = await latency(zones, receiver, latencySeconds);
    for (const [name, share] of SHARES) {
      const figure = `pipeline.requests.${name}-at-500${tag}`;
      const value = at(offered.ordinary, share);
      figures.push({ figure, value, unit: "ms", n: offered.ordinary.length });
      figures.push(besideOrdinary(`pipeline.urgent.${name}-at-500${tag}`, offered, share));
    }
    const cpuFile = cpuTable(zones);
    const { goodput, beside } = await fileAndNotices(zones, receiver, fileBytes);
    const bare = bareCipher(Math.min(fileBytes, 200_000_000));
    figures.push({
      figure: `pipeline.file.goodput${tag}`,
      value: goodput,
      unit: "MB/s",
      peer: "SM4-GCM and SM3 of the same bytes, one pass, one core",
      peer_value: bare,
      n: fileBytes,
    });
    for (const [name, share] of SHARES) {
      figures.push(besideOrdinary(`pipeline.urgent.${name}-beside-file${tag}`, beside, share));
    }
    printCpu(`CPU seconds for one file of ${fileBytes / 1e6} MB`, zones, cpuFile);
  } finally {
    await receiver.end();
    await zones.stop();
  }
  for (const figure of figures) {
    console.log(
      `${figure.figure.padEnd(36)} ${figure.value.toFixed(1)} ${figure.unit}${figure.peer_value === undefined ? "" : `   (${figure.peer}: ${figure.peer_value.toFixed(1)})`}`,
    );
  }
  for (const figure of figures) {
    const ratio = figure.peer_value === undefined ? null : figure.value / figure.peer_value;
    console.log(
      JSON.stringify({
        bench: "pipeline",
        peer: null,
        peer_value: null,
        ...figure,
        ratio,
        conditions: CONDITIONS,
      }),
    );
  }
}

function receiverUrl(zones: RunningZones): string {
  const { receiver } = zonePasswords(zonePaths(zones.home, "business"));
  return databaseUrl(
    zonePorts("business", zones.options.portBase).postgres,
    "receiver",
    receiver,
    "receiver",
  );
}

/** Requests a second from the first submission to the last row in the target's table. */
async function throughput(
  zones: RunningZones,
  receiver: pg.Client,
  count: number,
  name: string,
): Promise<number> {
  const before = await rowsOf(receiver, RECORD);
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await submit(zones, RECORD, `${name} ${i}`);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  await untilRows(receiver, RECORD, before, count);
  return count / ((performance.now() - started) / 1000);
}

/** Milliseconds from handing over to the row in the target's table, ascending. */
interface Latencies {
  readonly ordinary: readonly number[];
  readonly urgent: readonly number[];
}

const SHARES = [
  ["p50", 0.5],
  ["p99", 0.99],
] as const;

const at = (latencies: readonly number[], share: number): number =>
  latencies[Math.floor(latencies.length * share)] ?? Number.NaN;

function besideOrdinary(figure: string, { ordinary, urgent }: Latencies, share: number): Figure {
  return {
    ...{ figure, value: at(urgent, share), unit: "ms", n: urgent.length },
    ...{ peer: "ordinary ones meanwhile", peer_value: at(ordinary, share) },
  };
}

async function latency(
  zones: RunningZones,
  receiver: pg.Client,
  seconds: number,
): Promise<Latencies> {
  const ordinary = new Timed(zones, receiver, RECORD);
  const urgent = new Timed(zones, receiver, WARNING);
  const count = seconds * OFFERED_PER_SECOND;
  const started = performance.now();
  for (let i = 0; i < count; i += 1) {
    const due = started + (i * 1000) / OFFERED_PER_SECOND;
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
    ordinary.submit(`latency ${i}`);
    if (i % URGENT_EVERY === 0) urgent.submit(`urgent ${i}`);
  }
  return { urgent: await urgent.latencies(), ordinary: await ordinary.latencies() };
}

/** One file, and while it crosses urgent and ordinary notices in turn. */
async function fileAndNotices(
  zones: RunningZones,
  receiver: pg.Client,
  bytes: number,
): Promise<{ readonly goodput: number; readonly beside: Latencies }> {
  const ordinary = new Timed(zones, receiver, NOTICE);
  const urgent = new Timed(zones, receiver, WARNING);
  const over = new AbortController();
  const file = oneFile(zones, bytes).finally(() => over.abort());
  const pause = () => delay(BESIDE_FILE_MS / 2, undefined, { signal: over.signal }).catch(() => {});
  const notices = async (): Promise<Latencies> => {
    while (!over.signal.aborted) {
      urgent.submit("beside a file");
      await pause();
      ordinary.submit("beside a file");
      await pause();
    }
    return { urgent: await urgent.latencies(), ordinary: await ordinary.latencies() };
  };
  const [goodput, beside] = await Promise.all([file, notices()]);
  return { goodput, beside };
}

/** MB/s from the first byte of the upload to the delivered file. */
async function oneFile(zones: RunningZones, bytes: number): Promise<number> {
  const started = performance.now();
  const query = new URLSearchParams({
    lane: "inbound",
    service: "bulk-data",
    grade: "G1",
    filename: "bench.bin",
  });
  const answer = await zones.apis.extranet.send(
    "POST",
    `/v1/files?${query}`,
    { "content-type": "application/octet-stream", "content-length": String(bytes) },
    seededFrom(1, bytes, 0),
  );
  const { received } = await zones.operators.follow(
    "extranet",
    String(answer.body.exchangeId),
    Date.now() + 300_000,
  );
  if (received?.state !== "delivered") throw new RangeError(`the file ended ${received?.state}`);
  return bytes / 1e6 / ((performance.now() - started) / 1000);
}

/** The floor: every stage that encrypts does at least this once. */
function bareCipher(bytes: number): number {
  const key = randomBytes(16);
  const chunk = randomBytes(CHUNK);
  const started = performance.now();
  for (let done = 0; done < bytes; done += CHUNK) {
    // Node's types do not list SM4 among the GCM ciphers, OpenSSL does.
    const cipher = createCipheriv("sm4-gcm", key, randomBytes(12)) as CipherGCM;
    const sealed = cipher.update(chunk);
    cipher.final();
    createHash("sm3").update(sealed).update(cipher.getAuthTag()).digest();
  }
  return bytes / 1e6 / ((performance.now() - started) / 1000);
}

type CpuTable = ReadonlyMap<string, number>;

function members(zones: RunningZones): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const zone of ZONES) {
    for (const service of [...ZONE_SERVICES[zone], "postgres"])
      found.set(`${zone}/${service}`, zones.pid(zone as ZoneName, service));
  }
  return found;
}

function cpuTable(zones: RunningZones): CpuTable {
  const table = new Map<string, number>();
  for (const [name, pid] of members(zones)) {
    table.set(
      name,
      familyOf(pid).reduce((sum, member) => sum + (cpuSeconds(member) ?? 0), 0),
    );
  }
  return table;
}

function printCpu(title: string, zones: RunningZones, before: CpuTable): void {
  console.log(`\n${title}`);
  for (const [name, seconds] of cpuTable(zones)) {
    const used = seconds - (before.get(name) ?? 0);
    const memory = peakMegabytes(
      zones.pid(name.split("/")[0] as ZoneName, name.split("/")[1] ?? ""),
    );
    console.log(
      `  ${name.padEnd(24)} ${used.toFixed(2).padStart(8)} s   peak ${memory.toFixed(0).padStart(5)} MB`,
    );
  }
  console.log("");
}
