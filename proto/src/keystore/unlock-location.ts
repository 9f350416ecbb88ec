/**
 * Guarantee: says where an unlock key lies on the same disk as what it opens or
 * as what is carried away with it, so that one stolen disk or one backup never
 * holds both.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "../errors/index.ts";
import { type UnattendedUnlock, unlockPath } from "./unlock.ts";

export interface UnlockLocation {
  readonly unlock: UnattendedUnlock;
  /** Folders of key rings, spools, databases and backups. */
  readonly beside: readonly string[];
}

/** The file system a path lies on, or where it would: its nearest existing folder counts. */
function deviceOf(path: string): number | undefined {
  for (let at = path; ; at = dirname(at)) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (found !== undefined) return found.dev;
    if (dirname(at) === at) return undefined;
  }
}

/**
 * One `key.unlock-beside-data` for each folder on the unlock key's file system. A credential passed by
 * the service manager lies in memory and is never warned of; that it was stored encrypted is the service
 * manager's part.
 * @throws GatewayError `sm.key-locked` when a credential was asked for and none was passed.
 */
export function unlockLocationWarnings(location: UnlockLocation): GatewayError[] {
  const path = unlockPath(location.unlock);
  if ("credential" in location.unlock) return [];
  const device = deviceOf(path);
  return location.beside
    .filter((folder) => device !== undefined && deviceOf(folder) === device)
    .map((folder) => new GatewayError("key.unlock-beside-data", { detail: `${path}: ${folder}` }));
}
