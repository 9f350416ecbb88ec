/**
 * Guarantee: text folded here reads as a person reads it: compatibility forms
 * (NFKC) are plain, invisible characters are gone, and the variants in use for
 * the characters of secrecy marks are one.
 */

/** Traditional, variant, enclosed and look-alike forms of the characters of secrecy marks. */
const VARIANTS: Readonly<Record<string, string>> = {
  絕: "绝",
  絶: "绝",
  機: "机",
  祕: "秘",
  宻: "密",
  級: "级",
  "㊙": "秘",
  "☆": "★",
  "✩": "★",
  "✭": "★",
  "⭐": "★",
  "✪": "★",
  "*": "★",
};
const VARIANT_PATTERN = /[絕絶機祕宻級㊙☆✩✭⭐✪*]/gu;
/** As in char-class.ts: format characters, marks, fillers, and controls that break no line. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what hides here
  /[\p{Cf}\p{Mn}\p{Me}\u115f\u1160\u3164\uffa0\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/gu;

export function fold(text: string): string {
  return text
    .replace(INVISIBLE, "")
    .normalize("NFKC")
    .replace(VARIANT_PATTERN, (variant) => VARIANTS[variant] ?? variant);
}

/** Characters that fold to 密; every mark and the word 密级 holds one. */
export const SECRET_UNITS: readonly string[] = ["密", "宻"];

const MARK_FIRST: Readonly<Record<string, string>> = {
  绝: "绝",
  絕: "绝",
  絶: "绝",
  机: "机",
  機: "机",
  秘: "秘",
  祕: "秘",
  "㊙": "秘",
};

/** 绝, 机 or 秘 for any of their forms, else undefined. */
export function markFirst(character: string | undefined): string | undefined {
  return character === undefined
    ? undefined
    : (MARK_FIRST[character.normalize("NFKC")] ?? MARK_FIRST[character]);
}
