/**
 * Guarantee: what must hold of an export and an import that froze or failed at a
 * step, checked at every `stride`-th step; how many there are is what an
 * undisturbed run takes.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { afterAll, beforeAll, expect } from "vitest";
import { MANIFEST_NAME } from "../src/media/layout.ts";
import { digestOf, type Place, place } from "./fixture.ts";
import { Steps } from "./media-steps.ts";
import { blank, exportTo, Image, idOf, importFrom, type Leased, queue } from "./media-world.ts";

const { MediaManifest, SignedMessage } = lightferry.ferry.v1;

let sealed: Place;
let bundles: Leased[];
beforeAll(async () => {
  sealed = place();
  bundles = await queue(sealed, 100, 3_000);
});
afterAll(() => sealed.remove());

/** New folders and peers around the same sealed bundles. */
function again(): Place {
  const at = { ...place(), outboxDir: sealed.outboxDir, sealed: sealed.sealed };
  for (const bundle of bundles) at.outbox.put(bundle);
  return at;
}

/** Peers answer, and the answer may come too late. */
function stepping(at: Place, steps: Steps) {
  const events = { record: (list: never[]) => steps.step(() => at.txEvents.record(list)) };
  const { lease, ack } = at.outbox;
  const outbox = {
    lease: (request: object) => steps.step(() => lease(request)),
    ack: async (request: object) => {
      await steps.step(() => ack(request));
      return await steps.step(async () => ({}));
    },
  };
  return { events, outbox };
}

function namedOn(dir: string): string[] {
  if (!existsSync(join(dir, MANIFEST_NAME))) return [];
  const { payload } = decodeCanonical(SignedMessage, new Image(dir).manifest);
  return decodeCanonical(MediaManifest, payload).bundles.map(idOf);
}

function acknowledged(at: Place): string[] {
  return at.outbox.acks.filter(({ finished }) => finished === true).map(idOf);
}

/** Everything that was sealed is delivered, once, byte for byte. */
function allDelivered(at: Place): void {
  expect(at.inbox.delivered.map(idOf).sort()).toEqual(bundles.map(idOf).sort());
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  expect(at.arrivals()).toEqual([]);
}

async function atEachStep(
  stride: number,
  run: (at: Place, steps: Steps, number: number) => Promise<boolean>,
): Promise<number> {
  let number = 1;
  for (let over = false; !over; number += stride) {
    const at = again();
    const steps = await new Steps().install();
    try {
      over = await run(at, steps, number);
    } finally {
      await steps.remove();
      at.remove();
    }
  }
  return number - stride;
}

export async function exportFrozen(stride: number): Promise<number> {
  return await atEachStep(stride, async (at, steps, number) => {
    const dir = blank(at);
    steps.arm(number, "freeze");
    const over = await Promise.race([
      exportTo(at, dir, stepping(at, steps)).then(() => true),
      steps.frozen.then(() => false),
    ]);
    steps.arm(Number.POSITIVE_INFINITY, "freeze");
    const whole = namedOn(dir);
    expect(whole).toEqual(expect.arrayContaining(acknowledged(at)));
    if (over) return true;
    at.outbox.leaseAgain();
    const media = [dir];
    if (whole.length > 0) {
      await expect(exportTo(at, dir)).rejects.toMatchObject({ code: "media.not-empty" });
      const next = blank(at);
      if ((await exportTo(at, next)).medium !== undefined) media.push(next);
    } else {
      expect((await exportTo(at, dir)).medium?.bundles).toBe(2);
    }
    for (const medium of media) expect((await importFrom(at, medium)).gap).toBeUndefined();
    allDelivered(at);
    return false;
  });
}

export async function importFrozen(stride: number): Promise<number> {
  const origin = again();
  const original = blank(origin);
  await exportTo(origin, original);
  const image = new Image(original);
  origin.remove();
  return await atEachStep(stride, async (at, steps, number) => {
    const dir = image.onto(at);
    const record = at.rxEvents.record;
    at.rxEvents.record = (events) => steps.step(() => record(events));
    const deliver = at.inbox.deliver;
    at.inbox.deliver = async (request) => {
      const answer = await steps.step(() => deliver(request));
      return await steps.step(async () => answer);
    };
    steps.arm(number, "freeze");
    const over = await Promise.race([
      importFrom(at, dir).then(() => true),
      steps.frozen.then(() => false),
    ]);
    steps.arm(Number.POSITIVE_INFINITY, "freeze");
    if (!over) {
      const second = await importFrom(at, dir).catch((error: unknown) => error);
      // Only the last step of all, the note that it is finished, may have been over.
      if (!(second instanceof Error)) expect(second).toMatchObject({ putAway: [] });
      else expect(second).toMatchObject({ code: "media.seen-before" });
    }
    allDelivered(at);
    await expect(importFrom(at, dir)).rejects.toMatchObject({ code: "media.seen-before" });
    return over;
  });
}

export async function exportFailing(fail: "EIO" | "ENOSPC", stride: number): Promise<void> {
  await atEachStep(stride, async (at, steps, number) => {
    const dir = blank(at);
    steps.arm(number, { fail, under: dir });
    const sent = await exportTo(at, dir).catch((error: unknown) => error);
    const over = steps.taken < number;
    steps.arm(Number.POSITIVE_INFINITY, "freeze");
    expect(namedOn(dir)).toEqual(expect.arrayContaining(acknowledged(at)));
    if (sent instanceof Error) {
      expect(sent).toMatchObject({
        code: expect.stringMatching(/^media\.(unusable|no-room)$/),
        detail: fail,
      });
      expect(acknowledged(at)).toEqual([]);
    } else if (!over) {
      // Whole without its sheet, or without what found no room.
      expect(sent).toMatchObject({ unacknowledged: 0, refused: [] });
    }
    return over;
  });
}

export async function importFailing(stride: number): Promise<void> {
  const origin = again();
  const original = blank(origin);
  await exportTo(origin, original);
  const image = new Image(original);
  origin.remove();
  await atEachStep(stride, async (at, steps, number) => {
    const dir = image.onto(at);
    steps.arm(number, { fail: "EIO", under: dir });
    const taken = await importFrom(at, dir).catch((error: unknown) => error);
    const over = steps.taken < number;
    steps.arm(Number.POSITIVE_INFINITY, "freeze");
    if (!over) {
      expect(taken).toMatchObject({ code: "media.unusable", detail: "EIO" });
      expect(at.rxEvents.of("media.refused")).toEqual([]);
      await importFrom(at, dir);
    }
    allDelivered(at);
    return over;
  });
}
