/**
 * Guarantee: runs all static checks, also after one has failed, and says which failed.
 *
 * Usage: npm run check
 */
import { join } from "node:path";
import { REPOSITORY } from "../repository.ts";
import { CHECKS } from "./list.ts";
import { runCommand } from "./vitest.ts";

const failed: string[] = [];
for (const { name, command } of CHECKS) {
  const [program = "", ...args] = command;
  console.log(`── ${name}`);
  const code = await runCommand(join(REPOSITORY, "node_modules/.bin", program), args);
  if (code !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "all checks passed" : `failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
