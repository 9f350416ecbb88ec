/**
 * Guarantee: what a former run had kept of a long object is hashed again, the
 * head first, behind whatever comes meanwhile; what is not what it was counts as
 * never received. Each span is proven or disproved exactly once.
 */
import type { Budget } from "./budget.ts";
import type { Checks, Verdict } from "./checks.ts";
import type { PartialFile } from "./partial.ts";
import { HEAD, type Spans } from "./spans.ts";
import type { Store } from "./store.ts";

/** Four are hashed side by side. */
const AT_ONCE = 4;

export interface ProofParts {
  readonly file: PartialFile;
  readonly spans: Spans;
  readonly store: Store;
  readonly budget: Budget;
  readonly checks: Checks;
  readonly digest: (span: number) => Uint8Array;
  /** A span must come again. */
  readonly disproved: (span: number) => void;
  /** The head was looked at, or everything was. */
  readonly goOn: () => void;
  readonly fault: (error: unknown) => void;
}

export class Proof {
  /** The head may not be used yet. */
  headIsOpen = true;
  readonly #parts: ProofParts;
  /** Marked spans that nothing is known of yet. */
  readonly #open: Set<number>;
  #stopped = false;

  /** Takes the marked spans as good; {@link run} looks at them. */
  constructor(parts: ProofParts) {
    this.#parts = parts;
    const { file, spans } = parts;
    this.#open = new Set(file.marked().filter((span) => span < spans.count));
    for (const span of this.#open) spans.setGood(span);
  }

  get unproven(): number {
    return this.#open.size;
  }

  /** Nobody waits for the rest any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { goOn, fault, disproved } = this.#parts;
    try {
      await this.#head();
      this.headIsOpen = false;
      if (!this.#stopped) goOn();
      await this.#chunks();
    } catch (error) {
      fault(error);
    }
    this.headIsOpen = false;
    if (this.#stopped) return;
    // What could not be read must come too.
    for (const span of this.#open) disproved(span);
    this.#open.clear();
    goOn();
  }

  async #head(): Promise<void> {
    const { file, spans, store, budget } = this.#parts;
    const bytes = budget.take(spans.length(HEAD));
    await file.read(0, bytes).catch((error: unknown) => {
      budget.give(bytes);
      throw error;
    });
    if (this.#stopped || store.has(HEAD)) budget.give(bytes);
    else store.bring(HEAD, bytes);
    if (!this.#stopped) await this.#prove(HEAD, store.head);
  }

  async #chunks(): Promise<void> {
    const { spans } = this.#parts;
    const chunks = [...this.#open];
    for (let at = 0; at < chunks.length; at += AT_ONCE) {
      // Without its head nothing can be said of a chunk.
      if (this.#stopped || !spans.isGood(HEAD)) return;
      await Promise.all(chunks.slice(at, at + AT_ONCE).map((span) => this.#prove(span)));
    }
  }

  async #prove(span: number, bytes?: Uint8Array): Promise<void> {
    const { file, spans, checks, digest, disproved } = this.#parts;
    file.use();
    try {
      await file.ready();
      if (this.#stopped || !spans.isGood(HEAD)) return;
      const verdict = await new Promise<Verdict>((done) => {
        checks.submit({
          ...{ head: span === HEAD, bytes, length: spans.length(span), digest: digest(span) },
          file: bytes === undefined ? (file.fd ?? -1) : -1,
          offset: spans.start(span),
          done,
        });
      });
      if (this.#stopped) return;
      this.#open.delete(span);
      if (verdict !== "good") disproved(span);
    } finally {
      file.unuse();
    }
  }
}
