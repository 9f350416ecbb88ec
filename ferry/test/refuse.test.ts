/** Guarantee tested: what does not verify never leaves, and what arrives without verifying is never delivered. */
import { randomBytes } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Station } from "../src/rx/station.ts";
import type { Sender } from "../src/tx/sender.ts";
import {
  digestOf,
  directory,
  eventually,
  type Place,
  place,
  startSender,
  startStation,
} from "./fixture.ts";

let at: Place;
let station: Station;
let sender: Sender;
beforeEach(async () => {
  at = place();
  const started = await startStation(at);
  station = started.station;
  sender = await startSender(at, started.port);
});
afterEach(async () => {
  await sender.close();
  await station.close();
  at.remove();
});

type Leased = Awaited<ReturnType<Place["seal"]>>;

type Change = (bundle: Leased) => Leased;

/** The same lease over a file that was changed after sealing. */
function spoiled(change: (bytes: Buffer) => Buffer): Change {
  return (bundle) => {
    const path = join(at.outboxDir, bundle.file ?? "");
    writeFileSync(path, change(readFileSync(path)));
    return bundle;
  };
}

function flipped(bytes: Buffer): Buffer {
  bytes[40] = (bytes[40] as number) ^ 1;
  return bytes;
}

const cases: [string, string, Change][] = [
  ["a flipped bit in the header", "bundle.", spoiled(flipped)],
  ["a truncated file", "bundle.truncated", spoiled((b) => b.subarray(0, -1))],
  ["trailing bytes", "bundle.trailing-bytes", spoiled((b) => Buffer.concat([b, b]))],
  ["no bundle at all", "bundle.not-a-bundle", spoiled((b) => b.fill(7))],
  ["a missing file", "ferry.file-invalid", (bundle) => ({ ...bundle, file: "0000.lfb" })],
  [
    "a path for a name",
    "ferry.file-invalid",
    (bundle) => ({ ...bundle, file: "../tx/epoch.json" }),
  ],
  ["another size than leased", "ferry.file-invalid", (bundle) => ({ ...bundle, size: 1 })],
  [
    "another digest than leased",
    "ferry.file-invalid",
    (bundle) => ({ ...bundle, headerDigest: randomBytes(32) }),
  ],
  [
    "another bundle id than leased",
    "ferry.file-invalid",
    (bundle) => ({ ...bundle, bundleId: randomBytes(16) }),
  ],
];

test.for(cases)(
  "%s is refused with its code and an event, and nothing is sent",
  async ([, code, change]) => {
    at.outbox.put(change(await at.seal(randomBytes(4_000))));
    await eventually(() => at.outbox.acks.length).toBe(1);
    const refuseCode = at.outbox.acks[0]?.refuseCode ?? "";
    expect(refuseCode.startsWith(code), refuseCode).toBe(true);
    expect(at.txEvents.of("bundle.refused")[0]).toMatchObject({
      outcome: "refused",
      code: refuseCode,
    });
    await eventually(() => (sender.status() as { bundles: object }).bundles).toMatchObject({
      emitted: 0,
      refused: 1,
    });
    // A good one behind it goes on its way.
    at.outbox.put(await at.seal(randomBytes(500)));
    await at.inbox.until(1);
    expect(at.rxEvents.of("bundle.refused")).toEqual([]);
  },
);

test("a bundle under a key that is not known yet waits in quarantine and is delivered when it is", async () => {
  await sender.close();
  await station.close();
  let known = false;
  const unknown = { ...directory, signKey: () => undefined };
  const strict = await startStation(at, 0, () => (known ? directory : unknown));
  const other = await startSender(at, strict.port);
  try {
    const bundle = await at.seal(randomBytes(4_000));
    at.outbox.put(bundle);
    await eventually(() => at.rxEvents.of("bundle.refused").length).toBe(1);
    expect(at.rxEvents.of("bundle.refused")[0]).toMatchObject({ code: "bundle.unknown-sign-key" });
    await eventually(() => readdirSync(join(at.rxLane, "quarantine"))).toEqual([bundle.file]);
    expect(readdirSync(at.arrivalsDir)).toEqual([]);
    expect(at.inbox.answers).toEqual([]);
    // A change that does not speak for its key leaves it where it is, and is no event of its own.
    strict.station.trustChanged();
    await strict.station.settled();
    expect(readdirSync(join(at.rxLane, "quarantine"))).toEqual([bundle.file]);
    expect(at.rxEvents.of("bundle.refused")).toHaveLength(1);
    expect(strict.station.status()).toMatchObject({
      quarantine: { bundles: 1, bytes: bundle.size, sinceMs: expect.any(Number) },
    });
    // Its certificate comes later.
    known = true;
    strict.station.trustChanged();
    await at.inbox.until(1);
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    expect(at.rxEvents.of("bundle.arrived")).toMatchObject([
      { bundleId: Buffer.from(bundle.bundleId ?? []), attributes: { after: "quarantine" } },
    ]);
    await eventually(() => strict.station.status()).toMatchObject({
      quarantine: { bundles: 0, sinceMs: null },
      gaps: [],
    });
  } finally {
    await other.close();
    await strict.station.close();
  }
});

test("a bundle from the future is held until the clocks agree", async () => {
  await sender.close();
  await station.close();
  let ahead = 10 * 60_000;
  const clock = vi
    .spyOn(Date, "now")
    .mockImplementation(() => Math.round(performance.timeOrigin + performance.now()) + ahead);
  let looked = 0;
  const keys = {
    ...directory,
    signKey: (node: string, key: string) => {
      looked += 1;
      return directory.signKey(node, key);
    },
  };
  const bundle = await at.seal(randomBytes(4_000));
  const file = bundle.file ?? "";
  copyFileSync(join(at.outboxDir, file), join(at.arrivalsDir, file));
  ahead = 0;
  const late = await startStation(at, 0, () => keys);
  try {
    await eventually(() => looked > 1).toBe(true);
    expect(readdirSync(at.arrivalsDir)).toEqual([file]);
    ahead = 10 * 60_000;
    await at.inbox.until(1);
    expect(at.rxEvents.of("bundle.refused")).toEqual([]);
  } finally {
    clock.mockRestore();
    await late.station.close();
  }
});
