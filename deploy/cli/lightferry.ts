/**
 * Guarantee: dispatches `lightferry <noun> <verb>` to the program of that noun
 * in its service's folder, and does nothing else.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type CliNoun, type CliVerb, runHelp, runNoun } from "@lightferry/proto/cli";
import { REPOSITORY } from "../src/repository.ts";

/** Noun → the folder that owns it. */
const NOUNS: Readonly<Record<string, string>> = {
  exchange: "front-proxy",
  token: "front-proxy",
  receipts: "front-proxy",
  audit: "audit",
  bundle: "proto",
  ferry: "ferry",
  media: "ferry",
  policy: "policy",
  keys: "policy",
  setup: "deploy",
  stop: "deploy",
  status: "deploy",
  doctor: "deploy",
};

/** Noun → programs whose answers belong under it although another folder owns it. */
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  ferry: ["front-proxy/cli/backlog.ts"],
};

async function load(noun: string): Promise<CliNoun> {
  const module = await read<{ noun: CliNoun }>(`${NOUNS[noun]}/cli/${noun}.ts`);
  const verbs = [...module.noun.verbs];
  for (const path of FURTHER[noun] ?? []) {
    verbs.push(...(await read<{ verbs: readonly CliVerb[] }>(path)).verbs);
  }
  return { ...module.noun, verbs };
}

async function read<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(join(REPOSITORY, path)).href)) as Module;
}

// Whoever reads only the first lines (`| head -1`) closes the pipe: no fault of the command.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
const words = process.argv.slice(2);
const json = words.includes("--json");
// Options may stand before the noun only where they mean the whole program.
const [noun = "--help", ...rest] = words[0] === "--json" ? words.slice(1) : words;
if (Object.hasOwn(NOUNS, noun)) {
  process.exitCode = await runNoun(await load(noun), rest);
} else {
  const nouns = await Promise.all(Object.keys(NOUNS).map(load));
  process.exitCode = runHelp(nouns, noun, json);
}
