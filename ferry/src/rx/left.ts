/**
 * Guarantee: what a former run left of long objects is found again whole or
 * removed. Nothing of it is believed here: its manifest is verified and its
 * bytes are hashed anew.
 */
import { readdir, readFile, stat, unlink } from "node:fs/promises";
import { syncDirectory } from "../durable.ts";
import { partialBase } from "./partial.ts";
import { HEAD, isMarked } from "./spans.ts";

/** What a former run left of one object. */
export interface LeftPartial {
  readonly objectId: number;
  /** Signed, not yet verified again. */
  readonly manifest: Uint8Array;
  /** Marks of the spans that it had kept. */
  readonly kept: Uint8Array;
}

const NAME = /^([0-9a-f]{14})\.(part|manifest|chunks)$/;
/** A signed manifest takes half a kilobyte; more than this is damage. */
const MAX_MANIFEST_BYTES = 1 << 16;
/** A bit for the head and for each of 2^20 chunks. */
const MAX_MARK_BYTES = (1 << 17) + 1;

/**
 * Partial objects in a directory. What lacks one of its three files, or the head
 * without which no chunk can be judged, or was not touched for `forgetMs`, cannot
 * be gone on with and is removed.
 */
export async function leftPartials(directory: string, forgetMs: number): Promise<LeftPartial[]> {
  const ids = new Set<number>();
  for (const name of await readdir(directory)) {
    const match = NAME.exec(name);
    if (match !== null) ids.add(Number.parseInt(match[1] as string, 16));
  }
  const left: LeftPartial[] = [];
  for (const objectId of [...ids].sort((a, b) => a - b)) {
    const base = partialBase(directory, objectId);
    const part = await stat(`${base}.part`).catch(() => undefined);
    const manifest = await readShort(`${base}.manifest`, MAX_MANIFEST_BYTES);
    const kept = await readShort(`${base}.chunks`, MAX_MARK_BYTES);
    const recent = part !== undefined && Date.now() - part.mtimeMs < forgetMs;
    if (recent && manifest.length > 0 && isMarked(kept, HEAD)) {
      left.push({ objectId, manifest, kept });
    } else {
      await removePartial(directory, objectId);
    }
  }
  await syncDirectory(directory);
  return left;
}

/** Removes all files of an object; those that are not there are no fault. */
export async function removePartial(directory: string, objectId: number): Promise<void> {
  const base = partialBase(directory, objectId);
  for (const ending of ["chunks", "manifest", "part"]) {
    await unlink(`${base}.${ending}`).catch(() => undefined);
  }
}

async function readShort(path: string, most: number): Promise<Uint8Array> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size === 0 || size > most) return new Uint8Array();
  return await readFile(path).catch(() => new Uint8Array());
}
