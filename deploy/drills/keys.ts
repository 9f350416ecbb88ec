/**
 * Guarantee: changes keys as its people do, by `lightferry keys` alone: the zone
 * makes the key and a request file, the CA answers with a certificate file, and
 * the certificate is imported.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import type { ZoneName } from "../src/layout.ts";
import { demoCa } from "../src/setup/certificates.ts";
import { type CliResult, cli } from "./cli.ts";
import { openLog } from "./trails.ts";
import type { RunningZones } from "./zones.ts";

const POLL_MS = 100;

/** The command's output; a drill in which a command fails has failed. */
export async function command(zones: RunningZones, args: readonly string[]): Promise<CliResult> {
  const result = await cli(zones.home, args);
  if (result.code !== 0) throw new RangeError(`${args.join(" ")}: ${result.out}${result.err}`);
  return result;
}

/** A folder beside the zones: the medium that people carry. */
export function medium(zones: RunningZones): string {
  const folder = join(zones.home, "medium");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * A new key for a node, certified from `notBefore` on; imported by the zones named.
 * @returns its id
 */
export async function changeKey(
  zones: RunningZones,
  change: {
    readonly zone: ZoneName;
    readonly use: string;
    readonly notBefore: Date;
    readonly importedBy: readonly ZoneName[];
  },
): Promise<string> {
  const { zone, use, notBefore, importedBy } = change;
  const stem = join(medium(zones), `${zone}-${use}-${notBefore.getTime()}`);
  const made = await command(zones, [
    ...["keys", "rotate", "--zone", zone, "--use", use, "--out", `${stem}.csr.pem`, "--json"],
  ]);
  const { keys } = JSON.parse(made.out) as { keys: { keyId: string }[] };
  const [{ keyId } = { keyId: "" }] = keys;
  const ca = demoCa(zones.home, zone);
  await command(zones, [
    ...["keys", "issue", "--ca", ca.dir, "--unlock-file", ca.unlock.file, "--yes"],
    ...["--request", `${stem}.csr.pem`, "--out", `${stem}.pem`],
    ...["--not-before", notBefore.toISOString()],
  ]);
  for (const importer of importedBy) {
    await command(zones, ["keys", "import", `${stem}.pem`, "--zone", importer]);
  }
  return keyId;
}

/** Waits until the zone's log says that this key was used. */
export async function untilUsed(
  zones: RunningZones,
  zone: ZoneName,
  keyId: string,
  deadline: number,
): Promise<void> {
  await untilLogged(
    zones,
    zone,
    "key.use-reserved",
    ({ attributes }) => attributes["key-id"] === keyId,
    deadline,
  );
}

export interface LoggedEvent {
  readonly type: string;
  readonly code: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Waits until an event of the type that `matches` stands in the zone's log; gives all that match. */
export async function untilLogged(
  zones: RunningZones,
  zone: ZoneName,
  type: string,
  matches: (event: LoggedEvent) => boolean,
  deadline: number,
): Promise<LoggedEvent[]> {
  const log = await openLog(zones, zone);
  try {
    for (;;) {
      const { rows } = await log.query<{ canonical: Buffer }>(
        "SELECT canonical FROM audit.event WHERE type = $1 ORDER BY seq",
        [type],
      );
      const found = rows.map(({ canonical }) => viewEvent(canonical)).filter(matches);
      if (found.length > 0) return found;
      if (Date.now() > deadline) throw new RangeError(`${zone}: no ${type} as expected`);
      await delay(POLL_MS);
    }
  } finally {
    await log.end();
  }
}

function viewEvent(canonical: Uint8Array): LoggedEvent {
  const { type, code, attributes } = decodeCanonical(lightferry.audit.v1.Event, canonical);
  return {
    ...{ type, code },
    attributes: Object.fromEntries(attributes.map(({ name, value }) => [name ?? "", value ?? ""])),
  };
}
