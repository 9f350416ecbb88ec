/**
 * Guarantee: every piece of readable text passes the same chain of inspectors,
 * in one order: first those that only look, then the one that may rewrite.
 */
import { DigitRuns } from "../detect/digit-runs.ts";
import { mayHoldMark, SecrecyMarks } from "../detect/secrecy-marks.ts";
import { mayHoldNumber } from "../text/char-class.ts";
import type { Where } from "./place.ts";
import type { Tally } from "./tally.ts";

export class TextChain {
  readonly #marks: SecrecyMarks;
  readonly #digits: DigitRuns;

  constructor(tally: Tally, where: Where, ordinary: readonly string[]) {
    this.#marks = new SecrecyMarks(tally, where, ordinary);
    this.#digits = new DigitRuns(tally, where);
  }

  /** The text as it may leave, as far as it is settled. */
  push(piece: string): string {
    this.#marks.push(piece);
    return this.#digits.push(piece);
  }

  /** A whole text at once; most are short and hold nothing that could be found. */
  whole(text: string): string {
    if (!mayHoldNumber(text) && !mayHoldMark(text)) return text;
    const passed = this.push(text);
    return passed + this.end();
  }

  /** The rest; the chain is ready for another text. */
  end(): string {
    this.#marks.end();
    return this.#digits.end();
  }
}
