/**
 * Guarantee: numbers of persons in text are found, and masked where the rules
 * say so, wherever the text is cut into pieces: the result depends only on the
 * whole text. Memory is bounded by one digit run of {@link RUN_DIGITS} digits.
 *
 * A run is a stretch of digits with at most {@link GAP_MAX} gap characters and
 * any few invisible ones between two of them. Within a run a group is what
 * stands between two gaps.
 */

import type { Where } from "../content/place.ts";
import type { Detector } from "../content/rules.ts";
import type { Tally } from "../content/tally.ts";
import {
  CHECK_X,
  classAt,
  DIGIT_0,
  GAP,
  HIGH_SURROGATE,
  INVISIBLE,
  UNIT_CLASS,
} from "../text/char-class.ts";
import {
  countryPrefix,
  isMobileNumber,
  isPieceOfOther,
  MOBILE_GROUPINGS,
  MOBILE_LENGTH,
} from "./mobile-number.ts";
import {
  isOldResidentId,
  isResidentId,
  OLD_RESIDENT_ID_LENGTH,
  RESIDENT_ID_LENGTH,
} from "./resident-id.ts";

/** Digits held back at most; a longer run is settled piece by piece. Small: one is made for each item. */
const RUN_DIGITS = 256;
/** Kept undecided when a long run is settled: the longest number, its neighbours, a country prefix. */
const RUN_KEEP = 32;
/** Shorter runs hold no number of interest. */
const RUN_MIN = MOBILE_LENGTH;
/** "510104  1990": people type one or two; more is a table. */
const GAP_MAX = 2;
/** Invisible characters between two digits; beyond it somebody is hiding something. */
const INVISIBLE_MAX = 64;
/** Text before a run that {@link isPieceOfOther} may look at. */
const BEFORE_UNITS = 24;
const STAR = "*";

/** Flag of a digit: a gap stands before it. */
const GAP_BEFORE = 1;
/** Flag: it belongs to a number to be masked. */
const INSIDE = 2;
/** Flag: the gap before it lies inside that number and is dropped. */
const JOINED = 4;
const MASKED = 8;
/** Flag: a number was found here, masked or not. */
const TAKEN = 16;

export class DigitRuns {
  readonly #tally: Tally;
  readonly #where: Where;
  readonly #values = new Uint8Array(RUN_DIGITS);
  readonly #flags = new Uint8Array(RUN_DIGITS);
  readonly #starts = new Int32Array(RUN_DIGITS);
  readonly #ends = new Int32Array(RUN_DIGITS);
  #count = 0;
  #gaps = 0;
  #invisibles = 0;
  /** True when the run goes on from digits already settled. */
  #continues = false;
  /** Text of the open run, from its first digit. */
  #carry = "";
  /** The last units before the open run, or before the next piece. */
  #before = "";
  #text = "";
  /** Units of the whole text before #text. */
  #base = 0;
  #copied = 0;
  #out = "";

  /** @param where names the place of a finding; asked in ascending order. */
  constructor(tally: Tally, where: Where) {
    this.#tally = tally;
    this.#where = where;
  }

  /** Takes the next piece (no half surrogate pairs) and gives back what is settled. */
  push(piece: string): string {
    return this.#scan(piece, false);
  }

  /** Settles the rest; the scanner is ready for another text. */
  end(): string {
    const rest = this.#scan("", true);
    this.#before = "";
    this.#base = 0;
    return rest;
  }

