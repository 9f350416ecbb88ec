/** Guarantee: both halves of an appliance's link in the process of a test, with folders of their own. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Profile } from "../src/directory/profile.ts";
import { DirectoryStation, type DirectoryStationOptions } from "../src/directory/rx/station.ts";
import { FolderTarget } from "../src/directory/tx/folder-target.ts";
import { DirectorySender, type DirectorySenderOptions } from "../src/directory/tx/sender.ts";
import type { Target } from "../src/directory/tx/target.ts";
import { Appliance, type Habits } from "./appliance.ts";
import { signer } from "./media-world.ts";
import { FROM, keys, LANE, type Place, pki, provider, quiet, TO } from "./world.ts";

export { keys };

/** 8.3 in capitals, one extension, 1 MiB, flat, renames not seen. */
export const HARSH_PROFILE: Profile = {
  ...{ alphabet: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", nameLength: 8, extension: "DAT" },
  ...{ filesPerFolder: 0, maxFileBytes: 1 << 20, renames: false },
  ...{ dataParts: 4, parityParts: 1, passes: 2, filesPerMinute: 0, bytesPerSecond: 0 },
  ...{ maxWaitingFiles: 1_000, maxWaitingBytes: 1 << 30 },
};

/** An appliance that sees renames, in files so small that a little makes many of them. */
export const SMALL_PROFILE: Profile = {
  ...HARSH_PROFILE,
  ...{ alphabet: "0123456789abcdef", nameLength: 12, extension: "", renames: true },
  ...{ maxFileBytes: 65_536, dataParts: 4, parityParts: 2 },
};

export interface Folders {
  /** What the appliance empties and fills. */
  readonly drop: string;
  readonly pickUp: string;
  readonly staging: string;
}

export function folders(at: Place): Folders {
  const made = (name: string): string => {
    const path = join(at.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  return { drop: made("drop"), pickUp: made("pick-up"), staging: made("staging") };
}

/** Files that a sender of this process has not finished. */
const written = new Set<string>();

/** Its files are known to the appliance of the same folder while they are written. */
async function openTarget(at: Place, profile: Profile): Promise<Target> {
  const { drop, staging } = folders(at);
  const target = await FolderTarget.open(drop, profile.renames ? staging : undefined, profile);
  const put: Target["put"] = async (file, source) => {
    const path = join(drop, file.folder ?? "", file.name);
    written.add(path);
    try {
      return await target.put(file, source);
    } finally {
      written.delete(path);
    }
  };
  return { where: target.where, put, waiting: () => target.waiting(), close: () => target.close() };
}

export function appliance(at: Place, habits: Habits = {}): Appliance {
  const { drop, pickUp } = folders(at);
  const isWritten = (path: string): boolean => written.has(path);
  return new Appliance(drop, pickUp, { isWritten, ...habits }).start();
}

export async function directorySender(
  at: Place,
  profile: Profile,
  change: Partial<DirectorySenderOptions> = {},
): Promise<DirectorySender> {
  return await DirectorySender.start({
    ...{ node: FROM, lane: LANE, outboxDir: at.outboxDir, stateDir: at.txState, profile, signer },
    ...{ heartbeatMs: 300, secondPassMs: 400, keys: () => pki.store.keyDirectory() },
    target: await openTarget(at, profile),
    ...{ outbox: at.outbox, events: at.txEvents, log: quiet, receiver: () => TO },
    ...change,
  });
}

export async function directoryStation(
  at: Place,
  change: Partial<DirectoryStationOptions> = {},
): Promise<DirectoryStation> {
  return await DirectoryStation.start({
    ...{ lane: LANE, expectedSender: FROM, arrivalsDir: at.arrivalsDir, stateDir: at.rxState },
    ...{ path: folders(at).pickUp, pollMs: 200, notices: true, settleMs: 10_000, delayMs: 500 },
    ...{ heartbeatMs: 300, maxPartialBytes: 1 << 30, provider, tickMs: 50 },
    ...{ keys: () => pki.store.keyDirectory(), inbox: at.inbox, events: at.rxEvents, log: quiet },
    ...change,
  });
}
