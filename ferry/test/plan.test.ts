/** Guarantee tested: what `ferry plan` reckons is what passes really are on the line, and what it promises of losses and outages holds. */
import type { CliContext, CliInput } from "@lightferry/proto/cli";
import fc from "fast-check";
import { expect, test } from "vitest";
import { plan } from "../cli/plan.ts";
import { DEFAULT_FRAME_SIZE, FRAME_HEADER } from "../src/frame.ts";
import { WIRE_OVERHEAD } from "../src/gate/gate.ts";
import { DEFAULT_CODE, Geometry } from "../src/object.ts";
import { MANIFEST_BYTES, type Plan, type PlanInput, passCost, planOf } from "../src/plan.ts";
import { unhex, vectors } from "./gate-vectors.ts";

const DAY = 86_400;
const ordinary: PlanInput = {
  lineBits: 1e9,
  frameSize: DEFAULT_FRAME_SIZE,
  code: DEFAULT_CODE,
  passes: 2,
  reserve: 0.1,
  bundleBytes: 2 ** 20,
  dailyBytes: 2 ** 40,
  outageSeconds: 2 * DAY,
  horizonSeconds: 7 * DAY,
  loss: 0.001,
};

test("a pass costs the frames and bytes that the vectors of the protocol have", () => {
  for (const vector of vectors.passes) {
    const { groupShards, parityShards, size, frameSize } = vector;
    const geometry = new Geometry(size, frameSize - FRAME_HEADER, { groupShards, parityShards });
    const signed = unhex(vector.manifest).length;
    expect(signed).toBeLessThan(MANIFEST_BYTES);
    const cost = passCost(geometry, frameSize, signed);
    expect(cost.frames).toBe(vector.frames);
    if (vector.list === undefined) continue;
    const bytes = vector.list.reduce((sum, frame) => sum + frame.length / 2 + WIRE_OVERHEAD, 0);
    expect(cost.wireBytes).toBe(bytes);
  }
});

test("a burst as long as promised takes from no group more than its parity", () => {
  const inputs = fc.record({
    groupShards: fc.integer({ min: 1, max: 9 }),
    parityShards: fc.integer({ min: 1, max: 5 }),
    fill: fc.integer({ min: 1, max: 130 * 9 }),
  });
  fc.assert(
    fc.property(inputs, ({ groupShards, parityShards, fill }) => {
      const frameSize = 256;
      const code = { groupShards, parityShards };
      const bundleBytes = fill * (frameSize - FRAME_HEADER);
      const geometry = new Geometry(bundleBytes, frameSize - FRAME_HEADER, code);
      const promised = planOf({ ...ordinary, frameSize, code, bundleBytes }).bursts[0]?.frames ?? 0;
      // Shards in the order of a pass, by their group.
      const order: number[] = [];
      const of = (group: number) => geometry.dataShards(group) + geometry.parityShards(group);
      for (let first = 0; first < geometry.groups; first += geometry.blockGroups) {
        for (let shard = 0; shard < of(first); shard += 1) {
          for (let at = 0; at < geometry.blockGroups && first + at < geometry.groups; at += 1) {
            if (shard < of(first + at)) order.push(first + at);
          }
        }
      }
      expect(order.length).toBeGreaterThanOrEqual(promised);
      // The burst at every place: one shard comes in, the first goes out.
      const lost = new Array<number>(geometry.groups).fill(0);
      for (const [at, group] of order.entries()) {
        lost[group] = (lost[group] as number) + 1;
        const gone = order[at - promised];
        if (gone !== undefined) lost[gone] = (lost[gone] as number) - 1;
        if ((lost[group] as number) > geometry.parityShards(group)) expect.fail(`group ${group}`);
      }
    }),
    { numRuns: 40 },
  );
  // 128 + 16 over 64 groups: what SPEC.md §4.1 says.
  expect(planOf({ ...ordinary, bundleBytes: 2 ** 30 }).bursts[1]?.frames).toBe(1_024);
});

