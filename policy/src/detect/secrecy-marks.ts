/**
 * Guarantee: marks of state secrecy (保守国家秘密法: 绝密, 机密, 秘密) are seen in
 * any width, with spaces or invisible characters between, in variant forms. A
 * mark written as a mark, in the first lines, in a cell or field of its own, is
 * certain; the word in running text is a suspicion.
 */
import type { Where } from "../content/place.ts";
import type { Tally } from "../content/tally.ts";
import { classAt, GAP, INVISIBLE } from "../text/char-class.ts";
import { fold, markFirst, SECRET_UNITS } from "../text/fold.ts";

/** A mark stands at the head of a document (GB/T 9704 §7.2.2): its first lines. */
const HEAD_LINES = 5;
/** Units looked at for those lines; a longer first line is not a heading. */
export const HEAD_UNITS = 4096;
/** Units before a suspicious word that are looked at, and behind it. */
const REACH = 24;
/** Gap and invisible units between the two characters of one word. */
const SPREAD_MAX = 8;

const WORD = "(?:绝密|机密|秘密)";
/** A line or cell that is nothing but the mark, perhaps bracketed, perhaps with its term. */
const ONLY_MARK = new RegExp(
  `^[\\[【(《〈「『<"'★ ]*${WORD}(?:★.{0,12}|[0-9一二三四五六七八九十]{1,3}年|长期|启用前|[:;,.。、|])?[\\]】)》〉」』>"'★ ]*$`,
  "u",
);
const WITH_STAR = new RegExp(`${WORD}★`, "u");
const DECLARED = new RegExp(`(?:密级|保密等级|涉密等级|秘密等级)[:=为是|,"'\\[(]{0,4}${WORD}`, "u");
/** The mark first on its line, set off from what follows. */
const LEADING = new RegExp(`^${WORD}(?:[:;,.。、|]|[0-9]{1,2}年|长期|启用前)`, "u");
/** Set off by spaces at the beginning or end of a line; letters may be spaced too. */
const SPACED_ENDS = /^[绝机秘]\s*密(?=\s|$)|(?:^|\s)[绝机秘]\s*密$/u;
const CELLS = /[,\t;|]/u;
/** Look-behind: these make 机 or 绝 part of another word (手机密码, 拒绝密钥). */
const NOT_MARK_BEFORE = /[手司飞危耳拒隔杜谢]$/u;
/** These make 密 the beginning of another word (密码, 密钥), or the word a quality (机密性). */
const NOT_MARK_AFTER = /^[码钥性]/u;

function isHeading(line: string): boolean {
  const folded = fold(line).trim();
  if (!folded.includes("密")) return false;
  const compact = folded.replace(/\s+/gu, "");
  if (ONLY_MARK.test(compact) || WITH_STAR.test(compact)) return true;
  if (DECLARED.test(compact) || LEADING.test(compact)) return true;
  if (SPACED_ENDS.test(folded)) return true;
  return folded.split(CELLS).some((cell) => ONLY_MARK.test(cell.replace(/\s+/gu, "")));
}

/** False only when no mark can stand in `text`. */
export function mayHoldMark(text: string): boolean {
  return SECRET_UNITS.some((unit) => text.includes(unit));
}

/** True when one of the first lines of `text` bears a mark. */
export function hasMarkInHead(text: string): boolean {
  const head = text.slice(0, HEAD_UNITS);
  if (!mayHoldMark(head)) return false;
  const lines = head.split(/[\r\n\u2028\u2029\u0085\f\v]+/u).filter((line) => line.trim() !== "");
  return lines.slice(0, HEAD_LINES).some(isHeading);
}

/** True when a mark stands in a file name, whatever separates its characters. */
export function hasMarkInName(name: string, ordinary: readonly string[]): boolean {
  if (!mayHoldMark(name)) return false;
  const compact = fold(name).replace(/[\s_\-.·~]+/gu, "");
  const plain = ordinary.reduce((text, phrase) => text.replaceAll(phrase, " "), compact);
  return [...plain.matchAll(/(?:绝密|机密|秘密)/gu)].some(
    (match) =>
      !NOT_MARK_AFTER.test(plain.slice(match.index + 2)) &&
      !NOT_MARK_BEFORE.test(plain.slice(0, match.index)),
  );
}

/** Watches text that flows by in pieces; passes nothing on, changes nothing. */
export class SecrecyMarks {
  readonly #tally: Tally;
  readonly #where: Where;
  readonly #ordinary: readonly string[];
  #head = "";
  #headDone = false;
  #tail = "";
  /** Units of the whole text before the tail. */
  #base = 0;
  /** Units of the tail in which words were already judged. */
  #judged = 0;

  /** @param ordinary phrases in which the word means something else (商业秘密). */
  constructor(tally: Tally, where: Where, ordinary: readonly string[]) {
    this.#tally = tally;
    this.#where = where;
    this.#ordinary = ordinary;
  }

  push(piece: string): void {
    if (!this.#headDone) {
      this.#head += piece.slice(0, HEAD_UNITS - this.#head.length);
      if (this.#head.length >= HEAD_UNITS) this.#judgeHead();
    }
    this.#judgeText(piece, false);
  }

  /** Judges the rest; ready for another text. */
  end(): void {
    this.#judgeHead();
    this.#judgeText("", true);
    this.#head = "";
    this.#headDone = false;
    this.#tail = "";
    this.#base = 0;
    this.#judged = 0;
  }

  #judgeHead(): void {
    if (this.#headDone) return;
    this.#headDone = true;
    if (hasMarkInHead(this.#head)) this.#tally.found("secrecy-mark-head", this.#where(0));
  }

  #judgeText(piece: string, last: boolean): void {
    const text = this.#tail + piece;
    const limit = last ? text.length : Math.max(text.length - REACH, this.#judged);
    for (const unit of SECRET_UNITS) {
      let at = text.indexOf(unit, this.#judged);
      while (at >= 0 && at < limit) {
        if (this.#isWord(text, at))
          this.#tally.found("secrecy-mark-text", this.#where(this.#base + at));
        at = text.indexOf(unit, at + 1);
      }
    }
    const keepFrom = Math.max(0, limit - REACH - SPREAD_MAX - 1);
    this.#tail = text.slice(keepFrom);
    this.#base += keepFrom;
    this.#judged = limit - keepFrom;
  }

  /** True when 密 at `at` ends the word of a mark that means a mark. */
  #isWord(text: string, at: number): boolean {
    let start = at - 1;
    while (start >= 0 && at - start <= SPREAD_MAX && isSkipped(text, start)) start -= 1;
    const first = start < 0 ? undefined : markFirst(text[start]);
    if (first === undefined) return false;
    const before = fold(text.slice(Math.max(0, start - REACH), start));
    const after = fold(text.slice(at + 1, at + 1 + REACH));
    if (NOT_MARK_BEFORE.test(before) || NOT_MARK_AFTER.test(after)) return false;
    return !this.#ordinary.some((phrase) => isInside(phrase, before, `${first}密`, after));
  }
}

function isSkipped(text: string, at: number): boolean {
  const cls = classAt(text, at);
  return cls === GAP || cls === INVISIBLE || text[at] === "\t";
}

/** True when before + word + after holds `phrase` around the word. */
function isInside(phrase: string, before: string, word: string, after: string): boolean {
  for (let at = phrase.indexOf(word); at >= 0; at = phrase.indexOf(word, at + 1)) {
    const head = phrase.slice(0, at);
    const tail = phrase.slice(at + word.length);
    if (before.endsWith(head) && after.startsWith(tail)) return true;
  }
  return false;
}
