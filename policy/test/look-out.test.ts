/** A running program looks again by itself: what ends by the clock alone is noticed without anybody's doing. */
import { expect, onTestFinished, test, vi } from "vitest";
import { LookOut } from "../src/look-out.ts";

const EVERY_MS = 60_000;

class Counter extends LookOut {
  looks = 0;
  fault: Error | undefined;

  protected lookOnce(): Promise<void> {
    this.looks += 1;
    return this.fault === undefined ? Promise.resolve() : Promise.reject(this.fault);
  }
}

test("looks at once and every minute, goes on after a fault, and ends when asked", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const faults: unknown[] = [];
  const lookOut = new Counter(EVERY_MS, (fault) => faults.push(fault));
  lookOut.start();
  await vi.advanceTimersByTimeAsync(EVERY_MS - 1);
  expect(lookOut.looks).toBe(1);
  lookOut.fault = new RangeError("a look");
  await vi.advanceTimersByTimeAsync(1);
  expect([lookOut.looks, faults]).toEqual([2, [lookOut.fault]]);
  lookOut.fault = undefined;
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
  expect([lookOut.looks, faults.length]).toEqual([4, 1]);
  await lookOut.close();
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
  expect(lookOut.looks).toBe(4);
});
