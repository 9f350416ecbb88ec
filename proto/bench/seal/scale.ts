/**
 * Guarantee: sealing on one core beside sealing on two by wall clock, in rounds
 * that alternate, and only in pairs that the rest of the machine left alone: the
 * one core was ours, and of the two cores others had less than {@link OTHERS_MAX}.
 * What others had makes two cores look worse, never better.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { GatewayError } from "../../src/errors/index.ts";
import type { ScaleCase, ScaleRound } from "./scale-child.ts";

const CHILD = fileURLToPath(new URL("./scale-child.ts", import.meta.url));
/** Of the time on one core, what must have been ours. */
const OWN_MIN = 0.97;
/** Cores that others may have had while ours were two. */
const OTHERS_MAX = 0.2;
/** Pairs that count. The median of fewer moves with each of them. */
const PAIRS = 7;
/** Pairs after which a machine is too busy to measure on. */
const TRIES_MAX = 35;
interface Side {
  round(): Promise<ScaleRound>;
  close(): void;
}

async function start(given: ScaleCase, pinned: boolean): Promise<Side> {
  const command = [process.execPath, CHILD, JSON.stringify(given)];
  const [program = "", ...args] = pinned ? ["taskset", "--cpu-list", "0", ...command] : command;
  const child: ChildProcess = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw ended();
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw ended();
    return value;
  };
  await line();
  return {
    async round() {
      stdin.write("\n");
      return JSON.parse(await line()) as ScaleRound;
    },
    close: () => stdin.end(),
  };
}

const ended = (): GatewayError =>
  new GatewayError("config.invalid", { detail: "a bench process ended; is taskset installed?" });

export interface Scale {
  /** Seconds by wall clock, medians of the pairs that count. */
  readonly one: number;
  readonly two: number;
  /** Median of the ratios of the pairs. */
  readonly ratio: number;
  /** Processor seconds of the two sides, medians. */
  readonly cpu: readonly [number, number];
  /** Cores that others had beside the two, median. */
  readonly others: number;
  readonly pairs: number;
  readonly tries: number;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/**
 * One core with everything on the calling thread, which is the fastest there, beside two cores as a
 * service starts them. @throws GatewayError `config.invalid` on a machine that is never quiet.
 */
export async function scale(given: Omit<ScaleCase, "workers">): Promise<Scale> {
  const one = await start({ ...given, workers: 0 }, true);
  const two = await start(given, false);
  const pairs: (readonly [ScaleRound, ScaleRound])[] = [];
  let tries = 0;
  try {
    for (; pairs.length < PAIRS; tries += 1) {
      if (tries === TRIES_MAX) {
        throw new GatewayError("config.invalid", {
          detail: `others left only ${pairs.length} of ${tries} pairs alone`,
        });
      }
      const [alone, both] = [await one.round(), await two.round()];
      const own = alone.cpu / alone.wall;
      if (own > OWN_MIN && both.others < OTHERS_MAX) pairs.push([alone, both]);
    }
  } finally {
    one.close();
    two.close();
  }
  return {
    one: median(pairs.map(([{ wall }]) => wall)),
    two: median(pairs.map(([, { wall }]) => wall)),
    ratio: median(pairs.map(([a, b]) => a.wall / b.wall)),
    cpu: [median(pairs.map(([{ cpu }]) => cpu)), median(pairs.map(([, { cpu }]) => cpu))],
    others: median(pairs.map(([, { others }]) => others)),
    pairs: pairs.length,
    tries,
  };
}
