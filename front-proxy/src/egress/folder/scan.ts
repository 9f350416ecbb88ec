/**
 * Guarantee: only finished, regular files of `<lane>/<service>/` folders are
 * offered; whatever is hidden, partial, a note or ours is left alone.
 */
import type { Dirent, Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readNote } from "./note.ts";

/** Work names of claimed files; hidden, so no other tool takes them for new. */
export const WORK_PREFIX = ".lightferry-";
export const FATE_ENDING = ".fate.json";
export const REFUSED_ENDING = ".refused";
const IGNORED_ENDINGS = [".part", ".tmp", FATE_ENDING, REFUSED_ENDING];
const FOLDER_NAME = /^[0-9A-Za-z][0-9A-Za-z._-]{0,62}$/;
/**
 * Files are to appear by rename, whole. One that is still being copied in would be caught
 * half-way: its last change must be this old.
 */
const SETTLED_MS = 500;
/** One round stays bounded in a folder with a million files. */
const ROUND_MAX = 1_000;

export interface Candidate {
  /** `<lane>/<service>` */
  readonly folder: string;
  readonly lane: string;
  readonly service: string;
  readonly name: string;
  /** A symbolic link, directory-like or special file, which is refused. */
  readonly regular: boolean;
}

/** Oldest names first, over all folders. */
export async function scan(outgoingDir: string, nowMs: number): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  for (const lane of await folders(outgoingDir)) {
    for (const service of await folders(join(outgoingDir, lane))) {
      const folder = `${lane}/${service}`;
      const path = join(outgoingDir, lane, service);
      for (const entry of (await entries(path)).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (found.length >= ROUND_MAX) return found;
        const stats = await offered(path, entry, nowMs);
        if (stats === undefined) continue;
        found.push({ folder, lane, service, name: entry.name, regular: stats.isFile() });
      }
    }
  }
  return found;
}

async function offered(dir: string, entry: Dirent, nowMs: number): Promise<Stats | undefined> {
  const { name } = entry;
  if (name.startsWith(".") || entry.isDirectory()) return undefined;
  if (IGNORED_ENDINGS.some((ending) => name.endsWith(ending))) return undefined;
  const path = join(dir, name);
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || nowMs - stats.mtimeMs < SETTLED_MS) return undefined;
  // A note waits for the file it speaks of; a broken one is found when that file is taken.
  if (name.endsWith(".json") && stats.isFile()) {
    const note = await readNote(path).catch(() => "broken");
    if (note !== undefined) return undefined;
  }
  return stats;
}

async function folders(path: string): Promise<readonly string[]> {
  return (await entries(path))
    .filter((entry) => entry.isDirectory() && FOLDER_NAME.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

async function entries(path: string): Promise<Dirent[]> {
  return readdir(path, { withFileTypes: true }).catch(() => []);
}
