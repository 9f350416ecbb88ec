/**
 * Guarantee: an export writes only into a folder that is empty, or holds nothing
 * but what an export of the same node left unfinished; anything else is refused
 * before a bundle is leased.
 */
import { lstat, readFile, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { namesIn, onMedium, removeAll, syncFolder } from "./files.ts";
import {
  isBundleName,
  isLitter,
  MANIFEST_NEW_NAME,
  MARK_NAME,
  RESERVE_BYTES,
  SHEET_NAME,
  shownName,
} from "./layout.ts";

/** A mark is one line; a longer file of its name is not one. */
const MAX_MARK_BYTES = 1_024;
/** Names of foreign files that a message shows. */
const SHOWN = 3;

/** What is said of the export that begins. */
export interface Mark {
  readonly node: string;
  readonly lane: string;
  /** Hex of the medium's id. */
  readonly medium: string;
}

/**
 * Looks at the folder and removes what an unfinished export of this node left there: its bundles were never
 * acknowledged and are still in the outbox.
 * @throws GatewayError `media.not-empty`, `media.unusable`
 */
export async function clearTarget(dir: string, node: string): Promise<void> {
  await onMedium(async () => {
    const names = await namesIn(dir);
    if (names === undefined) throw notEmpty(["…"]);
    const own = names.filter((name) => !isLitter(name));
    if (own.length === 0) return;
    if (!(await isMarked(dir, node, own))) throw notEmpty(own);
    // The mark goes last: a crash in between leaves what can be cleared again.
    await removeAll(
      dir,
      own.filter((name) => name !== MARK_NAME),
    );
    await syncFolder(dir);
    await removeAll(dir, [MARK_NAME]);
  });
}

/**
 * Bytes that bundles may take.
 * @throws GatewayError `media.no-room`, `media.unusable`
 */
export async function roomOn(dir: string, maxBytes: number | undefined): Promise<number> {
  const { bavail, bsize } = await onMedium(() => statfs(dir));
  const free = bavail * bsize;
  const room = Math.min(free - RESERVE_BYTES, maxBytes ?? Number.POSITIVE_INFINITY);
  if (room <= 0) throw new GatewayError("media.no-room", { detail: `${free} bytes free` });
  return room;
}

/** Says durably whose unfinished export lies here from now on. */
export async function setMark(dir: string, mark: Mark): Promise<void> {
  await onMedium(async () => {
    await writeFile(join(dir, MARK_NAME), `${JSON.stringify(mark)}\n`, { flag: "wx", flush: true });
    await syncFolder(dir);
  });
}

export async function removeMark(dir: string): Promise<void> {
  await onMedium(async () => {
    await removeAll(dir, [MARK_NAME]);
    await syncFolder(dir);
  });
}

async function isMarked(dir: string, node: string, names: readonly string[]): Promise<boolean> {
  const known = (name: string) =>
    isBundleName(name) || [MARK_NAME, MANIFEST_NEW_NAME, SHEET_NAME].includes(name);
  if (!names.includes(MARK_NAME) || !names.every(known)) return false;
  for (const name of names) {
    const found = await lstat(join(dir, name));
    if (!found.isFile() || (name === MARK_NAME && found.size > MAX_MARK_BYTES)) return false;
  }
  const text = await readFile(join(dir, MARK_NAME), "utf8");
  // Empty: the crash came before its content was synced.
  if (text === "" && names.length === 1) return true;
  try {
    return (JSON.parse(text) as Partial<Mark> | null)?.node === node;
  } catch {
    return false;
  }
}

function notEmpty(names: readonly string[]): GatewayError {
  const shown = names.slice(0, SHOWN).map(shownName).join(", ");
  return new GatewayError("media.not-empty", {
    detail: names.length > SHOWN ? `${shown} …` : shown,
  });
}
