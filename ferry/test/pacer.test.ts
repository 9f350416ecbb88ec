/** Guarantee tested: no more than rate × time plus the tolerance is let through. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { CATCH_UP_MS, Pacer } from "../src/gate/pacer.ts";

test("over any run, bytes ≤ rate × (time + tolerance) + one burst", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10_000, max: 2_000_000_000 }),
      fc.array(fc.record({ pause: fc.nat(20), bytes: fc.integer({ min: 1, max: 64_000 }) }), {
        maxLength: 200,
      }),
      (rate, steps) => {
        const pacer = new Pacer(rate);
        let now = 1000;
        let sent = 0;
        let last = 0;
        for (const { pause, bytes } of steps) {
          now += pause;
          now += Math.max(0, pacer.delay(now));
          pacer.spend(bytes, now);
          sent += bytes;
          last = bytes;
          const allowed = ((now - 1000 + CATCH_UP_MS) * rate) / 1000 + last;
          expect(sent).toBeLessThanOrEqual(allowed * (1 + 1e-9) + 1);
        }
      },
    ),
  );
});

test("a steady sender reaches the rate", () => {
  const pacer = new Pacer(1_000_000);
  let now = 0;
  for (let burst = 0; burst < 1000; burst += 1) {
    now += Math.max(0, pacer.delay(now));
    pacer.spend(1000, now);
  }
  expect(now).toBeGreaterThan(990);
  expect(now).toBeLessThan(1002);
});

test("what becomes due while the sender sleeps leaves together", () => {
  const pacer = new Pacer(1_000_000);
  let [now, sleeps] = [0, 0];
  for (let burst = 0; burst < 1000; burst += 1) {
    const wait = pacer.delay(now);
    if (wait > 0) sleeps += 1;
    now += wait;
    pacer.spend(250, now);
  }
  expect(now).toBeGreaterThan(240);
  expect(now).toBeLessThan(252);
  expect(sleeps).toBeLessThan(252);
});

test("there is no unpaced mode", () => {
  for (const rate of [0, -1, Number.POSITIVE_INFINITY, Number.NaN, 9_999]) {
    expect(() => new Pacer(rate)).toThrow("config.invalid");
  }
});
