/** Guarantee tested: settings of the directory driver are refused by name, names and parts are within the profile, folders are not for everybody. */
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkAccess } from "../src/directory/access.ts";
import { Plan, planFault } from "../src/directory/plan.ts";
import { isOwnName, nameOf, readProfile } from "../src/directory/profile.ts";
import { Account } from "../src/directory/rx/account.ts";
import { readDirectoryRxConfig, readDirectoryTxConfig } from "../src/directory/settings.ts";
import { openTarget } from "../src/directory/tx/open-target.ts";
import { SMALL_PROFILE } from "./directory-world.ts";
import { type Place, place } from "./fixture.ts";

const NAMES = { names: "upper", nameLength: 8, extension: "DAT", renames: false };
const BASE = {
  ...{
    zone: "extranet",
    node: "n",
    service: "ferry-tx",
    mode: "demo",
    stateDir: "/s",
    lane: "inbound",
  },
  ...{ tls: { ca: "c", cert: "c", key: "k" }, peers: {}, anchorPath: "a", trustRootPath: "t" },
  ...{ outboxDir: "o", arrivalsDir: "a", expectedSender: "n", ferryKeysDir: "f", unlockPath: "u" },
};
const FOLDER = { kind: "folder", folder: "/in" };

function refusal(read: () => unknown): string {
  try {
    read();
    return "";
  } catch (error) {
    const { code, detail } = error as { code: string; detail: string };
    return `${code} ${detail.split(":")[0]}`;
  }
}

describe("settings", () => {
  const tx =
    (gate: object): (() => unknown) =>
    () =>
      readDirectoryTxConfig({ ...BASE, gate: { driver: "directory", profile: NAMES, ...gate } });

  test("the harshest profile and the defaults", () => {
    expect(tx({ target: FOLDER })()).toMatchObject({
      gate: {
        target: { kind: "folder", folder: "/in", staging: undefined },
        profile: { nameLength: 8, extension: "DAT", maxFileBytes: 64 << 20, passes: 2 },
        ...{ secondPassSeconds: 600, heartbeatSeconds: 30 },
      },
    });
    const gate = { driver: "directory", path: "/out" };
    expect(readDirectoryRxConfig({ ...BASE, service: "ferry-rx", gate })).toMatchObject({
      gate: { pollMs: 2_000, watch: true, delaySeconds: 300, maxPartialBytes: 2 ** 34 },
    });
  });

  test("what is wrong, missing, misspelt or does not go together is named", () => {
    const profile = (change: object) => tx({ target: FOLDER, profile: { ...NAMES, ...change } });
    const sftp = {
      kind: "sftp",
      host: "h",
      port: 22,
      user: "u",
      folder: "/in",
      hostKeySha256: `SHA256:${"A".repeat(43)}`,
    };
    const ftp = { kind: "ftp", host: "h", port: 21, user: "u", folder: "/in", tls: "none" };
    const wrong: readonly [() => unknown, string][] = [
      [tx({}), "gate.target.kind"],
      [tx({ target: { ...FOLDER, kind: "smb" } }), "gate.target.kind"],
      [tx({ target: { ...FOLDER, stagging: "/x" } }), "gate.target.stagging"],
      [tx({ target: { ...FOLDER, staging: "/x" } }), "gate.target.staging"],
      [tx({ target: FOLDER, profile: { ...NAMES, renames: true } }), "gate.target.staging"],
      [tx({ target: FOLDER, rate: 5 }), "gate.rate"],
      [profile({ names: "any" }), "gate.profile.names"],
      [profile({ names: "digits", nameLength: 5 }), "gate.profile.nameLength"],
      [profile({ extension: "../x" }), "gate.profile.extension"],
      [profile({ maxFileBytes: 4_096 }), "gate.profile.maxFileBytes"],
      [profile({ dataParts: 224, parityParts: 64 }), "gate.profile.parityParts"],
      [profile({ passes: 0 }), "gate.profile.passes"],
      [profile({ maxWaitingBytes: 65_536 }), "gate.profile.maxWaitingBytes"],
      [tx({ target: { ...sftp, hostKeySha256: "aa:bb" } }), "gate.target.hostKeySha256"],
      [tx({ target: sftp }), "gate.target.keyPath"],
      [tx({ target: { ...sftp, keyPath: "k", passwordPath: "p" } }), "gate.target.keyPath"],
      [tx({ target: { ...ftp, tls: undefined } }), "gate.target.tls"],
      [tx({ target: { ...ftp, tls: "maybe" } }), "gate.target.tls"],
    ];
    for (const [read, field] of wrong) expect(refusal(read)).toBe(`config.invalid ${field}`);
    expect(refusal(tx({ target: { ...sftp, keyPath: "k" } }))).toBe("");
    expect(refusal(tx({ target: ftp }))).toBe("");
  });
});

describe("names", () => {
  test("8.3 in capitals, all different, and back to the first after the last", () => {
    const profile = readProfile({ p: NAMES }, "p");
    expect(nameOf(profile, 0)).toEqual({ folder: undefined, name: "00000000.DAT" });
    expect(nameOf(profile, 36 ** 8)).toEqual(nameOf(profile, 0));
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        const one = nameOf(profile, a).name;
        expect(one).toMatch(/^[0-9A-Z]{8}\.DAT$/);
        expect(isOwnName(profile, one)).toBe(true);
        expect(one === nameOf(profile, b).name).toBe(a === b);
      }),
    );
    const deep = { ...profile, filesPerFolder: 100 };
    expect(nameOf(deep, 1_234)).toEqual({ folder: "0000000C", name: "000000YA.DAT" });
    for (const name of ["", "0000000.DAT", "00000000.dat", "0000000a.DAT", "00000000.DAT~2"]) {
      expect(isOwnName(profile, name)).toBe(false);
    }
  });
});

