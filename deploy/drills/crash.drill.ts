/**
 * Guarantee: kills every process of both zones with SIGKILL, one after the
 * other, while a large file and many requests are under way, and then counts:
 * what was accepted and lost, what a target received twice, what has no full
 * trail, and whether both logs verify.
 *
 * count = requests; a full run is 2,000 requests and a file of 200 MB.
 */
import { createHash } from "node:crypto";
import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ApiAnswer } from "../src/demo/api-client.ts";
import { ZONE_SERVICES, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { submitRequest, uploadResumable } from "./integrator.ts";
import { targetTable, undelivered, verifyLogs } from "./outcome.ts";
import { seededChoice, seededDigest, seededFrom } from "./random.ts";
import { incompleteTrails } from "./trails.ts";
import { type RunningZones, startZones } from "./zones.ts";

export const FULL_COUNT = 2_000;
const FILE_BYTES_PER_REQUEST = 100_000;
const CONCURRENCY = 16;
/** Kept short so that what a killed receiver missed is sent again within the drill. */
const SECOND_PASS_SECONDS = 4;
const DEADLINE_MS = 15 * 60_000;

/** Every process of both zones. */
const VICTIMS = ZONES.flatMap((zone) =>
  [...ZONE_SERVICES[zone], "postgres"].map((service) => [zone, service] as const),
);

export interface CrashReport {
  readonly requests: number;
  readonly notices: number;
  readonly fileBytes: number;
  readonly kills: readonly string[];
  readonly lost: readonly string[];
  /** Exchanges that a target honouring the key received more than once. */
  readonly duplicated: number;
  /** Notices (target without idempotency) that stand twice in its table. */
  readonly silentDoubles: number;
  readonly inDoubt: number;
  readonly fileIdentical: boolean;
  readonly withoutTrail: readonly string[];
  readonly verify: Readonly<Record<ZoneName, number>>;
  readonly seconds: number;
}

export async function drill(options: {
  readonly count: number;
  readonly seed: number;
}): Promise<CrashReport> {
  const started = performance.now();
  const deadline = Date.now() + DEADLINE_MS;
  const zones = await startZones({ gateSecondPassSeconds: SECOND_PASS_SECONDS });
  try {
    const fileBytes = options.count * FILE_BYTES_PER_REQUEST;
    const notices = Math.max(4, Math.floor(options.count / 50));
    const killed = killAll(zones, options.seed);
    const [requests, noticeAnswers, file] = await Promise.all([
      submitMany(zones, "land-registration", "/records", options.count, deadline),
      submitMany(zones, "parcel-notice", "/notices", notices, deadline),
      uploadResumable(
        zones.apis.extranet,
        {
          service: "bulk-data",
          name: "bulk.bin",
          size: fileBytes,
          key: "drill-file",
          from: (offset) => seededFrom(options.seed, fileBytes, offset),
        },
        deadline,
      ),
    ]);
    const kills = await killed;
    return {
      ...(await count(zones, requests, noticeAnswers, file, options.seed, fileBytes, deadline)),
      requests: requests.length,
      notices: noticeAnswers.length,
      fileBytes,
      kills,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await zones.stop();
  }
}

/** Kills each process once, in an order drawn from the seed; the next dies when the last is back. */
async function killAll(zones: RunningZones, seed: number): Promise<string[]> {
  const choose = seededChoice(seed);
  const left = [...VICTIMS];
  const kills: string[] = [];
  while (left.length > 0) {
    const [victim] = left.splice(choose(left.length), 1);
    if (victim === undefined) break;
    const [zone, service] = victim;
    await zones.kill(zone, service);
    kills.push(`${zone}/${service}`);
  }
  return kills;
}

async function submitMany(
  zones: RunningZones,
  service: string,
  path: string,
  count: number,
  deadline: number,
): Promise<ApiAnswer[]> {
  const answers: ApiAnswer[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) {
      answers[i] = await submitRequest(
        zones.apis.extranet,
        service,
        path,
        `drill-${service}-${i}`,
        { number: i, note: "drill" },
        deadline,
      );
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return answers;
}

async function count(
  zones: RunningZones,
  requests: readonly ApiAnswer[],
  notices: readonly ApiAnswer[],
  file: ApiAnswer,
  seed: number,
  fileBytes: number,
  deadline: number,
): Promise<Omit<CrashReport, "requests" | "notices" | "fileBytes" | "kills" | "seconds">> {
  const idOf = (answer: ApiAnswer) => String(answer.body.exchangeId);
  const { lost, inDoubt } = await undelivered(
    zones,
    [...requests, ...notices, file].map(idOf),
    deadline,
  );
  const records = await targetTable(zones, "record");
  const notArrived = requests.map(idOf).filter((id) => !records.exchanges.has(id));
  return {
    lost: [...lost, ...notArrived.map((id) => `${id} no row`)],
    duplicated: records.doubled,
    silentDoubles: (await targetTable(zones, "notice")).doubled,
    inDoubt,
    fileIdentical: (await dropDigest(zones, idOf(file))) === seededDigest(seed, fileBytes),
    withoutTrail: await incompleteTrails(zones, [...requests, file].map(idOf)),
    verify: await verifyLogs(zones),
  };
}

async function dropDigest(zones: RunningZones, exchangeId: string): Promise<string> {
  const folder = join(zonePaths(zones.home, "business").drop, "bulk-data");
  const files = readdirSync(folder).filter(
    // Hidden names are a delivery's own marks, gone once its outcome is recorded.
    (name) => !name.startsWith(".") && name.includes(exchangeId),
  );
  if (files.length !== 1) return `${files.length} files`;
  const hash = createHash("sm3");
  await pipeline(createReadStream(join(folder, files[0] ?? "")), hash);
  return hash.digest("hex");
}
