/** Guarantee tested: a gate is paused exactly while a lane that comes by it is behind, whatever the others do. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { comesBy } from "../src/lane-settings.ts";
import { Pauses } from "../src/rx/pauses.ts";

const lanes = [
  { expectedSender: "a" },
  { expectedSender: "a", links: [1] },
  { expectedSender: "a", links: [0, 2] },
  { expectedSender: "b" },
];

test("a gate is paused exactly while a lane that comes by it is behind", () => {
  const steps = fc.array(fc.record({ lane: fc.nat(lanes.length - 1), behind: fc.boolean() }));
  fc.assert(
    fc.property(steps, (list) => {
      const links = ["a", "a", "a", "b"].map((expectedSender, number) => {
        const link = { number, expectedSender, paused: false };
        const gate = {
          pause: () => {
            link.paused = true;
          },
          resume: () => {
            link.paused = false;
          },
        };
        return Object.assign(link, { gate });
      });
      const pauses = new Pauses(links);
      const behind = new Set<(typeof lanes)[number]>();
      for (const { lane: at, behind: is } of list) {
        const lane = lanes[at] as (typeof lanes)[number];
        if (is) {
          behind.add(lane);
          pauses.begin(lane);
        } else {
          behind.delete(lane);
          pauses.end(lane);
        }
        for (const link of links) {
          expect(link.paused).toBe([...behind].some((one) => comesBy(one, link)));
        }
      }
    }),
  );
});
