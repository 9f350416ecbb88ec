/** Guarantee tested: sets of ranges are sets of numbers, and the books of a stream are kept in them without a mistake. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { areRanges, countOf, RangeSet } from "../src/ranges.ts";
import { Streams } from "../src/rx/streams.ts";
import { numbersOf, range } from "./number-ranges.ts";

test("sets of ranges are sets of numbers, kept ascending and apart", () => {
  const step = fc.tuple(fc.constantFrom("add", "delete"), range);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), range, (steps, probe) => {
      const set = new RangeSet();
      const model = new Set<number>();
      for (const [what, one] of steps) {
        set[what as "add" | "delete"](one);
        for (const number of numbersOf([one])) {
          if (what === "add") model.add(number);
          else model.delete(number);
        }
      }
      expect(numbersOf(set.ranges)).toEqual([...model].sort((a, b) => a - b));
      expect(areRanges(set.ranges)).toBe(true);
      // Apart: two that touch are one.
      expect(set.ranges.every(([first], at) => first - 1 !== set.ranges[at - 1]?.[1])).toBe(true);
      const probed = numbersOf([probe]);
      expect(numbersOf(set.within(probe))).toEqual(probed.filter((number) => model.has(number)));
      expect(numbersOf(set.without(probe))).toEqual(probed.filter((number) => !model.has(number)));
      expect(set.has(probe[0])).toBe(model.has(probe[0]));
      expect(countOf(set.ranges)).toBe(model.size);
    }),
  );
});

test("whatever is held, given up and arrives in whatever order: the gaps are what is held and not here", () => {
  const step = fc.record({
    what: fc.constantFrom("held", "givenUp", "arrived"),
    one: range,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const streams = new Streams();
      const [held, here] = [new Set<number>(), new Set<number>()];
      for (const { what, one } of steps) {
        if (what === "held") {
          streams.book("s")?.nameMissing([one]);
          for (const number of numbersOf([one])) held.add(number);
        } else if (what === "givenUp") {
          streams.void("s", [one]);
          for (const number of numbersOf([one])) here.add(number);
        } else {
          streams.arrived("s", one[0]);
          here.add(one[0]);
        }
      }
      const open = [...held].filter((number) => !here.has(number)).sort((a, b) => a - b);
      expect(numbersOf(streams.wanted().get("s") ?? [])).toEqual(open);
      expect(numbersOf(streams.positions().s ?? [])).toEqual([...here].sort((a, b) => a - b));
    }),
  );
});
