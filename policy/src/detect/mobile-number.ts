/**
 * Guarantee: eleven digit values pass only if they begin with a prefix that the
 * national number plan (电信网编号计划) gives to mobile services, and are
 * written the way people write such numbers.
 */

export const MOBILE_LENGTH = 11;

/** Third digits in use after 1 and the second digit; 13x, 18x and 19x are all assigned. */
const THIRD_DIGITS: Readonly<Record<number, ReadonlySet<number>>> = {
  3: new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  4: new Set([0, 1, 4, 5, 6, 7, 8, 9]),
  5: new Set([0, 1, 2, 3, 5, 6, 7, 8, 9]),
  6: new Set([2, 5, 6, 7]),
  7: new Set([0, 1, 2, 3, 4, 5, 6, 7, 8]),
  8: new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  9: new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
};

/** True when the eleven values from `at` on are a mobile number of the plan. */
export function isMobileNumber(digits: ArrayLike<number>, at: number): boolean {
  if (digits[at] !== 1) return false;
  if (THIRD_DIGITS[digits[at + 1] ?? 0]?.has(digits[at + 2] ?? 10) !== true) return false;
  for (let i = 3; i < MOBILE_LENGTH; i += 1) {
    if ((digits[at + i] ?? 10) > 9) return false;
  }
  return true;
}

/** Digits to skip before the number proper (86, 086, 0086) in a group of `length`, or -1. */
export function countryPrefix(digits: ArrayLike<number>, at: number, length: number): number {
  const prefix = length - MOBILE_LENGTH;
  if (prefix === 0) return 0;
  if (prefix < 2 || prefix > 4) return -1;
  for (let i = 0; i < prefix - 2; i += 1) if (digits[at + i] !== 0) return -1;
  return digits[at + prefix - 2] === 8 && digits[at + prefix - 1] === 6 ? prefix : -1;
}

/** Group lengths in which people write the eleven digits; others are columns of other numbers. */
export const MOBILE_GROUPINGS: readonly (readonly number[])[] = [
  [3, 4, 4],
  [3, 8],
  [3, 3, 5],
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
];

const HEX_TOKEN = /[0-9a-f-]{8,}$/i;
const HEX_LETTER = /[a-f]$/i;
const DECIMALS = /[0-9]{2}\.$/;

/**
 * True when the text before a digit run shows that it is a piece of something
 * else: of a hexadecimal digest or UUID, or the fraction of a coordinate.
 */
export function isPieceOfOther(before: string): boolean {
  if (DECIMALS.test(before)) return true;
  return HEX_LETTER.test(before) && HEX_TOKEN.test(before);
}