  #scan(piece: string, last: boolean): string {
    const text = this.#carry + piece;
    const resumeAt = this.#carry.length;
    this.#text = text;
    this.#copied = 0;
    this.#out = "";
    let i = resumeAt;
    while (i < text.length) {
      if (this.#count === 0) {
        while (i < text.length && (UNIT_CLASS[text.charCodeAt(i)] ?? 0) <= INVISIBLE) i += 1;
        if (i >= text.length) break;
      }
      let cls = UNIT_CLASS[text.charCodeAt(i)] ?? 0;
      let width = 1;
      if (cls === HIGH_SURROGATE) {
        cls = classAt(text, i);
        // Half a pair (JSON can spell one) is one unit: what follows is looked at by itself.
        width = (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1;
      }
      if (cls >= DIGIT_0) this.#digit(i, i + width, cls - DIGIT_0);
      else if (this.#count > 0) this.#between(cls, i, width);
      i += width;
    }
    if (last) this.#close();
    return this.#handOver();
  }

  #between(cls: number, at: number, width: number): void {
    if (cls === GAP) {
      this.#gaps += 1;
      if (this.#gaps > GAP_MAX) this.#close();
    } else if (cls === INVISIBLE) {
      this.#invisibles += 1;
      if (this.#invisibles > INVISIBLE_MAX) {
        this.#tally.couldNotLook("hidden-characters");
        this.#close();
      }
    } else {
      if (cls === CHECK_X && this.#count >= RESIDENT_ID_LENGTH - 1) this.#digit(at, at + width, 10);
      this.#close();
    }
  }

  #digit(start: number, end: number, value: number): void {
    if (this.#count === RUN_DIGITS) this.#settleLongRun();
    const n = this.#count;
    this.#values[n] = value;
    this.#starts[n] = start;
    this.#ends[n] = end;
    this.#flags[n] = this.#gaps > 0 ? GAP_BEFORE : 0;
    this.#count = n + 1;
    this.#gaps = 0;
    this.#invisibles = 0;
  }

  #close(): void {
    if (this.#count >= RUN_MIN) {
      this.#find(this.#count);
      this.#write(this.#count);
    }
    this.#count = 0;
    this.#gaps = 0;
    this.#invisibles = 0;
    this.#continues = false;
  }

  /** Decides all but the last digits of a full run, and moves those to the front. */
  #settleLongRun(): void {
    const settled = RUN_DIGITS - RUN_KEEP;
    this.#find(settled);
    this.#write(settled);
    const settledEnd = this.#ends[settled - 1] ?? 0;
    if (this.#copied < settledEnd) {
      this.#out += this.#text.slice(this.#copied, settledEnd);
      this.#copied = settledEnd;
    }
    for (const column of [this.#values, this.#flags, this.#starts, this.#ends]) {
      column.copyWithin(0, settled, RUN_DIGITS);
    }
    this.#count = RUN_KEEP;
    this.#continues = true;
  }

  /** Gives back settled text; an open run stays. */
  #handOver(): string {
    const text = this.#text;
    const keepFrom = this.#count === 0 ? text.length : this.#runStart();
    this.#out += text.slice(this.#copied, keepFrom);
    this.#before = this.#textBefore(keepFrom);
    this.#carry = text.slice(keepFrom);
    this.#base += keepFrom;
    for (let k = 0; k < this.#count; k += 1) {
      this.#starts[k] = (this.#starts[k] ?? 0) - keepFrom;
      this.#ends[k] = (this.#ends[k] ?? 0) - keepFrom;
    }
    return this.#out;
  }

