import fc from "fast-check";
import { expect, test } from "vitest";
import {
  EMPTY_WINDOW,
  gapCount,
  positionOf,
  take,
  WINDOW_NUMBERS,
  type Window,
} from "../src/ingress/inbox/window.ts";

test("every number is taken exactly once in any order of arrival", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 400 }), (numbers) => {
      let window: Window = EMPTY_WINDOW;
      const seen = new Set<number>();
      for (const number of numbers) {
        const free = positionOf(window, number) === "free";
        expect(free).toBe(!seen.has(number));
        if (free) window = take(window, number).window;
        seen.add(number);
      }
      const highest = Math.max(0, ...seen);
      let lowWater = 0;
      while (seen.has(lowWater + 1)) lowWater += 1;
      expect(window.lowWater).toBe(lowWater);
      expect(window.highest).toBe(highest);
      expect(gapCount(window)).toBe(highest - seen.size);
    }),
  );
});

test("a number far ahead pushes the window and reports what is given up", () => {
  let window = take(EMPTY_WINDOW, 1).window;
  window = take(window, 3).window;
  const pushed = take(window, WINDOW_NUMBERS + 10);
  // 2 and 4..10 never came; 3 did.
  expect(pushed.givenUp).toBe(8);
  expect(pushed.window.lowWater).toBe(10);
  expect(positionOf(pushed.window, 2)).toBe("below");
  expect(positionOf(pushed.window, 11)).toBe("free");
  expect(positionOf(pushed.window, WINDOW_NUMBERS + 10)).toBe("taken");
  expect(pushed.window.taken.length).toBeLessThanOrEqual(WINDOW_NUMBERS / 8);
});

test("numbers in order leave no bitmap behind", () => {
  let window: Window = EMPTY_WINDOW;
  for (let number = 1; number <= 1_000; number += 1) window = take(window, number).window;
  expect(window).toEqual({ lowWater: 1_000, highest: 1_000, taken: new Uint8Array() });
});
