/**
 * Guarantee: every key of the road is replaced while requests and a file are
 * under way, by the commands and files that people use; nothing is lost,
 * doubled or refused, each new key is seen at work, and both logs verify with
 * old and new keys side by side.
 *
 * count = requests at the least; a full run is 2,000 and a file of 100 MB.
 */
import { ZONES, type ZoneName } from "../src/layout.ts";
import { uploadResumable } from "./integrator.ts";
import { changeKey, untilUsed } from "./keys.ts";
import { targetTable, undelivered, verifyLogs } from "./outcome.ts";
import { seededFrom } from "./random.ts";
import { Traffic } from "./traffic.ts";
import { startZones } from "./zones.ts";

export const FULL_COUNT = 2_000;
const FILE_BYTES_PER_REQUEST = 50_000;
const DEADLINE_MS = 15 * 60_000;
const CALLERS = 8;
/** From the order to the first moment of the new key: long enough to be imported and announced by a bundle. */
const ANNOUNCED_MS = 3_000;

interface Change {
  readonly zone: ZoneName;
  readonly use: string;
  /** Who learns of the certificate by file; the rest learns it through the gate. */
  readonly importedBy: readonly ZoneName[];
}

const CHANGES: readonly Change[] = [
  { zone: "extranet", use: "sign", importedBy: ["extranet"] },
  { zone: "extranet", use: "policy", importedBy: ["extranet"] },
  { zone: "extranet", use: "audit", importedBy: ["extranet"] },
  { zone: "extranet", use: "ferry", importedBy: ["extranet"] },
  // No lane leads back: the extranet learns the other zone's key from a medium.
  { zone: "business", use: "encrypt", importedBy: ["business", "extranet"] },
  { zone: "business", use: "policy", importedBy: ["business"] },
  { zone: "business", use: "audit", importedBy: ["business"] },
];

export interface RotationReport {
  readonly requests: number;
  readonly fileBytes: number;
  /** `zone use key-id`, each seen at work. */
  readonly changed: readonly string[];
  readonly lost: readonly string[];
  readonly duplicated: number;
  readonly verify: Readonly<Record<ZoneName, number>>;
  readonly seconds: number;
}

export async function drill(options: {
  readonly count: number;
  readonly seed: number;
  /** Who send requests, each without a pause; {@link CALLERS}. */
  readonly callers?: number;
}): Promise<RotationReport> {
  const started = performance.now();
  const deadline = Date.now() + DEADLINE_MS;
  const zones = await startZones({ gateSecondPassSeconds: 4 });
  try {
    const traffic = new Traffic(zones, options.callers ?? CALLERS, deadline);
    const fileBytes = options.count * FILE_BYTES_PER_REQUEST;
    const file = uploadResumable(
      zones.apis.extranet,
      {
        service: "bulk-data",
        name: "rotation.bin",
        size: fileBytes,
        key: "rotation-file",
        from: (offset) => seededFrom(options.seed, fileBytes, offset),
      },
      deadline,
    );
    // People of either zone go through theirs one by one, at the same time as the other's.
    const changed = await Promise.all(
      ZONES.map(async (zone) => {
        const done: string[] = [];
        for (const change of CHANGES.filter((each) => each.zone === zone)) {
          const notBefore = new Date(Date.now() + ANNOUNCED_MS);
          const keyId = await changeKey(zones, { ...change, notBefore });
          await untilUsed(zones, zone, keyId, deadline);
          done.push(`${zone} ${change.use} ${keyId}`);
        }
        return done;
      }),
    );
    const requests = await traffic.stop(options.count);
    const ids = [...requests, String((await file).body.exchangeId)];
    const { lost } = await undelivered(zones, ids, deadline);
    const { exchanges, doubled } = await targetTable(zones, "record");
    return {
      requests: requests.length,
      fileBytes,
      changed: changed.flat(),
      lost: [...lost, ...requests.filter((id) => !exchanges.has(id)).map((id) => `${id} no row`)],
      duplicated: doubled,
      verify: await verifyLogs(zones),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await zones.stop();
  }
}
