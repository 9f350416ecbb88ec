/**
 * Guarantee: the highest pace found at which every frame sent was received,
 * and what it cost either end.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Link, LinkEnd } from "./link.ts";
import type { Report, Task } from "./task.ts";

const SIDE = fileURLToPath(new URL("./side.ts", import.meta.url));
const PORT = 4_500;
/** As every row of the reference measurement had. */
export const RECEIVE_BUFFER = 32 * 1024 * 1024;
const FIRST_RATE = 100e6;
const SLOWEST = 5e6;
const FACTOR = 1.6;
/** Below this share of the pace asked for, the sender itself may be the limit. */
const REACHED = 0.9;
/** Steps below it, one after the other, that say so: other work on the machine may slow down one. */
const UNREACHED = 3;

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

function start(end: LinkEnd, task: Task): Side {
  const [command = "", ...args] = [...end.prefix, process.execPath, SIDE, JSON.stringify(task)];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
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
  link: Link,
  by: Task["by"],
  frameSize: number,
  rate: number,
  milliseconds: number,
): Promise<Step> {
  const task = {
    ...{ by, host: link.far.address, port: PORT, frameSize, rate, milliseconds },
    receiveBuffer: RECEIVE_BUFFER,
  };
  const receiver = start(link.far, { ...task, role: "receive" });
  await receiver.ready;
  const before = link.packets();
  const sender = start(link.near, { ...task, role: "send" });
  const [sent, received] = await Promise.all([sender.report, receiver.report]);
  return { sent, received, framesPerPacket: sent.frames / (link.packets() - before) };
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
  let unreached = 0;
  let rate = FIRST_RATE;
  while (rate >= SLOWEST) {
    const step = await tryRate(rate);
    steps += 1;
    if (step.sent.frames === step.received.frames) {
      low = rate;
      if (best === undefined || speed(step) > speed(best)) best = step;
      unreached = speed(step) < rate * REACHED ? unreached + 1 : 0;
      if (unreached === UNREACHED) break;
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

/** Bytes of frames per second of the sender's time. */
export function speed({ sent }: Step): number {
  return sent.bytes / sent.seconds;
}
