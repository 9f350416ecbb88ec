/** Guarantee tested: on a disk that is really full the receiver goes on, alarms before, and names what it must leave out until a later pass brings it. */
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  digestOf,
  eventually,
  LANE,
  type Place,
  place,
  startSender,
  startStation,
} from "./fixture.ts";
import { canMount, type SmallDisk, smallDisk } from "./small-disk.ts";

const MEBIBYTE = 2 ** 20;
/** Of a disk of 24 MiB: an alarm below 12, and 4 that are never promised. */
const LIMITS = { alarmPercent: 50, reserveBytes: 4 * MEBIBYTE };

interface Picture {
  readonly bundles: { readonly arrived: number; readonly delivered: number };
  readonly heartbeat: { readonly silent: boolean; readonly count: number };
  readonly rejected: Readonly<Record<string, number>>;
  readonly heldBytes: number;
  readonly objects: number;
  readonly gaps: readonly { readonly count: number }[];
  readonly space: {
    readonly freeBytes: number;
    readonly leftOut: { readonly objects: number; readonly bytes: number };
    readonly alarms: readonly { readonly code: string }[];
  };
}

async function onSmallDisk(work: (at: Place, disk: SmallDisk) => Promise<void>): Promise<void> {
  const disk = await smallDisk(24);
  const at = place(disk.path);
  // What the sending half has lies elsewhere.
  const elsewhere = place();
  try {
    await work(
      {
        ...at,
        outboxDir: elsewhere.outboxDir,
        txState: elsewhere.txState,
        seal: elsewhere.seal,
        sealed: elsewhere.sealed,
      },
      disk,
    );
  } finally {
    elsewhere.remove();
    at.remove();
    await disk.close();
  }
}

test.skipIf(!canMount)(
  "an object that does not fit is left out, named, and brought by the second pass",
  { timeout: 60_000 },
  async () => {
    await onSmallDisk(async (at) => {
      at.inbox.down = true;
      const { station, port } = await startStation(at, 0, undefined, LIMITS);
      const picture = () => station.status() as Picture;
      const bundles = [];
      for (const size of [7_000_000, 6_000_000, 8_500_000, 700_000]) {
        bundles.push(await at.seal(randomBytes(size)));
      }
      const sender = await startSender(at, port, { secondPassMs: 3_000, rate: 30e6 });
      for (const bundle of bundles.slice(0, 2)) at.outbox.put(bundle);
      // Half of the disk is taken: said while there is still room.
      await eventually(() => picture().space.alarms.map(({ code }) => code)).toEqual([
        "ferry.space-low",
      ]);
      await eventually(() => picture().bundles.arrived).toBe(2);
      expect(at.rxEvents.of("gate.object-left-out")).toEqual([]);
      const [, , large, small] = bundles;
      at.outbox.put(large as object);
      await eventually(() => picture().space.leftOut.objects).toBe(1);
      // A smaller one fits still.
      at.outbox.put(small as object);
      await eventually(() => picture().bundles.arrived).toBe(3);
      const [said] = at.rxEvents.of("gate.object-left-out");
      expect(said).toMatchObject({
        outcome: "error",
        code: "ferry.space-full",
        lane: LANE,
        attributes: {
          count: "1",
          bytes: String(large?.size),
          bundles: Buffer.from(large?.bundleId ?? []).toString("hex"),
        },
      });
      const alarms = at.rxEvents.of("gate.alarm");
      expect(alarms.map(({ code }) => code)).toEqual(["ferry.space-low", "ferry.space-full"]);
      // Not lost from sight: its number is an open gap, of which a ticket may be made.
      await eventually(() => picture().gaps.reduce((sum, { count }) => sum + count, 0)).toBe(1);
      expect(picture()).toMatchObject({ heartbeat: { silent: false }, objects: 3 });
      at.inbox.down = false;
      await at.inbox.until(3);
      for (const name of readdirSync(at.takenDir)) rmSync(join(at.takenDir, name));
      // The second pass finds room.
      await at.inbox.until(4);
      expect(digestOf(at.inbox.bytesOf(large as object))).toBe(
        digestOf(at.sealed(large as object)),
      );
      await eventually(() => picture().gaps).toEqual([]);
      await eventually(() =>
        at.rxEvents
          .of("gate.alarm-over")
          .map(({ attributes }) => attributes?.after)
          .sort(),
      ).toEqual(["ferry.space-full", "ferry.space-low"]);
      await sender.close();
      await station.close();
    });
  },
);

test.skipIf(!canMount)(
  "a disk that others fill to the last byte stops neither heartbeats nor what comes after",
  { timeout: 60_000 },
  async () => {
    await onSmallDisk(async (at, disk) => {
      const { station, port } = await startStation(at, 0, undefined, LIMITS);
      const picture = () => station.status() as Picture;
      const filler = join(disk.path, "filler");
      const sender = await startSender(at, port, {
        // A third pass, should the second come before there is room.
        ...{ secondPassMs: 2_000, passes: 3, rate: 30e6 },
      });
      // Behind the receiver's back: it has measured enough, and there is nothing.
      await eventually(() => picture().heartbeat.count > 0).toBe(true);
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
      const short = await Promise.all(
        Array.from({ length: 12 }, () => at.seal(randomBytes(900_000))),
      );
      for (const bundle of short) at.outbox.put(bundle);
      await eventually(() => picture().space.leftOut.objects).toBeGreaterThanOrEqual(12);
      const heard = picture().heartbeat.count;
      expect(picture().heldBytes).toBeLessThan(MEBIBYTE);
      await eventually(() => picture().heartbeat.count).toBeGreaterThan(heard + 1);
      expect(picture().heartbeat.silent).toBe(false);
      rmSync(filler);
      const taken = () => readdirSync(at.takenDir);
      // Room for some at a time; what was taken makes room for more.
      for (let count = 1; count <= short.length; count += 1) {
        await at.inbox.until(count);
        for (const name of taken()) rmSync(join(at.takenDir, name));
      }
      expect(new Set(at.inbox.delivered.map(({ file }) => file)).size).toBe(short.length);
      await sender.close();
      await station.close();
    });
  },
);
