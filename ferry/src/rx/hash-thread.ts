/**
 * Guarantee: one thread of this process checks tags, hashes and writes for all who ask, and
 * answers every task exactly once: when it ended, that is the answer, and the
 * next task starts another. It keeps the process alive only while it works.
 */
import { Worker } from "node:worker_threads";
import type { SmProvider } from "@lightferry/proto/sm";
import type { CheckAnswer, CheckTask, WriteFault } from "./check-task.ts";

type ProviderName = "openssl" | "sm-crypto";

class HashThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: CheckAnswer) => void>();
  #next = 0;
  ended = false;

  constructor(provider: ProviderName) {
    let cause: WriteFault = { code: undefined, message: "hashing thread ended" };
    this.#worker = new Worker(new URL("./hash-worker.ts", import.meta.url), {
      name: "hash",
      // How this process was started is nothing to it.
      execArgv: [],
      workerData: provider,
    });
    this.#worker.unref();
    this.#worker.on("message", (answer: CheckAnswer) => this.#settle(answer));
    this.#worker.on("error", (error) => {
      cause = { code: undefined, message: String(error) };
    });
    this.#worker.on("exit", () => {
      this.ended = true;
      for (const id of this.#waiting.keys()) {
        this.#settle({ id, verdicts: new Uint8Array(), by: new Uint8Array(), fault: cause });
      }
    });
  }

  run(task: Omit<CheckTask, "id">, answered: (answer: CheckAnswer) => void): void {
    const id = this.#next;
    this.#next += 1;
    if (this.#waiting.size === 0) this.#worker.ref();
    this.#waiting.set(id, answered);
    this.#worker.postMessage({ ...task, id } satisfies CheckTask);
  }

  #settle(answer: CheckAnswer): void {
    const answered = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    answered?.(answer);
  }
}

const threads = new Map<ProviderName, HashThread>();

/** The thread, which takes half a second to start: ask for it before the first frame comes. */
export function hashThread({ name }: Pick<SmProvider, "name">): HashThread {
  // A cipher machine keeps keys; hashing is the same everywhere.
  const provider = name === "sm-crypto" ? name : "openssl";
  let thread = threads.get(provider);
  if (thread === undefined || thread.ended) {
    thread = new HashThread(provider);
    threads.set(provider, thread);
  }
  return thread;
}
