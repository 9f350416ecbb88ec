/**
 * Guarantee: a fixed number of threads does the chunks of all bundles of the
 * process. A task is settled exactly once: by the worker's answer, or, when the
 * worker ended, by `service.worker-ended` once its thread is gone, so that
 * nobody touches a file or a slot afterwards. A thread that ended is replaced by
 * the next task.
 */
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/index.ts";
import { loadProvider } from "../../sm/index.ts";
import { HashLane } from "./hash-lane.ts";
import type { GroupTask, WorkerProvider } from "./task.ts";
import { WorkerThread } from "./thread.ts";

/** The calling thread hashes items meanwhile: more workers than this wait for it. */
const THREADS_MOST = 2;
/** A thread beyond this is a mistake in a configuration. */
const THREADS_MAX = 64;
/**
 * Chunks from which a bundle goes to the workers. Below it the messages and the first touch of the
 * slots cost more than a second core brings.
 */
const CHUNKS_MIN = 8;
export class BundleWorkers {
  /** Bundles of fewer chunks stay on the calling thread. */
  readonly chunksMin: number;
  readonly #threads: WorkerThread[];
  #closed = false;

  /** @param count threads, 1 to 64. @throws GatewayError `config.invalid`, `sm.*`. */
  constructor(count: number, chunksMin: number = CHUNKS_MIN) {
    this.chunksMin = chunksMin;
    if (!Number.isInteger(count) || count < 1 || count > THREADS_MAX) {
      throw new GatewayError("config.invalid", { detail: `${count} bundle workers` });
    }
    // libgcrypt must have been taken into use on this thread before a worker starts (sm/bulk.ts).
    loadProvider();
    this.#threads = Array.from({ length: count }, () => new WorkerThread());
  }

  get count(): number {
    return this.#threads.length;
  }

  /** Slots that one bundle may hold: one at each worker, one waiting there, one with the caller. */
  get slotsPerBundle(): number {
    return 2 * this.#threads.length + 1;
  }

  /** Tasks that are not settled. */
  get load(): number {
    return this.#threads.reduce((sum, { load }) => sum + load, 0);
  }

  /** The threads as they are now; for tests that end one. */
  get threads(): readonly Worker[] {
    return this.#threads.map(({ worker }) => worker);
  }

  /** @throws GatewayError `service.worker-ended`, or what the task met: `sm.*`, the system's own error. */
  async run(task: GroupTask): Promise<void> {
    await this.#least(({ load }) => load).run(task);
  }

  /**
   * A hash on the thread with the fewest. It is over when its digest was taken or it was dropped.
   * @param size bytes that will come. @throws GatewayError `service.worker-ended` when closed.
   */
  openLane(provider: WorkerProvider, size: number): HashLane {
    return new HashLane(
      this.#least(({ lanes }) => lanes),
      provider,
      size,
    );
  }

  #least(what: (thread: WorkerThread) => number): WorkerThread {
    if (this.#closed) throw new GatewayError("service.worker-ended", { detail: "closed" });
    for (const [index, thread] of this.#threads.entries()) {
      if (thread.ended) this.#threads[index] = new WorkerThread();
    }
    return this.#threads.reduce((best, thread) => (what(thread) < what(best) ? thread : best));
  }

  /** Ends the threads; what still waited fails with `service.worker-ended`. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

let current: BundleWorkers | undefined;

/**
 * From now on bundles of more than a few chunks are sealed, verified and opened by worker threads of
 * this process; call it once at its start. Each thread takes about 15 MB, each bundle in work 1 MiB
 * for every slot.
 * @param count threads; 0 keeps all work on the calling thread. Default: one core is left to the
 * calling thread, which hashes the contents: on two cores one thread seals at 208 MB/s, two at 185.
 * @param chunksMin chunks from which a bundle goes to them; tests send smaller ones.
 * @throws GatewayError `config.invalid`, `sm.*`.
 */
export async function openBundleWorkers(
  count: number = Math.max(1, Math.min(THREADS_MOST, availableParallelism() - 1)),
  chunksMin?: number,
): Promise<void> {
  await closeBundleWorkers();
  current = count === 0 ? undefined : new BundleWorkers(count, chunksMin);
}

/** Ends the threads. Later bundles are done on the calling thread; those in work fail. */
export async function closeBundleWorkers(): Promise<void> {
  const pool = current;
  current = undefined;
  await pool?.close();
}

/** The pool of this process; undefined without one. */
export function bundleWorkers(): BundleWorkers | undefined {
  return current;
}
