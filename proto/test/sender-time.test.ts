/** Guarantee tested: expiry goes by the sender's clock, and no clock, told or kept from being told, moves it beyond its bound. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { judgedTimes, SENDER_CLOCK_ROOM_MS } from "../src/bundle/index.ts";

const HOUR = 3_600_000;
const OWN = 1_800_000_000_000;

test("the sender's time counts where it is near enough and fresh enough", () => {
  const told = { nowMs: OWN - 2 * HOUR, latestMs: OWN + 3 * HOUR, ageMs: 500 };
  expect(judgedTimes(OWN, told)).toEqual({ now: told.nowMs, latest: told.latestMs });
  expect(judgedTimes(OWN, undefined)).toEqual({ now: OWN, latest: OWN });
  expect(judgedTimes(OWN, { ...told, ageMs: 24 * HOUR + 1 })).toEqual({ now: OWN, latest: OWN });
  expect(judgedTimes(OWN, { ...told, ageMs: Number.NaN })).toEqual({ now: OWN, latest: OWN });
});

test("whatever is told, now and latest stay within the room, and latest is never before now", () => {
  const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(time, time, time, (nowMs, latestMs, ageMs) => {
      const { now, latest } = judgedTimes(OWN, { nowMs, latestMs, ageMs });
      expect(Math.abs(now - OWN)).toBeLessThanOrEqual(SENDER_CLOCK_ROOM_MS);
      expect(latest - OWN).toBeLessThanOrEqual(SENDER_CLOCK_ROOM_MS);
      expect(latest).toBeGreaterThanOrEqual(Math.max(now, OWN));
    }),
  );
});
