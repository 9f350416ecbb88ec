/**
 * Guarantee tested: over a shaped line between network namespaces with no way
 * back, what random loss, bursts and a hole take is restored, within one
 * repeated pass, and counted to the frame.
 */
import { expect, test } from "vitest";
import { drill, profiles } from "../drills/loss.drill.ts";
import { lossOf } from "../drills/wire/loss-model.ts";

const MIB = 32;
const FRAMES = 2_000_000;
/** Bursts of a mean length vary as much as it is long: a run of millions is within this of its share. */
const NEAR = 0.15;

function burstsOf(lost: () => boolean): { readonly share: number; readonly mean: number } {
  let [count, bursts, before] = [0, 0, false];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const now = lost();
    if (now) count += 1;
    if (now && !before) bursts += 1;
    before = now;
  }
  return { share: count / FRAMES, mean: count / bursts };
}

test.for([20, 200])("bursts of %i frames on average take one frame in a hundred", (meanFrames) => {
  const { share, mean } = burstsOf(
    lossOf({ kind: "bursts", share: 0.01, meanFrames, seed: meanFrames }),
  );
  expect(Math.abs(share / 0.01 - 1)).toBeLessThan(NEAR);
  expect(Math.abs(mean / meanFrames - 1)).toBeLessThan(NEAR);
});

test.for(profiles(11).map(({ name }) => name))(
  "a bundle of 32 MiB arrives whole: %s",
  { timeout: 180_000 },
  async (name) => {
    const [row] = await drill({ count: MIB, seed: 11, only: [name], beside: false });
    expect(row?.whole).toBe(true);
    expect(row?.passes).toBeLessThanOrEqual(2);
    // What the forwarder or the socket lost for want of a processor is lost all the same, and counted.
    const { injected = 0, overruns = 0, forwarderOverruns = 0, reported } = row ?? {};
    expect(reported).toBe(injected + overruns + forwarderOverruns);
    if (name.startsWith("none")) expect(row?.injected).toBe(0);
    else expect(row?.injected).toBeGreaterThan(0);
  },
);
