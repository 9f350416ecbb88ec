/** Guarantee: the least that a TypeScript ferry could do: one loop of libc calls at either end, no ring, no worker, no protocol. */
import koffi from "koffi";
import { BURST_BYTES } from "../../src/gate/gate.ts";
import { EAGAIN, EINTR, socketAddress } from "../../src/gate/native.ts";
import { ReceiveHeader } from "../../src/gate/receive-header.ts";
import { openRxSocket } from "../../src/gate/rx-socket.ts";
import { openTxSocket } from "../../src/gate/tx-socket.ts";
import {
  END_BYTES,
  END_PAUSE_MS,
  END_REPEATS,
  PacedBursts,
  type Report,
  Tally,
  type Task,
} from "./task.ts";

const ROOM = 65_536;
const TIMEOUT_MS = 100;
/** A sender that says nothing for as long is not coming. */
const SILENCES = 50;

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number) => Atomics.wait(sleeper, 0, 0, ms);

export function send(task: Task): Report {
  const { fd, segments } = openTxSocket(task.frameSize);
  if (!segments) throw new Error("UDP_SEGMENT refused");
  const to = socketAddress(task);
  const sendto = koffi
    .load(null)
    .func("long sendto(int, const void *, size_t, int, const void *, uint32)");
  const push = (bytes: Buffer): void => {
    const sent = Number(sendto(fd, bytes, bytes.length, 0, to, to.length));
    if (sent !== bytes.length) throw new Error(`sendto ${sent}, errno ${koffi.errno()}`);
  };
  const bursts = new PacedBursts(task, BURST_BYTES);
  while (!bursts.over) {
    const { wait } = bursts;
    if (wait > 0) sleep(wait);
    push(bursts.next());
  }
  const report = bursts.report();
  for (let count = 0; count < END_REPEATS; count += 1) {
    sleep(END_PAUSE_MS);
    push(Buffer.alloc(END_BYTES));
  }
  return report;
}

export function receive(task: Task, ready: () => void): Report {
  const { fd, coalesces } = openRxSocket(task, task.receiveBuffer, TIMEOUT_MS);
  if (!coalesces) throw new Error("UDP_GRO refused");
  const recvmsg = koffi.load(null).func("long recvmsg(int, void *, int)");
  const memory = Buffer.from(new SharedArrayBuffer(ROOM));
  const header = new ReceiveHeader(memory, ROOM);
  const tally = new Tally(task.frameSize);
  ready();
  for (let silences = 0; !tally.ended && silences < SILENCES; ) {
    header.aim(0);
    const length = Number(recvmsg(fd, header.address, 0));
    if (length < 0) {
      const error = koffi.errno();
      if (error !== EAGAIN && error !== EINTR) throw new Error(`recvmsg: errno ${error}`);
      silences += 1;
      continue;
    }
    silences = 0;
    const size = header.segmentSize() || length;
    for (let at = 0; at < length; at += size) tally.take(memory, at, Math.min(size, length - at));
  }
  return tally.report();
}
