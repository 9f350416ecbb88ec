/** Guarantee tested: a bundle that waits in the arrivals for a heartbeat is not sent away by one that comes too late for it, nor taken twice. */
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { judgedTimes, type SenderTime } from "@lightferry/proto/bundle";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DoneLog } from "../src/rx/done.ts";
import { Finisher } from "../src/rx/finish.ts";
import { Quarantine } from "../src/rx/quarantine.ts";
import { RefusedBundles } from "../src/rx/refused.ts";
import {
  digestOf,
  directory,
  eventually,
  FROM,
  LANE,
  type Place,
  place,
  provider,
  quiet,
} from "./fixture.ts";

const DAY = 86_400_000;

let at: Place;
let done: DoneLog;
let stop: AbortController;
let finisher: Finisher;
/** What the newest heartbeat told, and when it was heard. */
let heard: { readonly nowMs: number; readonly at: number } | undefined;
/** Called when the times are taken by which a bundle is judged. */
let judged: () => void;

beforeEach(async () => {
  at = place();
  heard = undefined;
  judged = () => undefined;
  stop = new AbortController();
  for (const name of ["refused", "quarantine"]) mkdirSync(join(at.rxState, name));
  done = await DoneLog.open(join(at.rxState, "done.log"));
  // A day ahead of the sender's.
  const clock = () => Date.now() + DAY;
  const senderTime = (): SenderTime | undefined =>
    heard && { ...heard, latestMs: heard.nowMs, ageMs: performance.now() - heard.at };
  finisher = new Finisher({
    ...{ provider, lane: LANE, arrivalsDir: at.arrivalsDir, done, senderTime, clock },
    ...{ events: at.rxEvents, log: quiet, signal: stop.signal },
    refused: new RefusedBundles(join(at.rxState, "refused")),
    quarantine: new Quarantine(join(at.rxState, "quarantine"), LANE, at.rxEvents),
    verifyContext: () => {
      const times = judgedTimes(clock(), senderTime());
      judged();
      return { ...times, lane: LANE, sender: FROM, keys: directory };
    },
    deliver: (request) => at.inbox.deliver(request),
  });
});
afterEach(async () => {
  stop.abort();
  await done.close();
  at.remove();
});

/** Lies in the arrivals as a former run left it; it has expired by our own clock. */
async function left() {
  const bundle = await at.seal(randomBytes(3_000), "normal", { livesMs: 3_600_000 });
  const file = bundle.file ?? "";
  copyFileSync(join(at.outboxDir, file), join(at.arrivalsDir, file));
  return bundle;
}

const waits = () => at.rxEvents.of("service.impaired").length;
const beat = () => {
  heard = { nowMs: Date.now(), at: performance.now() };
};

test("the heartbeat comes while the file is read: judged anew by it, not refused by the times of before", async () => {
  const bundle = await left();
  let looks = 0;
  judged = () => {
    looks += 1;
    if (looks === 2) beat();
  };
  await finisher.resume();
  await at.inbox.until(1);
  expect(looks).toBe(3);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  expect(at.rxEvents.of("bundle.refused")).toEqual([]);
});

test("sent again while it waits: the copy is known, and what waits is delivered once", async () => {
  const bundle = await left();
  const bytes = at.sealed(bundle);
  await finisher.resume();
  await eventually(waits).toBeGreaterThan(0);
  let released = false;
  // Over before the heartbeat: without it nobody can judge the copy either.
  await finisher.finish({
    bundleId: Buffer.from(bundle.bundleId ?? []).toString("hex"),
    ...{ objectId: 7, headerDigest: bundle.headerDigest ?? new Uint8Array(), bytes },
    ...{ geometry: { size: bytes.length }, file: undefined },
    release: () => {
      released = true;
    },
  });
  expect(released).toBe(true);
  expect(readdirSync(at.arrivalsDir)).toEqual([bundle.file]);
  beat();
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(bytes));
  await eventually(() => done.size).toBe(1);
  expect(at.inbox.answers).toEqual(["accepted"]);
  expect(at.rxEvents.of("bundle.arrived")).toHaveLength(1);
});
