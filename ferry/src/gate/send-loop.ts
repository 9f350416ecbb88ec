/**
 * Guarantee: the only code that puts bytes on the gate, in a worker of its own:
 * bursts in the order given, each when the pacer says so. It binds `sendto` and
 * nothing that reads.
 */
import { parentPort, workerData } from "node:worker_threads";
import koffi from "koffi";
import { WIRE_OVERHEAD } from "./gate.ts";
import { SENT, type SendLoopData } from "./loops.ts";
import { EAGAIN, EINTR, ENOBUFS } from "./native.ts";
import { Pacer } from "./pacer.ts";
import { RingReader } from "./ring.ts";

/** How long to wait for a record before looking whether to stop. */
const IDLE_MS = 200;
/** Pause before a send is tried again for which the kernel had no buffer. */
const RETRY_MS = 0.5;
/** Then the burst is given up: the second pass carries it again. */
const MAX_RETRIES = 200;

/** The kernel's answer where the device cannot checksum for segmentation; it stays so. */
const EIO = 5;
/** UDP_MAX_SEGMENTS of kernels before 6.9, later 128. */
const MAX_SEGMENTS = 64;

const data = workerData as SendLoopData;
const sendto = koffi
  .load(null)
  .func("long sendto(int, const void *, size_t, int, const void *, uint32)");
const ring = new RingReader(data.memory);
const pacer = new Pacer(data.rate);
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let segments = data.segments;

function sleep(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/** errno, or 0. */
function sendOnce(offset: number, length: number): number {
  const bytes = ring.bytes.subarray(offset, offset + length);
  for (let attempt = 0; ; attempt += 1) {
    if (sendto(data.fd, bytes, length, 0, data.address, data.address.length) >= 0) return 0;
    const error = koffi.errno();
    if (error === EINTR) continue;
    if ((error !== EAGAIN && error !== ENOBUFS) || attempt >= MAX_RETRIES) return error;
    ring.count(SENT.retried, 1);
    sleep(RETRY_MS);
  }
}

/** Sends what the kernel takes at once. False when this system cannot segment. */
function sendSegmented(offset: number, length: number): boolean {
  const most = data.frameSize * MAX_SEGMENTS;
  for (let at = 0; at < length; at += most) {
    const size = Math.min(most, length - at);
    const error = sendOnce(offset + at, size);
    if (error === EIO && at === 0) return false;
    const frames = Math.ceil(size / data.frameSize);
    ring.count(error === 0 ? SENT.frames : SENT.failed, frames);
    if (error === 0) ring.count(SENT.bytes, size);
  }
  return true;
}

function sendBurst(offset: number, length: number, frameSize: number): void {
  const frames = Math.ceil(length / frameSize);
  const wait = pacer.delay(performance.now());
  if (wait > 0) sleep(wait);
  pacer.spend(length + frames * WIRE_OVERHEAD, performance.now());
  if (segments && frames > 1 && frameSize === data.frameSize) {
    segments = sendSegmented(offset, length);
    if (segments) return;
  }
  for (let at = 0; at < length; at += frameSize) {
    const size = Math.min(frameSize, length - at);
    const error = sendOnce(offset + at, size);
    ring.count(error === 0 ? SENT.frames : SENT.failed, 1);
    if (error === 0) ring.count(SENT.bytes, size);
  }
}

for (;;) {
  if (!ring.next()) {
    if (ring.closed) break;
    ring.waitForRecord(IDLE_MS);
    continue;
  }
  sendBurst(ring.offset, ring.length, ring.tag);
  if (ring.release()) parentPort?.postMessage(0);
}
