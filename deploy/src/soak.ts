/**
 * Guarantee: `npm run soak -- NAME [--count N] [--seed S]` runs one drill of the
 * folder that owns it at its full count, on demand; the same drills run in CI at
 * a small count.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { REPOSITORY } from "./repository.ts";

const FOLDERS = ["deploy/drills", "ferry/drills"];
const SUFFIX = ".drill.ts";

interface Drill {
  /** Counts of a full run. */
  readonly FULL_COUNT: number;
  drill(options: { readonly count: number; readonly seed: number }): Promise<unknown>;
}

function drills(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of FOLDERS) {
    const path = join(REPOSITORY, folder);
    if (!existsSync(path)) continue;
    for (const file of readdirSync(path)) {
      if (file.endsWith(SUFFIX)) found.set(file.slice(0, -SUFFIX.length), join(path, file));
    }
  }
  return found;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    list: { type: "boolean", default: false },
  },
});
const known = drills();
const [name = ""] = positionals;
const path = known.get(name);
if (values.list || path === undefined) {
  console.log([...known.keys()].sort().join("\n"));
  process.exitCode = values.list ? 0 : 2;
} else {
  const { FULL_COUNT, drill } = (await import(pathToFileURL(path).href)) as Drill;
  const count = values.count === undefined ? FULL_COUNT : Number(values.count);
  const report = await drill({ count, seed: Number(values.seed) });
  console.log(JSON.stringify({ drill: name, count, seed: Number(values.seed), report }, null, 2));
}