/** The line second by second: first passes before further ones, which have their tenth. */
function simulated(
  input: PlanInput,
  { goodBytesPerSecond }: Plan,
): { drain: number; over: number } {
  const step = 60;
  const once = goodBytesPerSecond * input.passes;
  const arriving = input.dailyBytes / DAY;
  let waiting = arriving * input.outageSeconds;
  let owed = 0;
  let drain = 0;
  for (let at = 0; ; at += step) {
    if (waiting < 1 && drain === 0) drain = at;
    if (drain > 0 && owed < 1) return { drain, over: at };
    waiting += arriving * step;
    const repeats = Math.min(owed, once * step * 0.1);
    const first = Math.min(waiting, once * step - repeats);
    waiting -= first;
    owed -= repeats;
    const more = Math.min(owed, once * step - repeats - first);
    owed += first * (input.passes - 1) - more;
    // What arrives in a step is sent in it once the backlog is gone.
    if (waiting < arriving * step) waiting = 0;
    if (owed < arriving * step * input.passes) owed = 0;
  }
}

test("the drain of an outage is that of a line told second by second", () => {
  const input = { ...ordinary, dailyBytes: 2 ** 41 };
  const plan = planOf(input);
  const { drain, over } = simulated(input, plan);
  const { drainSeconds = 0, settledSeconds = 0 } = plan.outage;
  expect(Math.abs(drainSeconds / drain - 1)).toBeLessThan(0.01);
  expect(Math.abs(settledSeconds / over - 1)).toBeLessThan(0.01);
  expect(settledSeconds).toBeGreaterThan(drainSeconds);
});

test("a line that is too slow is said never to drain", () => {
  const slow = planOf({ ...ordinary, lineBits: 1e8 });
  expect(slow.load).toBeGreaterThan(1);
  expect(slow.outage.drainSeconds).toBeUndefined();
  // Enough for first passes, not for both.
  const narrow = planOf({ ...ordinary, lineBits: 1.6e8 });
  expect(narrow.outage.drainSeconds).toBeGreaterThan(0);
  expect(narrow.outage.settledSeconds).toBeUndefined();
});

test("the chance that a group fails is that of as many throws", () => {
  const { random } = planOf({ ...ordinary, code: { groupShards: 4, parityShards: 2 }, loss: 0.3 });
  // 1 − Σ C(6, i) 0.3^i 0.7^(6 − i), i ≤ 2.
  expect(random.groupFails).toBeCloseTo(
    1 - (0.7 ** 6 + 6 * 0.3 * 0.7 ** 5 + 15 * 0.09 * 0.7 ** 4),
    12,
  );
  expect(random.bundleLost).toBeLessThan(random.bundleFails);
  expect(planOf({ ...ordinary, loss: 0 }).random).toEqual({
    groupFails: 0,
    bundleFails: 0,
    bundleLost: 0,
  });
});

async function run(
  typed: Record<string, string>,
): Promise<{ code: number; text: string; json: unknown }> {
  const lines: string[] = [];
  let json: unknown;
  const context = {
    say: (words: { en: string }) => words.en,
    out: (line: string) => lines.push(line),
    table: (rows: readonly (readonly [{ en: string }, string])[]) => {
      for (const [words, value] of rows) lines.push(`${words.en}: ${value}`);
    },
    emitJson: (value: unknown) => {
      json = value;
    },
  } as unknown as CliContext;
  const input = {
    text: (name: string) => typed[name],
    integer: (name: string) => (typed[name] === undefined ? undefined : Number(typed[name])),
  } as unknown as CliInput;
  const code = await plan.run(context, input);
  return { code, text: lines.join("\n"), json };
}

test("the command shows every figure, and says by its exit code whether the link is enough", async () => {
  const enough = await run({ mbps: "1000", "daily-gib": "2000" });
  expect(enough.code).toBe(0);
  expect(enough.text).toContain("frame and code: 1456 B, 128 + 16");
  expect(enough.text).toContain("burst that a full block survives: 1024");
  expect(enough.text).toContain("the link is enough");
  expect(enough.json).toMatchObject({ rateBytesPerSecond: 112_500_000, input: { passes: 2 } });
  const tooMuch = await run({ mbps: "100", "daily-gib": "2000" });
  expect(tooMuch.code).toBe(3);
  expect(tooMuch.text).toContain("more than the link can carry");
  await expect(run({ "group-shards": "200", "parity-shards": "60" })).rejects.toMatchObject({
    code: "cli.usage",
  });
  await expect(run({ loss: "x" })).rejects.toMatchObject({ code: "cli.usage" });
});
