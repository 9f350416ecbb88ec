/**
 * Guarantee: the highest pace found at which every frame sent was received,
 * and what it cost either end.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { childEndsWithUs } from "../../drills/wire/ends.ts";
import { type Line, RX_ADDRESS } from "../../drills/wire/line.ts";
import { inNamespace } from "../../drills/wire/namespaces.ts";
import type { Report, Task } from "./task.ts";

const SIDE = fileURLToPath(new URL("./side.ts", import.meta.url));
const PORT = 4_500;
/** As every row of the reference measurement had. */
export const RECEIVE_BUFFER = 32 * 1024 * 1024;
const FIRST_RATE = 100e6;
const SLOWEST = 5e6;
const FACTOR = 1.6;
/** A pace counts as too high when it lost frames this often: other work on the machine may cost one step some. */
const TRIES = 2;
/** A step that is not faster than the best by this factor may show the sender's own limit. */
const GAIN = 1.1;
/** So many of them, one after the other, do. */
const NO_GAIN_STEPS = 3;

export interface Step {
  readonly sent: Report;
  readonly received: Report;
  /** How many frames one packet of the receiving device carried. */
  readonly framesPerPacket: number;
}

export interface Floor {
  /** MB of frames per second without loss; 0 when every pace lost some. */
  readonly rate: number;
  readonly step: Step | undefined;
  readonly steps: number;
}

interface Side {
  readonly ready: Promise<void>;
  readonly report: Promise<Report>;
}

function start(end: Line["tx"], task: Task): Side {
  const child = childEndsWithUs(
    inNamespace(end.namespace, () =>
      spawn(process.execPath, [SIDE, JSON.stringify(task)], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
    ),
  );
  const lines = createInterface(child.stdout);
  const ready = Promise.withResolvers<void>();
  const report = Promise.withResolvers<Report>();
  lines.on("line", (line) => {
    if (line === "ready") ready.resolve();
    else report.resolve(JSON.parse(line) as Report);
  });
  child.once("close", (code) => {
    const error = new Error(`${task.role} by ${task.by} ended with ${code}`);
    ready.reject(error);
    report.reject(error);
  });
  ready.promise.catch(() => undefined);
  report.promise.catch(() => undefined);
  return { ready: ready.promise, report: report.promise };
}

/** @param rate wire bytes per second */
export async function runStep(
  line: Line,
  by: Task["by"],
  frameSize: number,
  rate: number,
  milliseconds: number,
): Promise<Step> {
  const task = {
    ...{ by, host: RX_ADDRESS, port: PORT, frameSize, rate, milliseconds },
    receiveBuffer: RECEIVE_BUFFER,
  };
  const receiver = start(line.rx, { ...task, role: "receive" });
  await receiver.ready;
  const before = line.receivedPackets();
  const sender = start(line.tx, { ...task, role: "send" });
  const [sent, received] = await Promise.all([sender.report, receiver.report]);
  return { sent, received, framesPerPacket: sent.frames / (line.receivedPackets() - before) };
}

/** Raises the pace until frames are lost or the sender is at its end, then halves the gap. */
export async function findFloor(
  tryRate: (rate: number) => Promise<Step>,
  halvings: number,
): Promise<Floor> {
  let best: Step | undefined;
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let steps = 0;
  let left = halvings;
  let noGain = 0;
  let rate = FIRST_RATE;
  while (rate >= SLOWEST) {
    let step = await tryRate(rate);
    for (let tries = 1; tries < TRIES && lost(step) > 0; tries += 1) {
      steps += 1;
      step = await tryRate(rate);
    }
    steps += 1;
    if (lost(step) === 0) {
      low = rate;
      const before = best === undefined ? 0 : speed(best);
      if (speed(step) > before) best = step;
      noGain = speed(step) < before * GAIN ? noGain + 1 : 0;
      if (noGain === NO_GAIN_STEPS) break;
    } else {
      high = rate;
    }
    if (low > 0 && high < Number.POSITIVE_INFINITY) {
      if (left === 0) break;
      left -= 1;
      rate = (low + high) / 2;
    } else {
      rate *= low === 0 ? 1 / FACTOR : FACTOR;
    }
  }
  return { rate: best === undefined ? 0 : speed(best) / 1e6, step: best, steps };
}

function lost({ sent, received }: Step): number {
  return sent.frames - received.frames;
}

/** Bytes of frames per second of the sender's time. */
export function speed({ sent }: Step): number {
  return sent.bytes / sent.seconds;
}
