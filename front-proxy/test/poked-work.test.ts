/** Guarantee checked: no poke is lost, one round at a time, nothing runs beside what runs alone or after the end. */
import { expect, onTestFinished, test, vi } from "vitest";
import { PokedWork } from "../src/ingress/poked-work.ts";

interface Step {
  readonly done: (more?: boolean) => void;
  readonly fail: (error: Error) => void;
}

/** Work whose rounds the test ends by hand. */
function byHand() {
  const open: Step[] = [];
  const faults: unknown[] = [];
  const state = { rounds: 0, most: 0 };
  const work = new PokedWork({
    pauseMs: 5,
    failed: (error) => void faults.push(error),
    round: () => {
      state.rounds += 1;
      return new Promise<boolean>((resolve, reject) => {
        open.push({ done: (more = false) => resolve(more), fail: reject });
        state.most = Math.max(state.most, open.length);
      });
    },
  });
  /** The round under way. */
  const next = (): Step => open.shift() ?? expect.fail("no round runs");
  const settled = () => new Promise(setImmediate);
  return { work, state, faults, next, settled };
}

test("pokes while a round runs make one more round, whenever in it they come", async () => {
  const { work, state, next, settled } = byHand();
  work.poke();
  work.poke();
  work.poke();
  next().done();
  await settled();
  expect(state.rounds).toBe(2);
  const last = next();
  last.done();
  // Between the end of the round and the end of the run.
  queueMicrotask(() => work.poke());
  await settled();
  expect(state).toMatchObject({ rounds: 3, most: 1 });
  next().done(true);
  await settled();
  expect(state.rounds).toBe(4);
  next().done();
  await work.stop();
});

test("a fault rests and runs again by itself", async () => {
  const { work, state, faults, next, settled } = byHand();
  work.poke();
  next().fail(new Error("away"));
  await settled();
  expect(faults).toHaveLength(1);
  await vi.waitFor(() => expect(state.rounds).toBe(2));
  next().done();
  await work.stop();
});

test("what runs alone waits for the round, and pokes wait for it", async () => {
  const { work, state, next, settled } = byHand();
  work.poke();
  const said: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = work.alone(async () => {
    said.push("first");
    await gate;
    said.push("first ends");
    throw new Error("refused");
  });
  const second = work.alone(async () => said.push("second"));
  await settled();
  expect(said).toEqual([]);
  next().done();
  await settled();
  expect(said).toEqual(["first"]);
  release();
  await expect(first).rejects.toThrow("refused");
  await second;
  expect(said).toEqual(["first", "first ends", "second"]);
  work.poke();
  await settled();
  expect(state.rounds).toBe(2);
  next().done();
  await work.stop();
});

test("after the end nothing runs any more, also not after a fault", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { work, state, next, settled } = byHand();
  work.poke();
  const ending = work.stop();
  expect(work.stopped).toBe(true);
  next().fail(new Error("closing"));
  await ending;
  work.poke();
  await settled();
  expect(vi.getTimerCount()).toBe(0);
  expect(state.rounds).toBe(1);
});
