/**
 * Guarantee: a number passes only if it is built like a resident identity number
 * (GB 11643-1999): a provincial code of GB/T 2260, a real calendar date, and for
 * eighteen digits the check character of ISO 7064 MOD 11-2. Numbers are arrays
 * of digit values; ten stands for X.
 */

export const RESIDENT_ID_LENGTH = 18;
export const OLD_RESIDENT_ID_LENGTH = 15;

/** GB/T 2260 provincial codes, with Hong Kong, Macau (81–83) and Taiwan (71, 83) residence permits. */
const PROVINCES = new Set([
  11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
  53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83,
]);
/** GB 11643 §5.4: weights 2^(17-i) mod 11. */
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const;
/** Check value by the weighted sum mod 11; ten is written X. */
const CHECKS = [1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2] as const;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
/** Nobody alive was born before; nor is a number issued ahead of birth by a century. */
const YEAR_FIRST = 1880;
const YEAR_LAST = 2099;

type Digits = ArrayLike<number>;

function pair(digits: Digits, at: number): number {
  return (digits[at] ?? 0) * 10 + (digits[at + 1] ?? 0);
}

function isDate(year: number, month: number, day: number): boolean {
  const days = DAYS[month - 1];
  if (days === undefined || day < 1 || day > days) return false;
  if (month !== 2 || day < 29) return true;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** True when the eighteen values from `at` on are a well-formed resident identity number. */
export function isResidentId(digits: Digits, at = 0): boolean {
  const century = pair(digits, at + 6);
  if (century < 18 || century > 20) return false;
  if (!PROVINCES.has(pair(digits, at))) return false;
  const year = century * 100 + pair(digits, at + 8);
  if (year < YEAR_FIRST || year > YEAR_LAST) return false;
  if (!isDate(year, pair(digits, at + 10), pair(digits, at + 12))) return false;
  let sum = 0;
  for (let i = 0; i < 17; i += 1) {
    const digit = digits[at + i] ?? 10;
    if (digit > 9) return false;
    sum += digit * (WEIGHTS[i] ?? 0);
  }
  return digits[at + 17] === CHECKS[sum % 11];
}

/** True when the fifteen values from `at` on are built like a number of before 1999 (no check digit). */
export function isOldResidentId(digits: Digits, at = 0): boolean {
  for (let i = 0; i < OLD_RESIDENT_ID_LENGTH; i += 1) {
    if ((digits[at + i] ?? 10) > 9) return false;
  }
  if (!PROVINCES.has(pair(digits, at))) return false;
  return isDate(1900 + pair(digits, at + 6), pair(digits, at + 8), pair(digits, at + 10));
}
