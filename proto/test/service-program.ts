/**
 * Guarantee: a small service of a test runs as a process of its own, in the shell of every
 * service, in a folder that the test removes; it is ended when it has said what is waited for.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const serviceModule = new URL("../src/service/index.ts", import.meta.url).href;

/** @param start body of the service's start, which has `shell` @param parse reads its settings */
export function serviceProgram(start: string, parse = "readBaseConfig"): string {
  return `
    import { readBaseConfig, readField, runService } from ${JSON.stringify(serviceModule)};
    await runService({ name: "policy", parse: ${parse}, start: async (shell) => { ${start} } });
  `;
}

/** Settings of a service that speaks to nobody, with what the test says otherwise. */
export function serviceSettings(dir: string, more: object = {}): Record<string, unknown> {
  return {
    zone: "extranet",
    node: "node-extranet",
    service: "policy",
    mode: "demo",
    stateDir: join(dir, "state"),
    tls: { ca: "unused", cert: "unused", key: "unused" },
    anchorPath: join(dir, "anchor.json"),
    trustRootPath: join(dir, "root.pem"),
    ...more,
  };
}

export interface Run {
  /** What it runs with beside the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** It is sent `signal` as soon as this is in its output. */
  readonly until: RegExp;
  readonly signal: NodeJS.Signals;
}

/** Runs `program` from `dir` until it ends, by itself or by the signal. */
export async function runProgram(
  dir: string,
  program: string,
  settings: Record<string, unknown>,
  { env, until, signal }: Run,
): Promise<{ code: number | null; said: string }> {
  const [path, config] = [join(dir, "program.mjs"), join(dir, "config.json")];
  await Promise.all([writeFile(path, program), writeFile(config, JSON.stringify(settings))]);
  const child = spawn(process.execPath, [path, "--config", config], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, LIGHTFERRY_LOG_LEVEL: "info", ...env },
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk;
    if (until.test(said)) child.kill(signal);
  });
  await once(child, "close");
  return { code: child.exitCode, said };
}
