/** Measured: CPU seconds a gigabyte of the receiving half, from datagrams in memory to a file, by loss. */
import { afterAll, expect, test } from "vitest";
import { FRAME_TYPE } from "../src/frame.ts";
import { Line, madeUp, Receiving } from "./frames.ts";
import { pki } from "./world.ts";

afterAll(() => pki.cleanup());

const CHUNK = 256 * 1024 + 16;
const CHUNKS = 4_000;
const GIGA = 1e9;

interface Used {
  /** CPU seconds a gigabyte of this thread, and of all. */
  readonly main: number;
  readonly all: number;
  readonly restored: number;
  readonly longestMs: number;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the making of frames takes on this thread is measured and taken off. */
async function measure(lossOfThousand: number): Promise<Used> {
  const body = madeUp(Array<number>(CHUNKS).fill(CHUNK), 1_000);
  const rx = new Receiving();
  try {
    const line = new Line(body);
    let main = 0;
    let making = 0;
    let longest = 0;
    let random = 1;
    const before = process.cpuUsage();
    for (let from = process.threadCpuUsage(), blocks = line.blocks(); ; ) {
      const next = blocks.next();
      const made = process.threadCpuUsage(from);
      making += made.user + made.system;
      if (next.done === true) break;
      from = process.threadCpuUsage();
      for (const [index, frame] of next.value.entries()) {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
        const lost = random % 1_000 < lossOfThousand && frame[3] !== FRAME_TYPE.MANIFEST;
        const at = performance.now();
        if (!lost) rx.take(frame);
        longest = Math.max(longest, performance.now() - at);
        if (index % 256 === 0) await turn();
        while (rx.paused > 0) await turn();
      }
      const used = process.threadCpuUsage(from);
      main += used.user + used.system;
      from = process.threadCpuUsage();
    }
    const from = process.threadCpuUsage();
    await rx.until(1);
    const last = process.threadCpuUsage(from);
    main += last.user + last.system;
    const { user, system } = process.cpuUsage(before);
    const perGiga = 1e6 * (body.bytes.length / GIGA);
    return {
      main: main / perGiga,
      all: (user + system - making) / perGiga,
      restored: rx.reassembler.restored,
      longestMs: longest,
    };
  } finally {
    await rx.close();
  }
}

test("CPU of the receiving half", { timeout: 600_000 }, async () => {
  await measure(0);
  for (const loss of [0, 10, 50]) {
    const { main, all, restored, longestMs } = await measure(loss);
    const text = `${main.toFixed(2)} s main, ${all.toFixed(2)} s in all a GB`;
    console.log(`loss ${loss / 10} %: ${text}, ${restored} restored, ${longestMs.toFixed(1)} ms`);
    expect(all).toBeLessThan(30);
  }
});
