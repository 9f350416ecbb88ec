/**
 * Guarantee: every task given to a thread is settled exactly once: by its answer,
 * or, when the thread ended or had ended, by `service.worker-ended`. What lies in
 * a thread, the state of a hash, is never looked for in another.
 */
import { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/index.ts";
import { fromFault, type Task, type TaskAnswer, type TaskMessage } from "./task.ts";

/** A worker keeps a few small objects at a time; its payload lies outside this heap. */
const HEAP_MB = 64;

interface Waiting {
  readonly resolve: (digest: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerThread {
  readonly worker: Worker;
  /** Hashes that live there ({@link HashLane}). */
  lanes = 0;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #cause: unknown;
  #ended = false;

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

  get ended(): boolean {
    return this.#ended;
  }

  /** Tasks that are not settled. */
  get load(): number {
    return this.#waiting.size;
  }

  /** @returns the digest, of a task that asks for one. @throws GatewayError as {@link BundleWorkers.run}. */
  run(task: Task): Promise<Uint8Array | undefined> {
    if (this.#ended) return Promise.reject(this.#fault());
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) this.worker.ref();
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, task } satisfies TaskMessage);
    });
  }

  #settle({ id, digest, fault }: TaskAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.worker.unref();
    if (fault === undefined) waiting?.resolve(digest);
    else waiting?.reject(fromFault(fault));
  }

  #end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(this.#fault());
    this.#waiting.clear();
  }

  #fault(): GatewayError {
    return new GatewayError("service.worker-ended", { detail: "bundle", cause: this.#cause });
  }
}
