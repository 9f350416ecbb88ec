/**
 * Guarantee: parity is made between the other work of the event loop, a short slice at a time,
 * urgent objects first: heartbeats and bursts stay on time whatever waits to be encoded.
 */
import type { ErasureGroup } from "../erasure/index.ts";

/** Time of a slice; it ends with the group that is over it: 0.15 ms at MTU 1500, 1 ms at MTU 9000. */
const SLICE_MS = 0.5;
const CLASSES = 4;

interface Job {
  readonly group: ErasureGroup;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export class Encoding {
  readonly #queues: Job[][] = Array.from({ length: CLASSES }, () => []);
  #scheduled = false;

  /** Resolves when the parity shards of the group are made. */
  encode(group: ErasureGroup, serviceClass: number): Promise<void> {
    return new Promise((done, failed) => {
      this.#queues[serviceClass]?.push({ group, done, failed });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    this.#scheduled = false;
    const end = performance.now() + SLICE_MS;
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      run(job);
      if (performance.now() >= end) break;
    }
    if (this.#queues.some((queue) => queue.length > 0)) this.#schedule();
  }

  #next(): Job | undefined {
    return this.#queues.find((queue) => queue.length > 0)?.shift();
  }
}

function run({ group, done, failed }: Job): void {
  try {
    group.encode();
    done();
  } catch (error) {
    failed(error);
  }
}
