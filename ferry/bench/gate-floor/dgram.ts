/** Guarantee: the same frames by Node's own sockets: connected, 64 sends in a turn of the event loop. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import {
  END_BYTES,
  END_PAUSE_MS,
  END_REPEATS,
  PacedBursts,
  type Report,
  Tally,
  type Task,
} from "./task.ts";

/** More in a turn gave no more frames per second. */
const SENDS_PER_TURN = 64;
/** A sender that says nothing for as long is not coming. */
const SILENCE_MS = 5_000;

export async function send(task: Task): Promise<Report> {
  const socket = createSocket("udp4");
  socket.connect(task.port, task.host);
  await once(socket, "connect");
  const { frameSize } = task;
  const bursts = new PacedBursts(task, frameSize * SENDS_PER_TURN);
  while (!bursts.over) {
    const { wait } = bursts;
    if (wait > 0) {
      await delay(wait);
      continue;
    }
    const bytes = bursts.next();
    await new Promise<void>((resolve, reject) => {
      let left = SENDS_PER_TURN;
      for (let at = 0; at < bytes.length; at += frameSize) {
        socket.send(bytes.subarray(at, at + frameSize), (error) => {
          if (error !== null) reject(error);
          left -= 1;
          if (left === 0) resolve();
        });
      }
    });
    await turn();
  }
  const report = bursts.report();
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
