/**
 * Guarantee: every key of the road is replaced while requests and a file are
 * under way, by the commands and files that people use; nothing is lost,
 * doubled or refused, each new key is seen at work, and both logs verify with
 * old and new keys side by side.
 *
 * count = requests at the least; a full run is 2,000 and a file of 100 MB.
 */
import type { ZoneName } from "../src/layout.ts";
import { uploadResumable } from "./integrator.ts";
import { changeKey, untilUsed } from "./keys.ts";
import { targetTable, undelivered, verifyLogs } from "./outcome.ts";
import { seededFrom } from "./random.ts";
import { Traffic } from "./traffic.ts";
import { startZones } from "./zones.ts";

export const FULL_COUNT = 2_000;
const FILE_BYTES_PER_REQUEST = 50_000;
const DEADLINE_MS = 15 * 60_000;
/** From the import to the first moment of the new key: long enough to be announced by a bundle. */
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
}): Promise<RotationReport> {
  const started = performance.now();
  const deadline = Date.now() + DEADLINE_MS;
  const zones = await startZones({ gateSecondPassSeconds: 4 });
  try {
    const traffic = new Traffic(zones, deadline);
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
    const changed: string[] = [];
    for (const change of CHANGES) {
      const notBefore = new Date(Date.now() + ANNOUNCED_MS);
      const keyId = await changeKey(zones, { ...change, notBefore });
      await untilUsed(zones, change.zone, keyId, deadline);
      changed.push(`${change.zone} ${change.use} ${keyId}`);
    }
    const requests = await traffic.stop(options.count);
    const ids = [...requests, String((await file).body.exchangeId)];
    const { lost } = await undelivered(zones, ids, deadline);
    const { exchanges, doubled } = await targetTable(zones, "record");
    return {
      requests: requests.length,
      fileBytes,
      changed,
      lost: [...lost, ...requests.filter((id) => !exchanges.has(id)).map((id) => `${id} no row`)],
      duplicated: doubled,
      verify: await verifyLogs(zones),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await zones.stop();
  }
}
