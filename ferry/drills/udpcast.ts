/**
 * Guarantee: the same file across the same line by udpcast in its one-way mode
 * with its own erasure code, timed from the first of its data to the end of its
 * receiver; bounded in time, whatever udpcast does.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cpuSeconds } from "./wire/cpu.ts";
import { childEndsWithUs, removedWithUs } from "./wire/ends.ts";
import type { Line } from "./wire/line.ts";
import { inNamespace } from "./wire/namespaces.ts";

/** As a user would ask who reads its manual. */
const FEC = "8x8/128";
/** As large as what the ferry asks for; the system's limit caps it. */
export const UDPCAST_BUFFER = 90_000_000;
/** Hellos before the data: its receiver needs one. */
const HELLOS = 4;
const HELLO_MS = 250;
/** After its sender is done: writing what came, or giving up, which it does not always do. */
const RECEIVER_LIMIT_MS = 10_000;
const SAMPLE_MS = 50;

export interface UdpcastCrossing {
  readonly seconds: number;
  /** Share of the file that its receiver wrote. */
  readonly written: number;
  readonly whole: boolean;
  readonly txCpuSeconds: number;
  readonly rxCpuSeconds: number;
}

export function hasUdpcast(): boolean {
  return spawnSync("udp-sender", ["--help"], { stdio: "ignore" }).error === undefined;
}

/** CPU seconds of a process until it ends, to within a sample. */
async function watchCpu(child: ChildProcess): Promise<number> {
  let seconds = 0;
  while (child.exitCode === null && child.signalCode === null) {
    seconds = cpuSeconds(child.pid ?? 0) ?? seconds;
    await delay(SAMPLE_MS);
  }
  return seconds;
}

async function ended(child: ChildProcess, limitMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  const late = setTimeout(() => child.kill("SIGKILL"), limitMs);
  await exit;
  clearTimeout(late);
}

/** Its own first word of data, said on standard error. */
function begun(sender: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    let said = "";
    sender.stderr?.on("data", (text: Buffer) => {
      if (said.includes("Starting transfer")) return;
      said += text.toString("latin1");
      if (said.includes("Starting transfer")) resolve(performance.now());
    });
    sender.once("exit", () => resolve(performance.now()));
  });
}

/**
 * @param maxBitrate in its own notation, bits per second
 * @param isWhole whether what it wrote is the file
 */
export async function udpcastAcross(
  line: Line,
  file: string,
  maxBitrate: string,
  base: string,
  limitMs: number,
  isWhole: (path: string) => Promise<boolean>,
): Promise<UdpcastCrossing> {
  const folder = mkdtempSync(join(base, "lf-udpcast-"));
  removedWithUs(folder);
  const out = join(folder, "out");
  const start = (side: "tx" | "rx", program: string, ...args: string[]) =>
    childEndsWithUs(
      inNamespace(line[side].namespace, () =>
        spawn(program, ["--nokbd", "--interface", line[side].device, ...args], {
          stdio: ["ignore", "ignore", "pipe"],
        }),
      ),
    );
  const receiver = start("rx", "udp-receiver", "--file", out, "--rcvbuf", String(UDPCAST_BUFFER));
  receiver.stderr?.resume();
  const rxCpu = watchCpu(receiver);
  try {
    const sender = start(
      ...(["tx", "udp-sender", "--async", "--fec", FEC, "--max-bitrate", maxBitrate] as const),
      ...["--rexmit-hello-interval", String(HELLO_MS), "--autostart", String(HELLOS)],
      ...["--file", file],
    );
    const txCpu = watchCpu(sender);
    // At a rate that it cannot count it never begins.
    const late = setTimeout(() => sender.kill("SIGKILL"), limitMs);
    const from = await begun(sender);
    await ended(sender, limitMs);
    clearTimeout(late);
    await ended(receiver, RECEIVER_LIMIT_MS);
    const seconds = (performance.now() - from) / 1000;
    const size = statSync(out, { throwIfNoEntry: false })?.size ?? 0;
    const whole = size === statSync(file).size && (await isWhole(out));
    return {
      ...{ seconds, whole, written: size / statSync(file).size },
      ...{ txCpuSeconds: await txCpu, rxCpuSeconds: await rxCpu },
    };
  } finally {
    receiver.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
