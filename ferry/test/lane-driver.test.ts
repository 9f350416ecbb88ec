/** Guarantee tested: a lane is carried by the driver that the registry names for it, and by no other program. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Registry } from "@lightferry/proto/registry";
import type { TroubleEvent } from "@lightferry/proto/service";
import type { TrustSource } from "@lightferry/proto/trust";
import { expect, test, vi } from "vitest";
import { LinkKeys, REFRESH_MS } from "../src/keys.ts";
import { DriverWatch, leasingWhere } from "../src/lane-driver.ts";
import { folders } from "./directory-world.ts";
import { place, quiet } from "./fixture.ts";
import { Outbox, roomFor } from "./outbox.ts";
import { startPeers } from "./peers.ts";
import { startProgram } from "./program.ts";

const registryWith = (drivers: Readonly<Record<string, string>>, number = 1) =>
  ({
    document: { number },
    lane: (id: string) => (drivers[id] === undefined ? undefined : { id, driver: drivers[id] }),
  }) as unknown as Registry;
const MISMATCH = {
  code: "ferry.lane-driver",
  detail: "b: registered for directory, carried by udp",
};

test("each lane of a program must be registered for its driver; one that is not registered is not judged", () => {
  const carriage = { driver: "udp", lanes: ["a", "b", "c"] } as const;
  const begun = (drivers: Readonly<Record<string, string>>) =>
    new DriverWatch(carriage, registryWith(drivers), { record: async () => undefined }, quiet);
  begun({ a: "udp", b: "udp", d: "media" }).assertLane("c");
  for (const b of ["directory", "media"]) {
    expect(() => begun({ a: "udp", b })).toThrowError(
      expect.objectContaining({ ...MISMATCH, detail: `b: registered for ${b}, carried by udp` }),
    );
  }
});

test("a registry that comes into force later is alarmed once for the lane, which is leased from no more until it is corrected", async () => {
  vi.useFakeTimers();
  const told: TroubleEvent[] = [];
  const sink = { record: async (events: TroubleEvent[]) => void told.push(...events) };
  const first = registryWith({ a: "udp", b: "udp" });
  const watch = new DriverWatch({ driver: "udp", lanes: ["a", "b"] }, first, sink, quiet);
  const outbox = new Outbox();
  const { lease } = leasingWhere((lane) => watch.assertLane(lane), outbox);
  const ask = (lane: string) => lease({ lane, worker: lane, ...roomFor(1) }, {});
  let number = 1;
  let drivers = { a: "udp", b: "directory" };
  const keys = new LinkKeys(
    {} as TrustSource,
    first,
    async () => {
      number += 1;
      return registryWith(drivers, number);
    },
    (error) => expect.unreachable(String(error)),
    (registry) => void watch.taken(registry),
  );
  try {
    await ask("b");
    for (let twice = 0; twice < 2; twice += 1) {
      await vi.advanceTimersByTimeAsync(REFRESH_MS);
      await expect(ask("b")).rejects.toMatchObject(MISMATCH);
      await ask("a");
    }
    const subject = { type: "service.impaired", code: MISMATCH.code, lane: "b" };
    expect(told).toMatchObject([{ ...subject, attributes: { work: "carrying b" } }]);
    drivers = { a: "udp", b: "udp" };
    await vi.advanceTimersByTimeAsync(REFRESH_MS);
    await ask("b");
    expect(outbox.requests.map(({ lane }) => lane)).toEqual(["b", "a", "a", "b"]);
    expect(told.slice(1)).toMatchObject([{ type: "service.restored", lane: "b" }]);
  } finally {
    keys.close();
    vi.useRealTimers();
  }
});

test("neither program starts with a lane that is registered for something else, and the log says why", async () => {
  const at = place();
  const peers = await startPeers(at, { driver: "media" });
  try {
    const rx = peers.rxConfig(0);
    const config = JSON.parse(readFileSync(rx, "utf8")) as object;
    const gate = { driver: "directory", path: folders(at).pickUp };
    writeFileSync(rx, JSON.stringify({ ...config, gate }));
    const [sending, receiving] = await Promise.allSettled([
      startProgram("tx", peers.txConfig(1)),
      startProgram("rx", rx),
    ]);
    for (const [half, driver] of [
      [sending, "udp"],
      [receiving, "directory"],
    ] as const) {
      const detail = `registered for media, carried by ${driver}`;
      expect(half.status).toBe("rejected");
      expect(String((half as PromiseRejectedResult).reason)).toContain("ferry.lane-driver");
      expect(String((half as PromiseRejectedResult).reason)).toContain(detail);
    }
    // Audit is away: the journal keeps it.
    for (const state of [at.txState, at.rxState]) {
      const journal = readdirSync(join(state, "journal"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
        .join("");
      expect(journal).toMatch(/service\.stopped[\s\S]*ferry\.lane-driver/);
    }
  } finally {
    await peers.close();
    at.remove();
  }
});
