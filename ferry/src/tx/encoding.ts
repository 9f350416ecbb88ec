/**
 * Guarantee: parity is made between the other work of the event loop, a short slice at a time,
 * urgent objects first: heartbeats and bursts stay on time whatever waits to be encoded. Blocks of
 * one class and lane are prepared one after another: the first is ready as early as can be, and
 * those that are sent at the same time never all come to their ends at once.
 */
import { Turns } from "@lightferry/proto/service";
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
  readonly #now: () => number;
  #scheduled = false;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

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
    const end = this.#now() + SLICE_MS;
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      run(job);
      if (this.#now() >= end) break;
    }
    if (this.#queues.some((queue) => queue.length > 0)) this.#schedule();
  }

  #next(): Job | undefined {
    return this.#queues.find((queue) => queue.length > 0)?.shift();
  }
}

/**
 * Who may read and encode a block, of one lane. Were those of several passes prepared side by side, all would be
 * ready together, be sent frame by frame in turns, end together, and the line would have nothing until the next are ready.
 */
export class BlockTurns {
  readonly #turns = Array.from({ length: CLASSES }, () => new Turns(1));

  /** Runs `work` when it is the turn of the block; one of a single group waits for none. */
  async run(groups: number, serviceClass: number, work: () => Promise<void>): Promise<void> {
    if (groups === 1) await work();
    else await (this.#turns[serviceClass] as Turns).run(work);
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
