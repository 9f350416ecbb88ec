/** Guarantee: small ranges of numbers for properties, and the numbers themselves to compare with. */
import fc from "fast-check";
import type { Range } from "../src/ranges.ts";

export const range = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 12 }))
  .map(([first, more]): Range => [first, first + more]);
export const numbersOf = (ranges: Iterable<Range>) =>
  [...ranges].flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
