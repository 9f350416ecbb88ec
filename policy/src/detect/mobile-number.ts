/**
 * Guarantee: eleven digit values pass only if they lie in the blocks 13 to 19
 * that the national number plan (电信网编号计划, 2017) keeps for mobile services,
 * and are written the way people write such numbers. Which third digits are
 * handed out changes from year to year; what is not yet is masked all the same.
 */

export const MOBILE_LENGTH = 11;

/** True when the eleven values from `at` on are a mobile number of the plan. */
export function isMobileNumber(digits: ArrayLike<number>, at: number): boolean {
  if (digits[at] !== 1 || (digits[at + 1] ?? 0) < 3) return false;
  for (let i = 1; i < MOBILE_LENGTH; i += 1) {
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
