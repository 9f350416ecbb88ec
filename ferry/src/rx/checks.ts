/**
 * Guarantee: spans are hashed and written by one thread of their own, in fours,
 * short ones on the spot. What is in work is counted, and the gate is paused
 * while there is too much of it. Each check is answered exactly once.
 */
import { Worker } from "node:worker_threads";
import type { SmProvider } from "@lightferry/proto/sm";
import { DIGEST_BYTES } from "../object.ts";
import { type CheckAnswer, type CheckTask, VERDICT, type WriteFault } from "./check-task.ts";

/** Spans being hashed or written before the gate is paused, and when it goes on. */
const PAUSE_BYTES = 32 << 20;
const RESUME_BYTES = 16 << 20;
/** Four of the longest chunks, which are hashed side by side. */
const TASK_BYTES = 1 << 20;
/** A message of more spans takes longer to read than to write. */
const TASK_SPANS = 64;
/** Shorter spans of short objects are hashed at once: a round trip costs more. */
const AT_ONCE_BYTES = 1 << 16;
/** Prefix of a leaf of the digest table. */
const LEAF = Uint8Array.of(0);

export type Verdict = "good" | "wrong" | WriteFault;

/** A span to look at. */
export interface Check {
  readonly head: boolean;
  /** undefined: what lies in the file. */
  readonly bytes: Uint8Array | undefined;
  readonly length: number;
  /** Expected; 32 bytes. */
  readonly digest: Uint8Array;
  /** Where it is written when it is good; -1: nowhere. */
  readonly file: number;
  readonly offset: number;
  readonly done: (verdict: Verdict) => void;
}

export class Checks {
  readonly #provider: SmProvider;
  readonly #pause: () => void;
  readonly #resume: () => void;
  readonly #tasks = new Map<number, readonly Check[]>();
  #worker: Worker | undefined;
  #queue: Check[] = [];
  #queued = 0;
  #inWork = 0;
  #next = 0;
  #paused = false;
  #scheduled = false;
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(provider: SmProvider, pause: () => void, resume: () => void) {
    this.#provider = provider;
    this.#pause = pause;
    this.#resume = resume;
  }

  /** Bytes being hashed or written. */
  get bytes(): number {
    return this.#inWork;
  }

  /** Starts the thread, which takes a moment: a long object is coming. */
  warm(): void {
    this.#thread();
  }

  /** Looks at a span. `done` may be called before this returns. */
  submit(check: Check): void {
    if (check.file < 0 && check.length < AT_ONCE_BYTES && check.bytes !== undefined) {
      check.done(this.#atOnce(check.head, check.bytes, check.digest));
      return;
    }
    this.#queue.push(check);
    this.#queued += check.length;
    if (check.bytes !== undefined) this.hold(check.length);
    if (this.#queued >= TASK_BYTES || this.#queue.length >= TASK_SPANS) this.#send();
    else this.#later();
  }

  /** Bytes that something else writes count too. */
  hold(bytes: number): void {
    this.#inWork += bytes;
    if (this.#paused || this.#inWork <= PAUSE_BYTES) return;
    this.#paused = true;
    this.#pause();
  }

  /** They are written. */
  free(bytes: number): void {
    this.#inWork -= bytes;
    if (!this.#paused || this.#inWork >= RESUME_BYTES) return;
    this.#paused = false;
    this.#resume();
  }

  /** Ends the thread once everything is answered. */
  async close(): Promise<void> {
    if (this.#queue.length > 0) this.#send();
    while (this.#tasks.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #atOnce(head: boolean, bytes: Uint8Array, digest: Uint8Array): Verdict {
    const found = head ? this.#provider.sm3(bytes) : this.#provider.sm3(LEAF, bytes);
    return Buffer.compare(found, digest) === 0 ? "good" : "wrong";
  }

  /** Fewer than four go when the thread has nothing else to do: otherwise more come meanwhile. */
  #later(): void {
    if (this.#scheduled || this.#tasks.size > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#queue.length > 0 && this.#tasks.size === 0) this.#send();
    });
  }

  #send(): void {
    const checks = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    const id = this.#next;
    this.#next += 1;
    const digests = new Uint8Array(checks.length * DIGEST_BYTES);
    for (const [index, { digest }] of checks.entries()) digests.set(digest, index * DIGEST_BYTES);
    this.#tasks.set(id, checks);
    this.#thread().postMessage({
      id,
      head: checks.map(({ head }) => head),
      bytes: checks.map(({ bytes }) => bytes),
      lengths: checks.map(({ length }) => length),
      digests,
      files: checks.map(({ file }) => file),
      offsets: checks.map(({ offset }) => offset),
    } satisfies CheckTask);
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./hash-worker.ts", import.meta.url), {
      name: "hash",
      execArgv: [],
      // The cipher machine of a node signs; hashing is the same everywhere.
      workerData: this.#provider.name === "sm-crypto" ? "sm-crypto" : "openssl",
    });
    let cause: WriteFault = { code: undefined, message: "hashing thread ended" };
    worker.on("message", (answer: CheckAnswer) => this.#answered(answer));
    worker.on("error", (error) => {
      cause = { code: undefined, message: String(error) };
    });
    worker.on("exit", () => this.#ended(worker, cause));
    this.#worker = worker;
    return worker;
  }

  #answered({ id, verdicts, fault }: CheckAnswer): void {
    const checks = this.#tasks.get(id) ?? [];
    this.#tasks.delete(id);
    for (const [index, check] of checks.entries()) {
      const verdict = verdicts[index];
      if (verdict === VERDICT.good) this.#settle(check, "good");
      else if (verdict === VERDICT.wrong) this.#settle(check, "wrong");
      else this.#settle(check, fault ?? { code: undefined, message: "not answered" });
    }
    this.#goOn();
  }

  /** A thread that ended is replaced by the next task; what it had in hand must come again. */
  #ended(worker: Worker, cause: WriteFault): void {
    if (this.#worker === worker) this.#worker = undefined;
    if (this.#closed) return;
    // Its thread is gone, so nobody touches a file or memory of these any more.
    const lost = [...this.#tasks.values()];
    this.#tasks.clear();
    for (const check of lost.flat()) this.#settle(check, cause);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#queue.length > 0) this.#later();
    if (this.#tasks.size === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  #settle(check: Check, verdict: Verdict): void {
    if (check.bytes !== undefined) this.free(check.length);
    check.done(verdict);
  }
}
