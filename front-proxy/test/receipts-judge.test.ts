import { isFinal, RECEIPT_STATES, type ReceiptState } from "@lightferry/proto/receipt";
import fc from "fast-check";
import { expect, it } from "vitest";
import { judge, judgeBundle, type Said } from "../src/receipts/judge.ts";

const open = fc.constantFrom(...RECEIPT_STATES.filter((state) => !isFinal(state)));
const final = fc.constantFrom(...RECEIPT_STATES.filter(isFinal));
const said = fc.record({
  state: fc.constantFrom(...RECEIPT_STATES),
  number: fc.integer({ min: 1, max: 20 }),
});

/** What stands with the exchange once these were shown in this order. */
function shown(lists: readonly Said[]): { stands: Said | undefined; contradictions: number } {
  let stands: Said | undefined;
  let contradictions = 0;
  for (const now of lists) {
    const judgement = judge(stands, now);
    if (judgement === "taken") stands = now;
    if (judgement === "contradicts") contradictions += 1;
  }
  return { stands, contradictions };
}

/** An honest far side: open states, then perhaps an end, numbered as they were said. */
const history = fc
  .tuple(fc.array(open, { maxLength: 6 }), fc.option(final, { nil: undefined }))
  .map(([before, end]): Said[] =>
    [...before, ...(end === undefined ? [] : [end])].map((state: ReceiptState, n) => ({
      ...{ state, number: n + 1 },
    })),
  )
  .filter((lists) => lists.length > 0);

it("ends with what was said last, in whatever order an honest far side's lists come", () => {
  fc.assert(
    fc.property(
      history.chain((lists) =>
        fc.tuple(
          fc.constant(lists),
          fc.shuffledSubarray(lists, { minLength: lists.length, maxLength: lists.length }),
        ),
      ),
      ([lists, order]) => {
        expect(shown(order)).toEqual({ stands: lists.at(-1), contradictions: 0 });
      },
    ),
  );
});

it("never leads away from an end, and never back to a lower number, whatever is shown", () => {
  fc.assert(
    fc.property(fc.array(said, { maxLength: 30 }), (lists) => {
      let stands: Said | undefined;
      for (const now of lists) {
        if (judge(stands, now) !== "taken") continue;
        if (stands !== undefined) {
          expect(isFinal(stands.state)).toBe(false);
          expect(now.number).toBeGreaterThan(stands.number);
        }
        stands = now;
      }
    }),
  );
});

it("tells the two ends apart", () => {
  const at = (state: ReceiptState, number: number): Said => ({ state, number });
  expect(judge(at("delivered", 1), at("returned", 2))).toBe("contradicts");
  expect(judge(at("returned", 2), at("delivered", 1))).toBe("contradicts");
  expect(judge(at("delivered", 1), at("delivered", 2))).toBe("older");
  expect(judge(at("failed", 1), at("failed", 1))).toBe("contradicts");
});

it("takes a refused bundle's word for no exchange of which another state was said, whatever the numbers", () => {
  fc.assert(
    fc.property(said, fc.integer({ min: 1, max: 20 }), (before, number) => {
      const free = before.state === "quarantined" && before.number < number;
      expect(judgeBundle(before, number)).toBe(free ? "taken" : "older");
    }),
  );
  expect(judgeBundle(undefined, 1)).toBe("taken");
});
