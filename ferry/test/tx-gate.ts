/** Guarantee: a gate that sends nothing and keeps every frame that it was given, burst by burst, and a pass that is alone on it. */
import { decodeFrame, emptyHeader, FRAME_HEADER, type FrameHeader } from "../src/frame.ts";
import { summedMemory } from "../src/frame-sum/index.ts";
import { BURST_BYTES, type GateSender } from "../src/gate/gate.ts";
import { BurstWriter } from "../src/tx/burst.ts";
import type { Pass } from "../src/tx/pass.ts";

export interface SentFrame extends FrameHeader {
  readonly payload: Uint8Array;
  /** Number of the burst it was in. */
  readonly burst: number;
}

export class RecordingGate implements GateSender {
  readonly driver = "recording";
  readonly locked = true;
  readonly frames: SentFrame[] = [];
  /** Takes no more than so many bursts. */
  limit = Number.POSITIVE_INFINITY;
  #bursts = 0;
  #wake: (() => void)[] = [];
  /** Memory as the ring's, into which shards are copied and summed in one pass; not at its beginning. */
  readonly #room = new Uint8Array(summedMemory(2 * BURST_BYTES), BURST_BYTES, BURST_BYTES);

  room(): Uint8Array | undefined {
    return this.#bursts < this.limit ? this.#room : undefined;
  }

  whenRoom(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** @throws when a frame is damaged, or a short one is not the last */
  commit(bytes: number, frameSize: number): void {
    this.#bursts += 1;
    for (let at = 0; at < bytes; at += frameSize) {
      const frame = this.#room.slice(at, Math.min(at + frameSize, bytes));
      const header = emptyHeader();
      const fault = decodeFrame(frame, header);
      if (fault !== undefined) throw new Error(`bad frame: ${fault}`);
      const payload = frame.subarray(FRAME_HEADER);
      this.frames.push({ ...header, payload, burst: this.#bursts });
    }
  }

  stats() {
    return { frames: this.frames.length, bytes: 0, retried: 0, failed: 0 };
  }

  async close(): Promise<void> {
    this.ring();
  }

  /** Says that there may be room. */
  ring(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Everything that a pass sends which is alone on the line. @param firstFrame number of its first frame */
export async function sentAlone(
  pass: Pass,
  frameSize: number,
  firstFrame = 0,
): Promise<SentFrame[]> {
  const gate = new RecordingGate();
  const burst = new BurstWriter(gate, frameSize);
  burst.nextFrame = firstFrame;
  let running = true;
  const run = pass.run().finally(() => {
    running = false;
  });
  // Met below.
  run.catch(() => undefined);
  while (running) {
    while (pass.ready) {
      burst.begin();
      while (burst.open && pass.ready) pass.write(burst);
      burst.end();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await run;
  return gate.frames;
}
