/**
 * Guarantee: JSON (RFC 8259) is read token by token in one pass: every string,
 * key and number goes through the inspectors in its decoded form, and what
 * leaves is JSON again. Anything that is not JSON is something that could not
 * be looked at. Memory is bounded by the longest token and the depth.
 */
import { fieldName } from "./place.ts";
import type { ContentReader } from "./reader.ts";
import type { Tally } from "./tally.ts";
import { TextChain } from "./text-chain.ts";

/** A value nested deeper is no table or record; parsers of other makes give up about here too. */
export const JSON_DEPTH_MAX = 64;
/** A longer string is an embedded file, not a field. */
export const JSON_TOKEN_UNITS_MAX = 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const LITERALS = new Set(["true", "false", "null"]);
const BYTE_ORDER_MARK = 0xfeff;

/** What may come next. */
type Expect =
  | "value"
  | "value-or-end"
  | "key"
  | "key-or-end"
  | "colon"
  | "comma-or-end"
  | "nothing";

export class JsonReader implements ContentReader {
  readonly #tally: Tally;
  readonly #chain: TextChain;
  readonly #stack: ("{" | "[")[] = [];
  #expect: Expect = "value";
  #carry = "";
  #atStart = true;
  #broken = false;
  #field = "";
  #maskedKeys = 0;

  constructor(tally: Tally, ordinary: readonly string[]) {
    this.#tally = tally;
    this.#chain = new TextChain(tally, () => this.#field, ordinary);
  }

  push(piece: string): string {
    return this.#read(this.#carry + piece, false);
  }

  end(): string {
    const rest = this.#read(this.#carry, true);
    if (!this.#broken && this.#expect !== "nothing") this.#fail("broken-json");
    return rest;
  }

  /** From the first fault on everything passes as it is: the decision is no longer a permit. */
  #fail(reason: "broken-json" | "json-too-deep" | "token-too-long"): void {
    this.#broken = true;
    this.#tally.couldNotLook(reason);
  }

  #read(text: string, last: boolean): string {
    this.#carry = "";
    let out = "";
    let copied = 0;
    let at = 0;
    while (at < text.length && !this.#broken) {
      const unit = text.charCodeAt(at);
      if (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
        at += 1;
        continue;
      }
      if (this.#atStart && unit === BYTE_ORDER_MARK && at === 0) {
        at += 1;
        this.#atStart = false;
        continue;
      }
      this.#atStart = false;
      const end = unit === QUOTE ? stringEnd(text, at) : wordEnd(text, at);
      if (end > text.length || (end === text.length && !last && isWord(unit))) {
        if (text.length - at > JSON_TOKEN_UNITS_MAX) this.#fail("token-too-long");
        else if (last) this.#fail("broken-json");
        else {
          this.#carry = text.slice(at);
          return out + text.slice(copied, at);
        }
        break;
      }
      if (end - at > JSON_TOKEN_UNITS_MAX) {
        this.#fail("token-too-long");
        break;
      }
      const token = text.slice(at, end);
      const rewritten = this.#token(unit, token);
      if (rewritten !== token) {
        out += text.slice(copied, at) + rewritten;
        copied = end;
      }
      at = end;
    }
    return out + text.slice(copied);
  }

  #token(unit: number, token: string): string {
    if (unit === QUOTE) return this.#string(token);
    if (isWord(unit)) return this.#word(token);
    this.#punctuation(token);
    return token;
  }

  #string(token: string): string {
    const text = decodeString(token);
    if (text === undefined) {
      this.#fail("broken-json");
      return token;
    }
    const isKey = this.#expect === "key" || this.#expect === "key-or-end";
    if (!isKey && !this.#takesValue()) return token;
    if (isKey) {
      this.#field = fieldName(text);
      this.#expect = "colon";
    }
    const passed = this.#chain.whole(text);
    if (!isKey) this.#afterValue();
    if (passed === text) return token;
    if (!isKey) return JSON.stringify(passed);
    // Two masked keys may look alike, and an object must not name a member twice.
    this.#maskedKeys += 1;
    return JSON.stringify(`${passed}#${this.#maskedKeys}`);
  }

  #word(token: string): string {
    if (!this.#takesValue()) return token;
    if (LITERALS.has(token)) {
      this.#afterValue();
      return token;
    }
    if (!NUMBER.test(token)) {
      this.#fail("broken-json");
      return token;
    }
    const digits = /[eE]/.test(token) ? writtenOut(token) : token;
    const passed = this.#chain.whole(digits);
    this.#afterValue();
    return passed === digits ? token : JSON.stringify(passed);
  }

  #takesValue(): boolean {
    if (this.#expect === "value" || this.#expect === "value-or-end") return true;
    this.#fail("broken-json");
    return false;
  }

  #afterValue(): void {
    this.#expect = this.#stack.length === 0 ? "nothing" : "comma-or-end";
  }

  #punctuation(token: string): void {
    const top = this.#stack.at(-1);
    if (token === "{" || token === "[") {
      if (!this.#takesValue()) return;
      if (this.#stack.length >= JSON_DEPTH_MAX) this.#fail("json-too-deep");
      this.#stack.push(token);
      this.#expect = token === "{" ? "key-or-end" : "value-or-end";
    } else if (token === ":" && this.#expect === "colon") {
      this.#expect = "value";
    } else if (token === "," && this.#expect === "comma-or-end") {
      this.#expect = top === "{" ? "key" : "value";
    } else if (this.#closes(token, top)) {
      this.#stack.pop();
      this.#afterValue();
    } else {
      this.#fail("broken-json");
    }
  }

  #closes(token: string, top: "{" | "[" | undefined): boolean {
    const empty = top === "{" ? "key-or-end" : "value-or-end";
    const matches = (token === "}" && top === "{") || (token === "]" && top === "[");
    return matches && (this.#expect === "comma-or-end" || this.#expect === empty);
  }
}

/** Index behind the closing quote; beyond the text when it is not there yet. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) return at + 1;
    if (unit === BACKSLASH) at += 1;
  }
  return text.length + 1;
}

/** Punctuation is one unit; words and numbers go on while their characters do. */
function wordEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && isWord(text.charCodeAt(at))) at += 1;
  return Math.max(at, start + 1);
}

/** Places a point is moved at most: farther than the longest number of interest is long. */
const POINT_MOVES_MAX = 32;

/** A number with an exponent as its reader will write it: 51010419900307009e1, 5.1…17e17. */
function writtenOut(token: string): string {
  const [mantissa = "", exponent = "0"] = token.split(/[eE]/);
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const moves = Math.max(-POINT_MOVES_MAX, Math.min(POINT_MOVES_MAX, Number(exponent)));
  const point = whole.length + moves;
  if (point <= 0) return `0.${whole}${fraction}`;
  const digits = (whole + fraction).padEnd(point, "0");
  const behind = digits.slice(point);
  const before = digits.slice(0, point).replace(/^0+(?=[0-9])/, "");
  return behind === "" ? before : `${before}.${behind}`;
}

/** 0-9 A-Z a-z + - . : the characters of numbers and literals. */
function isWord(unit: number): boolean {
  return (
    (unit >= 0x30 && unit <= 0x39) ||
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    unit === 0x2b ||
    unit === 0x2d ||
    unit === 0x2e
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 forbids them unescaped
const NEEDS_PARSER = /[\\\u0000-\u001f]/;

/** The text of a string token; undefined when it is not one. */
function decodeString(token: string): string | undefined {
  if (!NEEDS_PARSER.test(token)) return token.slice(1, -1);
  try {
    return JSON.parse(token) as string;
  } catch {
    return undefined;
  }
}
