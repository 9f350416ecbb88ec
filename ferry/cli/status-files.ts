/** Guarantee: the status of every ferry program of a home is read from its own file, and an old picture is called old. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Picture, pictureOf } from "../src/picture.ts";
import { STATUS_FILE } from "../src/status.ts";

/** A running program writes every second; three missed are a stopped or hanging one. */
const FRESH_MS = 4_000;
/** A status file is some kilobytes; anything larger is not one. */
const MAX_BYTES = 1 << 20;
const SERVICES = ["ferry-tx", "ferry-rx"] as const;

export interface Seen {
  readonly zone: string;
  readonly service: string;
  /** Written within the last seconds. */
  readonly running: boolean;
  /** As the program wrote it, for `--json`. */
  readonly status: object;
  readonly picture: Picture;
}

/** Status of the ferry programs of one zone or of all; those never started are left out. */
export function readStatuses(home: string, zone: string | undefined): Seen[] {
  const zones = zone === undefined ? zonesOf(home) : [zone];
  return zones.flatMap((name) =>
    SERVICES.flatMap((service): Seen[] => {
      const status = readStatus(join(home, name, "state", service, STATUS_FILE));
      if (status === undefined) return [];
      const picture = pictureOf(status);
      const running = Math.abs(Date.now() - picture.timeMs) < FRESH_MS;
      return [{ zone: name, service, running, status, picture }];
    }),
  );
}

function zonesOf(home: string): string[] {
  return existsSync(home) ? readdirSync(home).sort() : [];
}

function readStatus(path: string): object | undefined {
  try {
    if (statSync(path).size > MAX_BYTES) return undefined;
    const status: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof status === "object" && status !== null && "role" in status ? status : undefined;
  } catch {
    return undefined;
  }
}
