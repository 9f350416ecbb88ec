/** Guarantee: what the small command programs of every folder share. */
export { readUpTo } from "./bounded-file.ts";
export { type CliSurroundings, exitCodeOf, runHelp, runNoun } from "./run.ts";
export {
  type CliArgument,
  type CliContext,
  type CliExample,
  type CliInput,
  type CliNoun,
  type CliOption,
  type CliVerb,
  type CliZoneConfig,
  type Column,
  EXIT,
  type ExitCode,
  type Locale,
  type Words,
} from "./types.ts";
export { cellWidth, cutTo, harmlessLine } from "./width.ts";
export { installedZones } from "./zone-config.ts";
