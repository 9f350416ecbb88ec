/**
 * Guarantee: on a bare machine with any Node from 20 on, this alone installs
 * what is missing and then runs the asked-for program under the pinned Node.
 * Only built-in modules are used here: it runs before anything is installed.
 */
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PROGRAMS = {
  start: ["deploy/src/start.ts"],
  test: ["deploy/src/checks/test.ts"],
  check: ["deploy/src/checks/check.ts"],
  ci: ["deploy/src/checks/ci.ts"],
  bench: ["deploy/src/bench.ts"],
  soak: ["deploy/src/soak.ts"],
  gen: ["deploy/gen.mjs"],
};

function installed() {
  const mark = join(root, "node_modules/.package-lock.json");
  const node = join(root, "node_modules/.bin/node");
  return (
    existsSync(mark) &&
    existsSync(node) &&
    statSync(mark).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs
  );
}

function install() {
  console.error(
    "正在安装依赖（npm ci，约一分钟）… / installing dependencies (npm ci, about a minute) …",
  );
  const started = Date.now();
  const ticker = setInterval(() => {
    process.stderr.write(`  … ${Math.round((Date.now() - started) / 1000)} s\n`);
  }, 10_000);
  // The registry client is npm itself, so the lock file alone decides what is installed.
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ["npm", ["ci"]] : [process.execPath, [npm, "ci"]];
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  }).finally(() => clearInterval(ticker));
}

const [, , name, ...args] = process.argv;
const program = PROGRAMS[name ?? ""];
if (program === undefined) {
  console.error(`usage: node deploy/bootstrap.mjs ${Object.keys(PROGRAMS).join(" | ")}`);
  process.exit(2);
}
if (!installed()) {
  const code = await install();
  if (code !== 0) {
    console.error(
      "安装失败：请检查网络与 npm 源后重试。/ installation failed: check the network and the npm registry, then try again.",
    );
    process.exit(code);
  }
}
const node = join(root, "node_modules/.bin/node");
const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` };
const child = spawn(node, [...program, ...args], { cwd: root, stdio: "inherit", env });
// Ctrl-C reaches the whole foreground group; a signal sent to this process alone is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT") child.kill(signal);
  });
}
child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
