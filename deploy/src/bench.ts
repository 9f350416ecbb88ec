/**
 * Guarantee: `npm run bench -- NAME` runs one bench of the folder that owns it;
 * `--list` names them, `--quick` gives a shorter run under other figure names.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { REPOSITORY } from "./repository.ts";

const FOLDERS = ["proto", "ferry", "policy", "audit", "front-proxy", "deploy"];

interface Bench {
  run(options: { readonly quick: boolean }): Promise<void>;
}

function benches(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of FOLDERS) {
    const path = join(REPOSITORY, folder, "bench");
    if (!existsSync(path)) continue;
    for (const file of readdirSync(path)) {
      if (file.endsWith(".ts")) found.set(file.slice(0, -3), join(path, file));
    }
  }
  return found;
}

const args = process.argv.slice(2);
const known = benches();
const name = args.find((arg) => !arg.startsWith("--"));
const file = known.get(name ?? "");
if (args.includes("--list") || file === undefined) {
  console.log([...known.keys()].sort().join("\n"));
  process.exitCode = args.includes("--list") ? 0 : 2;
} else {
  const bench = (await import(pathToFileURL(file).href)) as Bench;
  await bench.run({ quick: args.includes("--quick") });
}
