/**
 * Guarantee: `npm run soak -- NAME [--count N] [--seed S]` runs one drill at its
 * full count, on demand; the same drills run in CI at a small count.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { REPOSITORY } from "./repository.ts";

const FOLDER = join(REPOSITORY, "deploy/drills");

interface Drill {
  /** Counts of a full run. */
  readonly FULL_COUNT: number;
  drill(options: { readonly count: number; readonly seed: number }): Promise<unknown>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    list: { type: "boolean", default: false },
  },
});
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".drill.ts"))
  .map((file) => file.replace(".drill.ts", ""));
const [name = ""] = positionals;
const path = join(FOLDER, `${name}.drill.ts`);
if (values.list || !existsSync(path)) {
  console.log(names.join("\n"));
  process.exitCode = values.list ? 0 : 2;
} else {
  const { FULL_COUNT, drill } = (await import(pathToFileURL(path).href)) as Drill;
  const count = values.count === undefined ? FULL_COUNT : Number(values.count);
  const report = await drill({ count, seed: Number(values.seed) });
  console.log(JSON.stringify({ drill: name, count, seed: Number(values.seed), report }, null, 2));
}
