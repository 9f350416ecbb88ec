/**
 * Guarantee: every character that reads as a digit, a gap or nothing at all has
 * one class here, whatever script or width it is written in: NFKC forms
 * (full-width, mathematical, circled), every \p{Nd} script, Chinese numerals,
 * zero-width, bidirectional and tag characters, combining marks.
 */

/** Ends a digit run. */
export const OTHER = 0;
/** May stand between the digits of one number (space or hyphen, not a line break). */
export const GAP = 1;
/** Is not seen by a reader: never counts. */
export const INVISIBLE = 2;
/** First half of a pair outside the BMP: ask {@link astralClass}. */
export const HIGH_SURROGATE = 3;
/** Reads as X, the check character ten of GB 11643. */
export const CHECK_X = 4;
/** DIGIT_0 + n reads as the digit n. */
export const DIGIT_0 = 16;

const CHINESE_NUMERALS: readonly string[] = [
  "〇零",
  "一壹",
  "二贰貳",
  "三叁參",
  "四肆",
  "五伍",
  "六陆陸",
  "七柒",
  "八捌",
  "九玖",
];
/** Space separators other than line breaks, the Braille blank; tab is left out: it separates table cells. */
const GAPS = /^[\p{Zs}\p{Pd}\u2212\u2800]$/u;
/**
 * Format characters, combining marks, Hangul fillers: drawn as nothing or upon a neighbour. So are
 * controls other than tab and line breaks, which JSON can spell in any string.
 */
const INVISIBLES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what hides here
  /^[\p{Cf}\p{Mn}\p{Me}\u115f\u1160\u3164\uffa0\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]$/u;
/** X in scripts that draw it alike. */
const X_FORMS = /^[XxⅩⅹХхΧχ]$/u;
const DIGIT = /^\p{Nd}$/u;

const BMP_END = 0x10000;
/** Digits and numerals outside the BMP end below here; tags and variation selectors follow at E0000. */
const ASTRAL_DIGITS_END = 0x20000;
const TAGS_START = 0xe0000;
const TAGS_END = 0xe01f0;

function classOf(character: string, digitOfScript: number): number {
  const plain = character.normalize("NFKC");
  if (/^[0-9]$/.test(plain)) return DIGIT_0 + Number(plain);
  if (digitOfScript >= 0) return DIGIT_0 + digitOfScript;
  const numeral = CHINESE_NUMERALS.findIndex((forms) => forms.includes(plain));
  if (numeral >= 0) return DIGIT_0 + numeral;
  if (X_FORMS.test(character) || X_FORMS.test(plain)) return CHECK_X;
  if (INVISIBLES.test(character)) return INVISIBLE;
  if (GAPS.test(character)) return GAP;
  return OTHER;
}

/** Calls back for each code point of [start, end) that has a class. */
function classify(start: number, end: number, set: (codePoint: number, cls: number) => void): void {
  // Unicode keeps the ten digits of a script together, beginning with zero (Unicode 16, §4.6).
  let zero = -1;
  for (let codePoint = start; codePoint < end; codePoint += 1) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
    const character = String.fromCodePoint(codePoint);
    const isDigit = DIGIT.test(character);
    if (!isDigit) zero = -1;
    else if (zero < 0) zero = codePoint;
    const cls = classOf(character, isDigit ? (codePoint - zero) % 10 : -1);
    if (cls !== OTHER) set(codePoint, cls);
  }
}

/** Class of each UTF-16 unit. Read directly in the scanning loop. */
export const UNIT_CLASS = new Uint8Array(BMP_END);
const astral = new Map<number, number>();

classify(0, BMP_END, (codePoint, cls) => {
  UNIT_CLASS[codePoint] = cls;
});
for (let unit = 0xd800; unit <= 0xdbff; unit += 1) UNIT_CLASS[unit] = HIGH_SURROGATE;
const setAstral = (codePoint: number, cls: number) => astral.set(codePoint, cls);
classify(BMP_END, ASTRAL_DIGITS_END, setAstral);
classify(TAGS_START, TAGS_END, setAstral);

/** Class of the character at `index`; a pair outside the BMP is looked up whole. */
export function classAt(text: string, index: number): number {
  const cls = UNIT_CLASS[text.charCodeAt(index)] ?? OTHER;
  if (cls !== HIGH_SURROGATE) return cls;
  return astral.get(text.codePointAt(index) ?? 0) ?? OTHER;
}

/** Digits in the shortest number of interest; {@link mayHoldNumber} looks for as many. */
const NUMBER_DIGITS_MIN = 11;

/** False only when `text` holds too few digits for any number of a person. */
export function mayHoldNumber(text: string): boolean {
  if (text.length < NUMBER_DIGITS_MIN) return false;
  let digits = 0;
  for (let i = 0; i < text.length; i += 1) {
    if ((UNIT_CLASS[text.charCodeAt(i)] ?? OTHER) < HIGH_SURROGATE) continue;
    digits += 1;
    if (digits >= NUMBER_DIGITS_MIN) return true;
  }
  return false;
}
