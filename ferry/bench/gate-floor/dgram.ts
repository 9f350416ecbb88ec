/** Guarantee: the same frames by Node's own sockets: connected, 64 sends in a turn of the event loop. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { WIRE_OVERHEAD } from "../../src/gate/gate.ts";
import { Pacer } from "../../src/gate/pacer.ts";
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

/** More in a turn gave no more frames per second. */
const SENDS_PER_TURN = 64;
/** Timers are no finer. */
const TIMER_MS = 1;
/** A sender that says nothing for as long is not coming. */
const SILENCE_MS = 5_000;

export async function send(task: Task): Promise<Report> {
  const socket = createSocket("udp4");
  socket.connect(task.port, task.host);
  await once(socket, "connect");
  const { frameSize } = task;
  const burst = new BurstMaker(frameSize, frameSize * SENDS_PER_TURN);
  const views = Array.from({ length: SENDS_PER_TURN }, (_, index) =>
    burst.bytes.subarray(index * frameSize, (index + 1) * frameSize),
  );
  const pacer = new Pacer(task.rate);
  const watch = new Stopwatch();
  const until = performance.now() + task.milliseconds;
  let frames = 0;
  while (performance.now() < until) {
    const wait = pacer.delay(performance.now());
    if (wait > 0) {
      await (wait < TIMER_MS ? turn() : delay(wait));
      continue;
    }
    pacer.spend(burst.bytes.length + burst.frames * WIRE_OVERHEAD, performance.now());
    burst.number();
    await new Promise<void>((resolve, reject) => {
      let left = views.length;
      for (const frame of views) {
        socket.send(frame, (error) => {
          if (error !== null) reject(error);
          left -= 1;
          if (left === 0) resolve();
        });
      }
    });
    frames += burst.frames;
    await turn();
  }
  const report = watch.report(frames, frames * frameSize);
  for (let count = 0; count < END_REPEATS; count += 1) {
    await delay(END_PAUSE_MS);
    socket.send(Buffer.alloc(END_BYTES));
  }
  await delay(END_PAUSE_MS);
  socket.close();
  return report;
}

export async function receive(task: Task, ready: () => void): Promise<Report> {
  const socket = createSocket("udp4");
  socket.bind(task.port, task.host);
  await once(socket, "listening");
  // Node cannot ask for more than rmem_max, not even as root: what it has, it has.
  socket.setRecvBufferSize(task.receiveBuffer);
  const tally = new Tally(task.frameSize);
  const ended = new Promise<void>((resolve) => {
    const silence = setTimeout(resolve, SILENCE_MS);
    socket.on("message", (datagram) => {
      silence.refresh();
      tally.take(datagram, 0, datagram.length);
      if (!tally.ended) return;
      clearTimeout(silence);
      resolve();
    });
  });
  ready();
  await ended;
  socket.close();
  return tally.report();
}
