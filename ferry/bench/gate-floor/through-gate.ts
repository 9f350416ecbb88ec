/** Guarantee: the same frames through the ferry's own sender and receiver, ring and workers included, without its protocol. */
import { setTimeout as delay } from "node:timers/promises";
import { BURST_BYTES, type GateSender } from "../../src/gate/gate.ts";
import { openReceiver, openSender } from "../../src/gate/open.ts";
import {
  BurstMaker,
  END_BYTES,
  END_PAUSE_MS,
  END_REPEATS,
  type Report,
  Stopwatch,
  Tally,
  type Task,
} from "./task.ts";

/** A sender that says nothing for as long is not coming. */
const SILENCE_MS = 5_000;

const options = {
  mode: "production" as const,
  warn: () => undefined,
  failed: (error: unknown) => {
    throw error;
  },
};

async function room(gate: GateSender): Promise<Buffer> {
  for (;;) {
    const free = gate.room();
    if (free !== undefined) return Buffer.from(free.buffer, free.byteOffset, free.length);
    await gate.whenRoom();
  }
}

export async function send(task: Task): Promise<Report> {
  const { frameSize } = task;
  const gate = await openSender(task, frameSize, task.rate, options);
  const burst = new BurstMaker(frameSize, BURST_BYTES);
  let frames = 0;
  const push = async (): Promise<void> => {
    burst.number(await room(gate));
    gate.commit(burst.bytes.length, frameSize);
    frames += burst.frames;
  };
  const empty = async (): Promise<void> => {
    while (gate.stats().frames + gate.stats().failed < frames) await delay(1);
  };
  // The worker starts slower than a step lasts: the clock runs from its first burst on.
  await push();
  await empty();
  const watch = new Stopwatch();
  const until = performance.now() + task.milliseconds;
  while (performance.now() < until) await push();
  await empty();
  const report = watch.report(gate.stats().frames, gate.stats().bytes);
  for (let count = 0; count < END_REPEATS; count += 1) {
    await delay(END_PAUSE_MS);
    (await room(gate)).fill(0, 0, END_BYTES);
    gate.commit(END_BYTES, END_BYTES);
  }
  await gate.close();
  return report;
}

export async function receive(task: Task, ready: () => void): Promise<Report> {
  const gate = await openReceiver(task, task.receiveBuffer, options);
  const tally = new Tally(task.frameSize);
  const ended = new Promise<void>((resolve) => {
    const silence = setTimeout(resolve, SILENCE_MS);
    gate.listen(
      ({ buffer, byteOffset, length }) => {
        tally.take(Buffer.from(buffer, byteOffset, length), 0, length);
      },
      () => {
        silence.refresh();
        if (!tally.ended) return;
        clearTimeout(silence);
        resolve();
      },
    );
  });
  ready();
  await ended;
  await gate.close();
  return tally.report();
}
