/**
 * Guarantee: counts resident ID numbers with a valid checksum (GB 11643-1999
 * §3.3), written apart from policy's detector so that one can check the other.
 */

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK = "10X98765432";

export function countValidIds(text: string): number {
  let count = 0;
  for (const [candidate] of text.matchAll(/(?<!\d)\d{17}[\dXx](?!\d)/g)) {
    const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(candidate[i]), 0);
    if (CHECK[sum % 11] === candidate[17]?.toUpperCase()) count += 1;
  }
  return count;
}
