/** Guarantee tested: a bundle that waits in the arrivals for a heartbeat is not sent away by one that comes too late for it, nor taken twice; one in quarantine is delivered once it has come; what is refused is refused once. */
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { judgedTimes, type SenderTime } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DoneLog } from "../src/rx/done.ts";
import { Finisher } from "../src/rx/finish.ts";
import { Quarantine } from "../src/rx/quarantine.ts";
import { RefusedBundles } from "../src/rx/refused.ts";
import type { WholeObject } from "../src/rx/settle.ts";
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

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let at: Place;
let done: DoneLog;
let stop: AbortController;
let finisher: Finisher;
/** What the newest heartbeat told. */
let heard: Pick<SenderTime, "nowMs" | "ageMs"> | undefined;
/** Called when the times are taken by which a bundle is judged. */
let judged: () => void;
let known: KeyDirectory;

beforeEach(async () => {
  at = place();
  heard = undefined;
  judged = () => undefined;
  known = directory;
  stop = new AbortController();
  for (const name of ["refused", "quarantine"]) mkdirSync(join(at.rxState, name));
  done = await DoneLog.open(join(at.rxState, "done.log"));
  // A day ahead of the sender's.
  const clock = () => Date.now() + DAY;
  const senderTime = (): SenderTime | undefined => heard && { ...heard, latestMs: heard.nowMs };
  finisher = new Finisher({
    ...{ provider, lane: LANE, arrivalsDir: at.arrivalsDir, done, senderTime, clock },
    ...{ events: at.rxEvents, log: quiet, signal: stop.signal },
    refused: new RefusedBundles(join(at.rxState, "refused")),
    quarantine: new Quarantine(join(at.rxState, "quarantine"), LANE, at.rxEvents),
    verifyContext: () => {
      const times = judgedTimes(clock(), senderTime());
      judged();
      return { ...times, lane: LANE, sender: FROM, keys: known };
    },
    deliver: (request) => at.inbox.deliver(request),
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  stop.abort();
  await done.close();
  at.remove();
});

/** Lies in a folder as a former run left it; it has expired by our own clock, unless it was sealed by another. */
async function left(folder = at.arrivalsDir, aheadMs = 0) {
  const sealedAt = { nowMs: Date.now() + aheadMs, livesMs: HOUR };
  const bundle = await at.seal(randomBytes(3_000), "normal", sealedAt);
  const file = bundle.file ?? "";
  copyFileSync(join(at.outboxDir, file), join(folder, file));
  return bundle;
}

const waits = () => at.rxEvents.of("service.impaired").length;
/** @param ageMs 0: it was heard after whatever was judged before */
const beat = (aheadMs = 0, ageMs = 0) => {
  heard = { nowMs: Date.now() + aheadMs, ageMs };
};

/** As the reassembler hands it over. */
function whole(bundle: Awaited<ReturnType<Place["seal"]>>, objectId: number): WholeObject {
  const bytes = at.sealed(bundle);
  return {
    bundleId: Buffer.from(bundle.bundleId ?? []).toString("hex"),
    ...{ objectId, headerDigest: bundle.headerDigest ?? new Uint8Array(), bytes },
    ...{ geometry: { size: bytes.length }, file: undefined },
    release: () => undefined,
  };
}

/** A second passes. @returns how often a bundle was judged */
async function tick(): Promise<number> {
  let looks = 0;
  judged = () => {
    looks += 1;
  };
  finisher.tick();
  await finisher.judged();
  return looks;
}

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
    ...whole(bundle, 7),
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

test("what waits for a heartbeat is let go of in memory, which would stop the gate that the heartbeat comes by", async () => {
  const bundle = await at.seal(randomBytes(3_000), "normal", { nowMs: Date.now(), livesMs: HOUR });
  const object = whole(bundle, 7);
  let { bytes } = object;
  const waiting = finisher.finish({
    ...object,
    get bytes() {
      return bytes;
    },
    release: () => {
      bytes = new Uint8Array();
    },
  });
  await eventually(() => bytes.length).toBe(0);
  // It is in hand all the same.
  await finisher.finish(whole(bundle, 8));
  expect(at.inbox.delivered).toEqual([]);
  beat();
  await waiting;
  expect(at.inbox.answers).toEqual(["accepted"]);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  expect(readdirSync(at.arrivalsDir)).toEqual([]);
});

describe("a refusal that is still being written", () => {
  /** The journal is slow with the first of them. */
  function slowly(): { readonly begun: Promise<void>; readonly goOn: () => void } {
    const begun = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const { record } = at.rxEvents;
    at.rxEvents.record = async (events) => {
      at.rxEvents.record = record;
      begun.resolve();
      await written.promise;
      await record(events);
    };
    return { begun: begun.promise, goOn: written.resolve };
  }

  test("a copy of the bundle is known: it is refused, told and kept once", async () => {
    beat();
    const bundle = await at.seal(randomBytes(3_000), "normal", { lane: "another" });
    const journal = slowly();
    const first = finisher.finish(whole(bundle, 7));
    await journal.begun;
    await finisher.finish(whole(bundle, 8));
    expect(at.rxEvents.of("bundle.refused")).toEqual([]);
    journal.goOn();
    await first;
    expect(at.rxEvents.of("bundle.refused")).toMatchObject([{ code: "bundle.wrong-lane" }]);
    expect(finisher.counts.refused).toBe(1);
    expect(readdirSync(join(at.rxState, "refused"))).toEqual([bundle.file]);
    expect(readdirSync(at.arrivalsDir)).toEqual([]);
    // Remembered from here on.
    await finisher.finish(whole(bundle, 9));
    expect(at.rxEvents.of("bundle.refused")).toHaveLength(1);
  });

  test("whose bundle is its sender's is told to the inbox before it is over, of others nothing", async () => {
    beat();
    const foreign = await at.seal(randomBytes(3_000), "normal", { lane: "another" });
    await finisher.finish(whole(foreign, 7));
    const expired = await at.seal(randomBytes(3_000), "normal", {
      nowMs: Date.now() - DAY,
      livesMs: HOUR,
    });
    at.inbox.down = true;
    const finishing = finisher.finish(whole(expired, 8));
    await at.inbox.untilRefused(1);
    const bundleId = Buffer.from(expired.bundleId ?? []).toString("hex");
    expect(done.hasBundle(bundleId)).toBe(false);
    at.inbox.down = false;
    await finishing;
    expect([...at.inbox.refusedByFerry]).toEqual([[bundleId, "bundle.expired"]]);
    expect(done.hasBundle(bundleId)).toBe(true);
    expect(at.inbox.delivered).toEqual([]);
  });

  test("the inbox is away: as many refused ones are kept as otherwise", async () => {
    beat();
    const { deliver } = at.inbox;
    const told = new Set<string>();
    at.inbox.deliver = async (request) => {
      told.add(Buffer.from(request.bundleId ?? []).toString("hex"));
      throw new GatewayError("rpc.unavailable");
    };
    const old = { nowMs: Date.now() - DAY, livesMs: HOUR };
    const waiting: Promise<void>[] = [];
    for (let number = 0; number < 70; number += 1) {
      waiting.push(finisher.finish(whole(await at.seal(randomBytes(300), "normal", old), number)));
    }
    await eventually(() => told.size).toBe(70);
    expect(readdirSync(join(at.rxState, "refused"))).toHaveLength(64);
    at.inbox.deliver = deliver;
    await Promise.all(waiting);
  });

  test("announced under the id of another, or with another header: nothing of that other is told", async () => {
    beat();
    const expired = { nowMs: Date.now() - DAY, livesMs: HOUR };
    const old = await at.seal(randomBytes(3_000), "normal", expired);
    const good = whole(await at.seal(randomBytes(3_000)), 7);
    const { bytes, geometry } = whole(old, 7);
    await finisher.finish({ ...good, bytes, geometry });
    await finisher.finish({ ...whole(old, 8), headerDigest: good.headerDigest });
    expect(at.rxEvents.of("bundle.refused").map(({ code }) => code)).toEqual([
      ...["ferry.object-mismatch", "ferry.object-mismatch"],
    ]);
    expect(at.inbox.refusedByFerry.size).toBe(0);
  });

  test("its key counts meanwhile: it is judged anew when it lies in quarantine", async () => {
    beat();
    known = { ...directory, signKey: () => undefined };
    const bundle = await at.seal(randomBytes(3_000));
    const journal = slowly();
    const first = finisher.finish(whole(bundle, 7));
    await journal.begun;
    known = directory;
    finisher.judgeAnew();
    await finisher.judged();
    journal.goOn();
    await first;
    await finisher.judged();
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    expect(at.inbox.answers).toEqual(["accepted"]);
  });

  test("trust that has changed once has the quarantine judged anew for those judged before, and for no others", async () => {
    beat();
    known = { ...directory, signKey: () => undefined };
    const [before, after] = [await at.seal(randomBytes(3_000)), await at.seal(randomBytes(3_000))];
    const ofBefore = slowly();
    const first = finisher.finish(whole(before, 7));
    await ofBefore.begun;
    finisher.judgeAnew();
    await finisher.judged();
    const ofAfter = slowly();
    const second = finisher.finish(whole(after, 8));
    await ofAfter.begun;
    ofBefore.goOn();
    await first;
    await finisher.judged();
    let looks = 0;
    judged = () => {
      looks += 1;
    };
    ofAfter.goOn();
    await second;
    await finisher.judged();
    expect(looks).toBe(0);
    expect(finisher.counts.quarantined).toBe(2);
  });
});

test("what was refused is over, though the folder of such cannot be looked through for older ones", async () => {
  beat();
  const bundle = await at.seal(randomBytes(3_000), "normal", { lane: "another" });
  const refused = join(at.rxState, "refused");
  const { add } = done;
  vi.spyOn(done, "add").mockImplementationOnce(async (object) => {
    await add.call(done, object);
    renameSync(refused, `${refused}-away`);
  });
  await finisher.finish(whole(bundle, 7));
  expect(finisher.counts.refused).toBe(1);
  expect(readdirSync(`${refused}-away`)).toEqual([bundle.file]);
});

describe("held in quarantine for its clock", () => {
  let folder: string;
  beforeEach(() => {
    folder = join(at.rxState, "quarantine");
  });

  async function judgedAnew(): Promise<void> {
    finisher.judgeAnew();
    await finisher.judged();
  }

  test("made in the future: judged anew once the sender's time is near enough, not at each heartbeat", async () => {
    const bundle = await left(folder, DAY + 2 * HOUR);
    await judgedAnew();
    expect(await tick()).toBe(0);
    // Nearer, and still not near.
    beat(DAY + HOUR);
    expect(await tick()).toBe(0);
    expect(readdirSync(folder)).toEqual([bundle.file]);
    beat(DAY + 2 * HOUR);
    expect(await tick()).toBe(1);
    await at.inbox.until(1);
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    expect(at.rxEvents.of("bundle.arrived")).toMatchObject([
      { attributes: { after: "quarantine" } },
    ]);
    expect(readdirSync(folder)).toEqual([]);
    expect(await tick()).toBe(0);
  });

  test("expired by both clocks: the first heartbeat after it was found so decides, and it stays", async () => {
    const bundle = await left(folder);
    beat(2 * HOUR, HOUR);
    await judgedAnew();
    expect(await tick()).toBe(0);
    beat(2 * HOUR);
    expect(await tick()).toBe(1);
    beat(2 * HOUR);
    expect(await tick()).toBe(0);
    expect(readdirSync(folder)).toEqual([bundle.file]);
    expect(at.inbox.answers).toEqual([]);
    // What was decided stands until trust changes.
    beat();
    expect(await tick()).toBe(0);
    await judgedAnew();
    await at.inbox.until(1);
  });

  test("from the future and then expired: neither is believed before a heartbeat says so", async () => {
    const bundle = await left(folder, 26 * HOUR);
    await judgedAnew();
    // Both in one heartbeat: it came before anybody knew that it had expired.
    beat(28 * HOUR);
    expect(await tick()).toBe(0);
    beat(26 * HOUR);
    expect(await tick()).toBe(1);
    await at.inbox.until(1);
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  });

  test("good, but the disk does not take it: tried again a minute later", async () => {
    beat();
    const bundle = await left(folder);
    renameSync(at.arrivalsDir, `${at.arrivalsDir}-away`);
    await judgedAnew();
    expect(readdirSync(folder)).toEqual([bundle.file]);
    renameSync(`${at.arrivalsDir}-away`, at.arrivalsDir);
    expect(await tick()).toBe(0);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 61_000);
    expect(await tick()).toBe(1);
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  });

  test("taken out by a person: looked for once, and forgotten", async () => {
    const bundle = await left(folder);
    await judgedAnew();
    rmSync(join(folder, bundle.file ?? ""));
    beat();
    expect(await tick()).toBe(1);
    expect(await tick()).toBe(0);
  });
});
