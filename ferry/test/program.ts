/** Guarantee: a real program of this folder as a child process, ready when started, gone when ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = {
  tx: fileURLToPath(new URL("../src/tx-main.ts", import.meta.url)),
  rx: fileURLToPath(new URL("../src/rx-main.ts", import.meta.url)),
};

export interface Program {
  /** What its ready line says. */
  readonly ready: { readonly [key: string]: unknown };
  readonly pid: number;
  /** Every line that it wrote to its log. */
  readonly said: readonly string[];
  /** Exit code, or the signal. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number | string>;
}

export async function startProgram(role: "tx" | "rx", configPath: string): Promise<Program> {
  const child = spawn(process.execPath, [MAIN[role], "--config", configPath], {
    stdio: ["ignore", "pipe", "inherit"],
    // The ready line is of level "info".
    env: { ...process.env, LIGHTFERRY_LOG_LEVEL: "info" },
  });
  try {
    const said: string[] = [];
    const ready = await readyLine(child, said);
    return {
      ...{ ready, said },
      pid: child.pid as number,
      end: async (signal) => {
        const exit = once(child, "exit") as Promise<[number | null, string | null]>;
        child.kill(signal);
        const [code, name] = await exit;
        return code ?? name ?? "";
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function readyLine(child: ChildProcess, seen: string[]): Promise<{ [key: string]: unknown }> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  return await new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      seen.push(line);
      const fields = JSON.parse(line) as { event?: string };
      if (fields.event === "ready") resolve(fields);
    });
    child.once("exit", (code) => {
      reject(new Error(`ended with ${code} before it was ready:\n${seen.join("\n")}`));
    });
  });
}
