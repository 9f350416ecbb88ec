/**
 * Guarantee: runs the whole system with its own secrets and marked contents,
 * through successes, refusals, wrong passwords and a killed process, and then
 * reads every file that it left and every word that it said: no secret stands
 * anywhere but where it belongs, and no content at rest but at its target.
 *
 * count = marked exchanges of each kind; a full run is 200.
 */
import { randomBytes } from "node:crypto";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { CALLERS, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { needlesOf, type Secret } from "./canary/needles.ts";
import { filesBelow, NeedleSearch } from "./canary/search.ts";
import { installedSecrets, type KnownSecret } from "./canary/secrets.ts";
import { type CliResult, cli } from "./cli.ts";
import { submitRequest, uploadResumable } from "./integrator.ts";
import { type RunningZones, startZones } from "./zones.ts";

export const FULL_COUNT = 200;
const DEADLINE_MS = 5 * 60_000;
const MARK_BYTES = 16;
/** Below and above the size up to which content is kept in the database (64 KiB). */
const FILE_BYTES = [2_000, 700_000] as const;

export interface CanaryReport {
  readonly secrets: number;
  readonly marks: number;
  readonly filesRead: number;
  readonly wordsRead: number;
  /** What stands where it must not. Must be empty. */
  readonly leaks: readonly string[];
  /** Secrets and marks found where they belong: proof that the search finds. */
  readonly foundAtHome: number;
}

export async function drill(options: { readonly count: number }): Promise<CanaryReport> {
  // Compiled code lies in the zones then, and is searched with them.
  delete process.env.NODE_COMPILE_CACHE;
  const zones = await startZones();
  try {
    const deadline = Date.now() + DEADLINE_MS;
    const marks = await cross(zones, options.count, deadline);
    const { words, tokens } = await talk(zones);
    const secrets = [...installedSecrets(zones.home), ...tokens, ...marks];
    // A running program renames files between the listing and the reading of it.
    await zones.halt();
    return look(zones, secrets, words, marks.length);
  } finally {
    await zones.stop();
  }
}

/** Marked requests and files, all of them delivered. */
async function cross(zones: RunningZones, count: number, deadline: number): Promise<KnownSecret[]> {
  const api = zones.apis.extranet;
  const business = zonePaths(zones.home, "business");
  const ids: string[] = [];
  const marks: KnownSecret[] = [];
  const mark = (name: string, homes: readonly string[]): string => {
    const bytes = Buffer.from(randomBytes(MARK_BYTES).toString("hex"));
    marks.push({ name, bytes, homes });
    return bytes.toString();
  };
  for (let index = 0; index < count; index += 1) {
    // The receiver keeps records in its own database, in the same cluster.
    const note = mark(`request ${index}`, [business.postgres]);
    const answer = await submitRequest(
      api,
      "land-registration",
      "/records",
      `canary-${index}`,
      { number: index, note },
      deadline,
    );
    ids.push(String(answer.body.exchangeId));
    for (const size of FILE_BYTES) {
      const text = `${mark(`file of ${size} ${index}`, [business.drop])}\n`;
      const content = Buffer.from(text.repeat(Math.ceil(size / text.length))).subarray(0, size);
      const file = await uploadResumable(
        api,
        {
          service: "bulk-data",
          name: `canary-${size}-${index}.bin`,
          size,
          key: `canary-${size}-${index}`,
          from: (offset) => Readable.from([content.subarray(offset)]),
        },
        deadline,
      );
      ids.push(String(file.body.exchangeId));
    }
  }
  for (const id of ids) {
    const { received } = await zones.operators.follow("extranet", id, deadline);
    if (received?.state !== "delivered") throw new RangeError(`${id} was not delivered`);
  }
  return marks;
}

/** Everything an operator may ask or get wrong, and what the system answers; a process is killed meanwhile. */
async function talk(
  zones: RunningZones,
): Promise<{ words: string[]; tokens: readonly KnownSecret[] }> {
  const words: string[] = [];
  const hear = ({ out, err }: CliResult) => words.push(out, err);
  for (const zone of ZONES) {
    for (const line of [
      `status --zone ${zone}`,
      `doctor --zone ${zone}`,
      `doctor --zone ${zone} --json`,
      `keys list --zone ${zone} --json`,
      `audit list --zone ${zone} --limit 500 --json`,
      `audit verify --zone ${zone} --json`,
      `exchange list --zone ${zone} --json`,
      `token list --zone ${zone} --json`,
      `policy show --zone ${zone} --json`,
    ]) {
      hear(await cli(zones.home, line.split(" ")));
    }
  }
  const wrong = await fetchWithWrongToken(zones, "extranet");
  words.push(wrong);
  await zones.kill("extranet", "seal");
  const issued = await cli(zones.home, [
    "token",
    "issue",
    CALLERS.extranet,
    "--zone",
    "extranet",
    "--json",
  ]);
  const token = /"token":\s*"([^"]+)"/.exec(issued.out)?.[1] ?? "";
  return { words, tokens: [{ name: "API token", bytes: Buffer.from(token), homes: [] }] };
}

async function fetchWithWrongToken(zones: RunningZones, zone: ZoneName): Promise<string> {
  const answer = await zones.apis[zone].send("GET", "/v1/exchanges", {
    authorization: "Bearer lf_not-a-token",
  });
  return JSON.stringify(answer);
}

function look(
  zones: RunningZones,
  secrets: readonly KnownSecret[],
  words: readonly string[],
  marks: number,
): CanaryReport {
  const search = new NeedleSearch(secrets.flatMap((secret: Secret) => needlesOf(secret)));
  const homes = new Map(secrets.map(({ name, homes: at }) => [name, at]));
  const leaks: string[] = [];
  const atHome = new Set<string>();
  const files = filesBelow(zones.home);
  for (const path of files) {
    for (const { secret, form } of search.inFile(path)) {
      const belongs = homes
        .get(secret)
        ?.some((at) => path === at || path.startsWith(join(at, "/")));
      if (belongs === true) atHome.add(secret);
      else leaks.push(`${secret} (${form}) in ${relative(zones.home, path)}`);
    }
  }
  for (const said of words) {
    for (const { secret, form } of search.inBytes(Buffer.from(said))) {
      leaks.push(`${secret} (${form}) in the output of a command`);
    }
  }
  return {
    secrets: secrets.length - marks,
    marks,
    filesRead: files.length,
    wordsRead: words.reduce((sum, said) => sum + said.length, 0),
    leaks,
    foundAtHome: atHome.size,
  };
}
