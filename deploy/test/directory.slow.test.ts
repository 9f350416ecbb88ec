/**
 * A lane over an appliance that ferries a folder in place of the gate, with the real programs: requests and a file
 * from API to target through one that knows 8.3 names alone, holds files back so that they overtake one another, brings some
 * twice, writes some in two pieces and sets their times as it likes. Trails are whole, and nothing is left in the folders.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Appliance, HARSHEST } from "../../ferry/test/appliance.ts";
import { cli } from "../drills/cli.ts";
import { submitRequest, uploadResumable } from "../drills/integrator.ts";
import { incompleteTrails } from "../drills/trails.ts";
import { type RunningZones, startZones } from "../drills/zones.ts";
import { ZONES, zonePaths } from "../src/layout.ts";
import { dropOf, type FerryDirectory, profileNamed } from "../src/setup/directory-lane.ts";
import { readZoneOptions, writeZoneOptions } from "../src/setup/zone-options.ts";
import { told } from "./told.ts";
import { until } from "./until.ts";

const LIMIT_MS = 120_000;
const POLL_MS = 200;
const REQUESTS = 6;
const FILE_BYTES = 2_000_000;
/** What the appliance leaves lying of its own. */
const LITTER = /^~TMP\d+\.SYS$/;

let zones: RunningZones;
let between: Appliance;
const folders = { drop: "", pickUp: "" };

/** Each zone has its own end of it, as `lightferry setup --directory-lane` would write them. */
function configure(home: string): void {
  Object.assign(folders, { drop: join(home, "drop"), pickUp: join(home, "pick-up") });
  for (const path of Object.values(folders)) mkdirSync(path, { mode: 0o770 });
  const lane = "inbound";
  // Nothing comes by itself once the passes are over.
  const heartbeatSeconds = 600;
  const ends: Record<(typeof ZONES)[number], FerryDirectory & object> = {
    extranet: {
      ...{ lane, target: dropOf(folders.drop), secondPassSeconds: 1, heartbeatSeconds },
      // More and smaller files than of the profile's own size.
      profile: { ...profileNamed("8.3"), maxFileBytes: 262_144, dataParts: 4, parityParts: 1 },
    },
    business: {
      ...{ lane, path: folders.pickUp, heartbeatSeconds },
      ...{ delaySeconds: 5, settleSeconds: 5, pollMs: POLL_MS },
    },
  };
  for (const zone of ZONES) {
    const { root } = zonePaths(home, zone);
    writeZoneOptions(root, { ...readZoneOptions(root), ferryDirectory: ends[zone] });
  }
  // A busy machine may write one file with a pause in the middle.
  between = new Appliance(folders.drop, folders.pickUp, { ...HARSHEST, stillMs: 500 }).start();
}

beforeAll(async () => {
  zones = await startZones({ ferryDirectory: { lane: "inbound" } }, configure);
}, LIMIT_MS);
afterAll(async () => {
  await between.stop();
  await zones.stop();
}, LIMIT_MS);

const run = <T>(...words: string[]) => told<T>(zones.home, ...words);

/** Until a command answers so: a log is written after the fact, a picture may be too old to count. */
const untilTold = <T>(words: readonly string[], holds: (answer: T) => boolean) =>
  until(words.join(" "), async () => {
    const { code, out } = await cli(zones.home, [...words, "--json"]);
    return code === 0 && holds(JSON.parse(out) as T);
  });

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Shown {
  readonly status: {
    readonly bundles: Readonly<Record<"emitted" | "finished" | "sending", number>>;
  };
}
interface Row {
  readonly service: string;
  readonly state: string;
  readonly appliance?: string;
}

it("carries requests and a file from API to target through the harshest appliance", {
  timeout: 3 * LIMIT_MS,
}, async () => {
  const deadline = Date.now() + LIMIT_MS;
  const api = zones.apis.extranet;
  const content = randomBytes(FILE_BYTES);
  const upload = { service: "bulk-data", name: "survey.bin", size: FILE_BYTES, key: "file-1" };
  const from = (offset: number) => Readable.from([content.subarray(offset)]);
  const requests = Array.from({ length: REQUESTS }, (_, i) =>
    submitRequest(
      ...([api, "land-registration", "/records", `request-${i}`] as const),
      ...([{ parcel: `51010400100${i}GB00001` }, deadline] as const),
    ),
  );
  const answers = await Promise.all([
    uploadResumable(api, { ...upload, from }, deadline),
    ...requests,
  ]);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  const ids = answers.map(({ body }) => String(body.exchangeId));
  for (const id of ids) {
    const { sent, received } = await zones.operators.follow("extranet", id, deadline);
    expect([sent.state, received?.state], id).toEqual(["emitted", "delivered"]);
  }
  const dropped = join(zonePaths(zones.home, "business").drop, "bulk-data");
  // Hidden names are a delivery's own marks.
  const [name = "", ...others] = readdirSync(dropped).filter((entry) => !entry.startsWith("."));
  expect(others).toEqual([]);
  expect(digestOf(readFileSync(join(dropped, name)))).toBe(digestOf(content));

  expect(await incompleteTrails(zones, ids)).toEqual([]);
  const [file = ""] = ids;
  const ends = { extranet: "unconfirmed", business: "here" } as const;
  await Promise.all(
    ZONES.map((zone) =>
      untilTold<{ end: string }>(
        ["audit", "trail", file, "--zone", zone],
        (trail) => trail.end === ends[zone],
      ),
    ),
  );

  // Both passes are over.
  await untilTold<Shown[]>(["ferry", "status", "--zone", "extranet"], ([shown]) => {
    const { emitted, finished, sending } = shown?.status.bundles ?? expect.unreachable("no status");
    return emitted > 0 && sending === 0 && finished === emitted;
  });
  await until("empty folders", async () => {
    await between.idle();
    const left = Object.values(folders).flatMap((folder) => readdirSync(folder));
    return left.every((entry) => LITTER.test(entry));
  });
  expect(between.faults).toEqual([]);

  const rows = await run<Row[]>("status");
  const carried = rows.filter(({ appliance }) => appliance !== undefined);
  expect(carried).toMatchObject([
    { service: "ferry-tx", state: "ready", appliance: `inbound ${folders.drop}` },
    { service: "ferry-rx", state: "ready", appliance: `inbound ${folders.pickUp}` },
  ]);
  await Promise.all(ZONES.map((zone) => run("audit", "verify", "--zone", zone)));
});
