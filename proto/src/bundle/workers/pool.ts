/**
 * Guarantee: a fixed number of threads does the chunks of all bundles of the
 * process. A task is settled exactly once: by the worker's answer, or, when the
 * worker ended, by `service.worker-ended` once its thread is gone, so that
 * nobody touches a file or a slot afterwards. A thread that ended is replaced by
 * the next task.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/index.ts";
import { loadProvider } from "../../sm/index.ts";
import { fromFault, type Task, type TaskAnswer, type TaskMessage } from "./task.ts";

/** The calling thread hashes items meanwhile: more workers than this wait for it. */
const THREADS_MOST = 2;
/** A thread beyond this is a mistake in a configuration. */
const THREADS_MAX = 64;
/**
 * Chunks from which a bundle goes to the workers. Below it the messages and the first touch of the
 * slots cost more than a second core brings.
 */
const CHUNKS_MIN = 8;
/** A worker keeps a few small objects at a time; its payload lies outside this heap. */
const HEAP_MB = 64;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class Thread {
  readonly worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #cause: unknown;
  ended = false;

  constructor() {
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), {
      name: "bundle",
      // How this process was started is nothing to it: `--eval` and its kind would stop it.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    // It keeps the process alive only while somebody waits for it.
    this.worker.unref();
    this.worker.on("message", (answer: TaskAnswer) => this.#settle(answer));
    this.worker.on("error", (error) => {
      this.#cause = error;
    });
    this.worker.on("exit", () => this.#end());
  }

  get load(): number {
    return this.#waiting.size;
  }

  run(task: Task): Promise<void> {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) this.worker.ref();
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, task } satisfies TaskMessage);
    });
  }

  #settle({ id, fault }: TaskAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.worker.unref();
    if (fault === undefined) waiting?.resolve();
    else waiting?.reject(fromFault(fault));
  }

  #end(): void {
    this.ended = true;
    for (const { reject } of this.#waiting.values()) {
      reject(new GatewayError("service.worker-ended", { detail: "bundle", cause: this.#cause }));
    }
    this.#waiting.clear();
  }
}

export class BundleWorkers {
  /** Bundles of fewer chunks stay on the calling thread. */
  readonly chunksMin: number;
  readonly #threads: Thread[];
  #closed = false;

  /** @param count threads, 1 to 64. @throws GatewayError `config.invalid`, `sm.*`. */
  constructor(count: number, chunksMin: number = CHUNKS_MIN) {
    this.chunksMin = chunksMin;
    if (!Number.isInteger(count) || count < 1 || count > THREADS_MAX) {
      throw new GatewayError("config.invalid", { detail: `${count} bundle workers` });
    }
    // libgcrypt must have been taken into use on this thread before a worker starts (sm/bulk.ts).
    loadProvider();
    this.#threads = Array.from({ length: count }, () => new Thread());
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
  async run(task: Task): Promise<void> {
    if (this.#closed) throw new GatewayError("service.worker-ended", { detail: "closed" });
    for (const [index, thread] of this.#threads.entries()) {
      if (thread.ended) this.#threads[index] = new Thread();
    }
    const least = this.#threads.reduce((best, thread) => (thread.load < best.load ? thread : best));
    return least.run(task);
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
