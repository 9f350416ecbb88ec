#!/usr/bin/env node
/** Guarantee: `lightferry` runs under the pinned Node, whatever Node called it. */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const node = join(root, "node_modules/.bin/node");
const child = spawn(node, [join(root, "deploy/cli/lightferry.ts"), ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT") child.kill(signal);
  });
}
child.on("error", () => {
  console.error(
    "请先在项目目录运行 npm start 完成安装。/ run npm start in the project folder first.",
  );
  process.exit(4);
});
child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 4) : 4));
