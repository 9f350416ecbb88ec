/**
 * Measured: CPU seconds a gigabyte of the receiving half, from datagrams in memory to a file, by
 * loss; and that no single datagram holds up the event loop.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { FRAME_TYPE } from "../src/frame.ts";
import { Line, madeUp, Receiving } from "./frames.ts";
import { pki } from "./world.ts";

afterAll(() => pki.cleanup());

const CHUNK = 256 * 1024 + 16;
/** 0.3 GB: their frames are all made before. */
const CHUNKS = 1_200;
const body = madeUp(Array<number>(CHUNKS).fill(CHUNK), 1_000);
const gigabytes = body.bytes.length / 1e9;

/** The frames of a pass end to end, as they lie in the ring of the gate. */
function recorded(): { bytes: Uint8Array; ends: number[] } {
  const bytes = new Uint8Array(new SharedArrayBuffer(Math.ceil(body.bytes.length * 1.2)));
  const ends: number[] = [];
  let at = 0;
  for (const block of new Line(body).blocks()) {
    for (const frame of block) {
      bytes.set(frame, at);
      at += frame.length;
      ends.push(at);
    }
  }
  return { bytes, ends };
}

const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;

test("CPU of the receiving half", { timeout: 300_000 }, async () => {
  const { bytes, ends } = recorded();
  // The first run warms up.
  for (const loss of [0, 0, 10, 50]) {
    const rx = new Receiving();
    const [main, all] = [process.threadCpuUsage(), process.cpuUsage()];
    let random = 1;
    let from = 0;
    let longest = 0;
    for (const [index, end] of ends.entries()) {
      const frame = bytes.subarray(from, end);
      from = end;
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      if (random % 1_000 < loss && frame[3] !== FRAME_TYPE.MANIFEST) continue;
      const before = performance.now();
      rx.take(frame);
      longest = Math.max(longest, performance.now() - before);
      if (index % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
      while (rx.paused > 0) await delay(2);
    }
    await rx.reassembler.settled();
    const used = {
      main: seconds(process.threadCpuUsage(main)) / gigabytes,
      all: seconds(process.cpuUsage(all)) / gigabytes,
    };
    console.log(
      `loss ${loss / 10} %: ${used.main.toFixed(2)} CPU s a GB on the main thread, ` +
        `${used.all.toFixed(2)} in all; ${rx.reassembler.restored} shards restored; ` +
        `longest datagram ${longest.toFixed(1)} ms`,
    );
    // At 5 % a group in some thousands loses more than 16 of 144: the second pass's work.
    if (loss < 50) expect(rx.whole).toHaveLength(1);
    expect(rx.rejections.totals()).toEqual({});
    for (const object of rx.whole) await rx.bytesOf(object);
    await rx.close();
  }
});