  /** Where the text of the open run begins; after a settled part, right behind that part. */
  #runStart(): number {
    return this.#continues ? this.#copied : (this.#starts[0] ?? 0);
  }

  /** Looks for numbers that begin before digit `limit`. */
  #find(limit: number): void {
    for (let at = 0; at + RESIDENT_ID_LENGTH <= this.#count && at < limit; at += 1) {
      if (isResidentId(this.#values, at) && this.#standsWhole(at, RESIDENT_ID_LENGTH)) {
        this.#take("resident-id", at, RESIDENT_ID_LENGTH, 6, 4);
      }
    }
    for (let at = 0; at < limit; at += this.#groupLength(at)) {
      if (!this.#has(at, TAKEN) && this.#beginsGroup(at)) this.#findInGroups(at);
    }
  }

  #findInGroups(at: number): void {
    const length = this.#groupLength(at);
    if (length === OLD_RESIDENT_ID_LENGTH && isOldResidentId(this.#values, at)) {
      this.#take("resident-id-15", at, length, 6, 4);
      return;
    }
    const prefix = countryPrefix(this.#values, at, length);
    const grouped = prefix >= 0 || this.#isGroupedMobile(at);
    const first = at + Math.max(prefix, 0);
    if (!grouped || first + MOBILE_LENGTH > this.#count) return;
    if (!isMobileNumber(this.#values, first) || this.#overlapsTaken(first, MOBILE_LENGTH)) return;
    if (at === 0 && !this.#continues && isPieceOfOther(this.#textBefore(this.#starts[0] ?? 0)))
      return;
    this.#take("mobile-number", first, MOBILE_LENGTH, 3, 4);
  }

  #isGroupedMobile(at: number): boolean {
    return MOBILE_GROUPINGS.some((grouping) => {
      let place = at;
      for (const length of grouping) {
        if (place >= this.#count || this.#groupLength(place) !== length) return false;
        place += length;
      }
      return true;
    });
  }

  /** A number with gaps inside it must fill whole groups; one without may stand within more digits. */
  #standsWhole(at: number, length: number): boolean {
    let gaps = 0;
    for (let k = at; k < at + length; k += 1) {
      if (this.#has(k, MASKED)) return false;
      if (k > at && this.#has(k, GAP_BEFORE)) gaps += 1;
    }
    return gaps === 0 || (this.#beginsGroup(at) && this.#endsGroup(at + length));
  }

  #beginsGroup(at: number): boolean {
    return this.#has(at, GAP_BEFORE) || (at === 0 && !this.#continues);
  }

  #endsGroup(next: number): boolean {
    return next >= this.#count || this.#has(next, GAP_BEFORE);
  }

  /** Digits from `at` to the next gap. */
  #groupLength(at: number): number {
    let end = at + 1;
    while (end < this.#count && !this.#has(end, GAP_BEFORE)) end += 1;
    return end - at;
  }

  #overlapsTaken(at: number, length: number): boolean {
    for (let k = at; k < at + length; k += 1) if (this.#has(k, TAKEN)) return true;
    return false;
  }

  #take(detector: Detector, at: number, length: number, head: number, tail: number): void {
    this.#tally.found(detector, this.#where(this.#base + (this.#starts[at] ?? 0)));
    const masks = this.#tally.rules[detector].action === "mask";
    for (let k = at; k < at + length; k += 1) {
      let flags = TAKEN;
      if (masks) flags |= k === at ? INSIDE : INSIDE | JOINED;
      if (masks && k >= at + head && k < at + length - tail) flags |= MASKED;
      this.#flags[k] = (this.#flags[k] ?? 0) | flags;
    }
  }

  #has(at: number, flag: number): boolean {
    return ((this.#flags[at] ?? 0) & flag) !== 0;
  }

  /** The last units before `end`; short slices only, since it is asked for often. */
  #textBefore(end: number): string {
    if (end >= BEFORE_UNITS) return this.#text.slice(end - BEFORE_UNITS, end);
    return (this.#before + this.#text.slice(0, end)).slice(-BEFORE_UNITS);
  }

  /** Writes out the digits before `limit`, masked numbers in their plain form. */
  #write(limit: number): void {
    for (let k = 0; k < limit; k += 1) {
      if (!this.#has(k, INSIDE)) continue;
      if (!this.#has(k, JOINED)) this.#out += this.#text.slice(this.#copied, this.#starts[k]);
      const value = this.#values[k] ?? 0;
      this.#out += this.#has(k, MASKED) ? STAR : value === 10 ? "X" : String(value);
      this.#copied = this.#ends[k] ?? 0;
    }
  }
}
