/**
 * Guarantee: spans are judged, by a tag or by their digest, and written by one thread of their own, in fours,
 * short ones on the spot; those of short objects never wait for all that a long one has
 * brought at once. What is in work is counted, and the gate is paused while there is
 * too much of it. Each check is answered exactly once.
 */
import type { SmProvider } from "@lightferry/proto/sm";
import { DIGEST_BYTES } from "../object.ts";
import { BY, type CheckAnswer, type TagCheck, VERDICT, type WriteFault } from "./check-task.ts";
import { hashThread } from "./hash-thread.ts";

/** Spans being judged or written before the gate is paused, and when it goes on. */
const PAUSE_BYTES = 32 << 20;
const RESUME_BYTES = 16 << 20;
/** Four of the longest chunks, which are hashed side by side. */
const TASK_BYTES = 1 << 20;
/** A message of more spans takes longer to read than to write. */
const TASK_SPANS = 64;
/**
 * At the thread at one time: it finds the next when it ends one, although this thread may be at work for some
 * milliseconds. All the groups of a block become whole together, and a short object waits for these tasks alone.
 */
const TASKS = 3;
/**
 * Spans of short objects up to here, those of an urgent bundle of 64 KiB, are hashed at once, in a third of a
 * millisecond: a round trip costs as much, and waits for what the thread is at.
 */
const AT_ONCE_BYTES = 1 << 17;
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
  /** Known of a chunk of a long object; what it shows needs no digest. */
  readonly tag?: TagCheck | undefined;
  /** Where it is written when it is good; -1: nowhere. */
  readonly file: number;
  readonly offset: number;
  /** @param wrongTag it had a tag, and another one than the span has */
  readonly done: (verdict: Verdict, wrongTag: boolean) => void;
}

export class Checks {
  /** Bytes that were judged by their tag, and by their digest; tags that were wrong. */
  readonly counts = { byTag: 0, byDigest: 0, wrongTags: 0 };
  readonly #provider: SmProvider;
  readonly #pause: () => void;
  readonly #resume: () => void;
  /** Spans of short objects go before those of long ones. */
  readonly #short: Check[] = [];
  readonly #long: Check[] = [];
  /** Bytes in both. */
  #queued = 0;
  #inWork = 0;
  /** Tasks that are not answered. */
  #tasks = 0;
  #paused = false;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(provider: SmProvider, pause: () => void, resume: () => void) {
    this.#provider = provider;
    this.#pause = pause;
    this.#resume = resume;
  }

  /** Bytes being judged or written. */
  get bytes(): number {
    return this.#inWork;
  }

  /** Looks at a span. `done` may be called before this returns. */
  submit(check: Check): void {
    if (check.file < 0 && check.length <= AT_ONCE_BYTES && check.bytes !== undefined) {
      this.counts.byDigest += check.length;
      check.done(this.#atOnce(check.head, check.bytes, check.digest), false);
      return;
    }
    (check.file < 0 ? this.#short : this.#long).push(check);
    this.#queued += check.length;
    if (check.bytes !== undefined) this.hold(check.length);
    this.#sendFull();
    this.#later();
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

  /** Resolves when everything is answered, also what was asked meanwhile. */
  async idle(): Promise<void> {
    while (this.#waiting > 0 || this.#tasks > 0) {
      if (this.#tasks === 0) this.#send();
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #atOnce(head: boolean, bytes: Uint8Array, digest: Uint8Array): Verdict {
    const found = head ? this.#provider.sm3(bytes) : this.#provider.sm3(LEAF, bytes);
    return Buffer.compare(found, digest) === 0 ? "good" : "wrong";
  }

  get #waiting(): number {
    return this.#short.length + this.#long.length;
  }

  #sendFull(): void {
    while (this.#tasks < TASKS && (this.#queued >= TASK_BYTES || this.#waiting >= TASK_SPANS)) {
      this.#send();
    }
  }

  /** Fewer than four go when the thread has nothing else to do: otherwise more come meanwhile. Short objects do not wait for company. */
  #later(): void {
    if (this.#scheduled || !this.#mayGo()) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#mayGo()) this.#send();
    });
  }

  #mayGo(): boolean {
    return this.#short.length > 0
      ? this.#tasks < TASKS
      : this.#long.length > 0 && this.#tasks === 0;
  }

  /** What goes next; at least one. */
  #next(): Check[] {
    const next: Check[] = [];
    let bytes = 0;
    for (const queue of [this.#short, this.#long]) {
      let taken = 0;
      while (taken < queue.length && bytes < TASK_BYTES && next.length < TASK_SPANS) {
        const check = queue[taken] as Check;
        bytes += check.length;
        next.push(check);
        taken += 1;
      }
      queue.splice(0, taken);
    }
    this.#queued -= bytes;
    return next;
  }

  #send(): void {
    const checks = this.#next();
    const digests = new Uint8Array(checks.length * DIGEST_BYTES);
    for (const [index, { digest }] of checks.entries()) digests.set(digest, index * DIGEST_BYTES);
    this.#tasks += 1;
    hashThread(this.#provider).run(
      {
        head: checks.map(({ head }) => head),
        bytes: checks.map(({ bytes }) => bytes),
        lengths: checks.map(({ length }) => length),
        digests,
        tags: checks.map(({ tag }) => tag),
        files: checks.map(({ file }) => file),
        offsets: checks.map(({ offset }) => offset),
      },
      (answer) => this.#answered(checks, answer),
    );
  }

  #answered(checks: readonly Check[], { verdicts, by, fault }: CheckAnswer): void {
    this.#tasks -= 1;
    for (const [index, check] of checks.entries()) {
      const verdict = verdicts[index];
      const wrongTag = by[index] === BY.digestAfterWrongTag;
      // Neither, where the thread ended or could not read.
      if (by[index] === BY.tag) this.counts.byTag += check.length;
      else if (by[index] !== undefined) this.counts.byDigest += check.length;
      if (wrongTag) this.counts.wrongTags += 1;
      if (verdict === VERDICT.good) this.#settle(check, "good", wrongTag);
      else if (verdict === VERDICT.wrong) this.#settle(check, "wrong", wrongTag);
      else this.#settle(check, fault ?? { code: undefined, message: "not answered" }, wrongTag);
    }
    this.#sendFull();
    this.#later();
    if (this.#tasks === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  #settle(check: Check, verdict: Verdict, wrongTag: boolean): void {
    if (check.bytes !== undefined) this.free(check.length);
    check.done(verdict, wrongTag);
  }
}