describe("parts", () => {
  test("cover the content once, each in its group, with a slot of its own", () => {
    const facts = fc
      .record({
        size: fc.integer({ min: 2, max: 500_000 }),
        partBytes: fc.integer({ min: 1_024, max: 20_000 }),
        dataParts: fc.integer({ min: 1, max: 20 }),
        parityParts: fc.integer({ min: 0, max: 8 }),
      })
      .map((some) => ({ ...some, manifestSize: 1 }));
    fc.assert(
      fc.property(facts, (some) => {
        expect(planFault(some)).toBeUndefined();
        const plan = new Plan(some);
        let at = 0;
        const slots = new Set<number>();
        for (let group = 0; group < plan.groups; group += 1) {
          const k = plan.dataParts(group);
          const m = plan.parityParts(group);
          expect(m > 0).toBe(some.parityParts > 0);
          expect(m / k).toBeGreaterThanOrEqual(some.parityParts / some.dataParts);
          for (let index = 0; index < k + m; index += 1) {
            slots.add(plan.slot(group, index));
            if (index >= k) expect(plan.partLength(group, index)).toBe(plan.codedLength(group));
            else {
              expect(plan.partAt(group, index)).toBe(at);
              at += plan.partLength(group, index);
            }
          }
          expect(slots.size).toBe([...slots].length);
        }
        expect(at).toBe(some.size);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the account of files", () => {
  const DELAY = 1_000;

  test("in any order within the delay nothing is lost; what stays away is, exactly", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
        (lost, order) => {
          const account = new Account(DELAY);
          account.see(9, 61, Date.now());
          const numbers = Array.from({ length: 60 }, (_, index) => index + 1)
            .filter((number) => !lost.includes(number))
            .sort((a, b) => (order[a - 1] ?? 0) - (order[b - 1] ?? 0));
          for (const number of numbers) {
            account.see(9, number, Date.now());
            account.see(9, number, Date.now());
          }
          const now = performance.now();
          expect(account.tick(now)).toEqual([]);
          expect(account.tick(now + DELAY / 2)).toEqual([]);
          account.tick(now + DELAY + 1);
          // Who joins counts from the lowest number that came.
          const first = Math.min(61, ...numbers);
          expect(account.lost).toBe(lost.filter((number) => number > first).length);
          expect(account.settled).toBe(61 - first + 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a restart keeps it; a new epoch begins at 1; an old one says nothing any more", () => {
    const first = new Account(DELAY);
    for (const number of [1, 2, 4]) first.see(5, number, Date.now());
    const account = new Account(DELAY, first.kept());
    expect(account.heardAt).toBeUndefined();
    account.see(5, 3, Date.now());
    account.see(6, 3, Date.now());
    const now = performance.now();
    account.tick(now);
    expect(account.tick(now + DELAY + 1)).toEqual([{ epoch: 6, ranges: [[1, 2]] }]);
    expect(account.epoch).toBe(6);
    account.see(5, 9, Date.now());
    expect(account.tick(now + 3 * DELAY)).toEqual([]);
    expect(account.lost).toBe(2);
  });

  test("the sender's clock is the best of what came; a delay is no difference", () => {
    const account = new Account(60_000);
    const now = Date.now();
    account.see(1, 1, now - 45_000);
    expect(account.senderTime()?.nowMs).toBeGreaterThan(Date.now() - 1_000);
    account.see(1, 2, now - 20_000);
    account.see(1, 3, now - 20_000);
    expect(account.clockOffsetMs).toBeGreaterThan(-21_000);
    account.see(1, 4, Date.now() + 7_200_000);
    expect(account.clockOffsetMs).toBeGreaterThan(7_100_000);
    expect(account.senderTime()?.nowMs).toBeGreaterThan(Date.now() + 7_100_000);
    // Set back: what it told before counts no more, but for what was sealed then.
    account.see(1, 5, Date.now());
    expect(account.senderTime()?.nowMs).toBeLessThan(Date.now() + 1_000);
    expect(account.senderTime()?.latestMs).toBeGreaterThan(Date.now() + 7_100_000);
  });
});

describe("folders", () => {
  let at: Place;
  beforeEach(() => {
    at = place();
  });
  afterEach(() => at.remove());

  test("open to everybody: production does not start, a demonstration is warned", async () => {
    const folder = join(at.root, "drop");
    mkdirSync(folder);
    const warned: string[] = [];
    const check = (mode: "demo" | "production") => () =>
      openTarget(
        { kind: "folder", folder, staging: undefined },
        { ...SMALL_PROFILE, renames: false },
        { mode, warn: (reason) => warned.push(reason) },
      );
    for (const mode of [0o777, 0o775, 0o771]) {
      chmodSync(folder, mode);
      await expect(check("production")()).rejects.toMatchObject({
        code: "directory.folder-unsafe",
      });
    }
    await check("demo")();
    expect(warned).toHaveLength(1);
    chmodSync(folder, 0o770);
    await check("production")();
    await expect(
      checkAccess(
        join(at.root, "nowhere"),
        { mode: "demo", warn: () => undefined },
        "directory.folder-unreadable",
      ),
    ).rejects.toMatchObject({ code: "directory.folder-unreadable" });
    await expect(
      openTarget({ kind: "folder", folder, staging: "/proc" }, SMALL_PROFILE, {
        mode: "demo",
        warn: () => undefined,
      }),
    ).rejects.toMatchObject({ code: "config.invalid" });
  });
});
