/**
 * Guarantee: nothing from the wire is ever a path, and a move between the
 * folders of the inbox has reached the disk when it returns.
 *
 * ```
 * arrivals/<announced name>       written by ferry-rx
 * inbox/<bundle>.<digest>.lfb     accepted, or about to be
 * inbox/quarantine/…              refused, kept for examination
 * inbox/staging/…                 encrypted items on their way
 * ```
 */
import { mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, newId } from "@lightferry/proto/ids";

/** 255 is the longest name Linux file systems take; ferry-rx uses 40. */
const NAME_BYTES_MAX = 255;
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Digits of the header digest in a file name: 64 bits tell two bundles of one id apart. */
const DIGEST_HEX = 16;

export interface InboxDirs {
  readonly arrivals: string;
  readonly inbox: string;
  readonly quarantine: string;
  readonly staging: string;
}

/** Creates what is missing. All lie on one file system: bundles move by rename. */
export async function prepareDirs(arrivals: string, inbox: string): Promise<InboxDirs> {
  const dirs = {
    arrivals,
    inbox,
    quarantine: join(inbox, "quarantine"),
    staging: join(inbox, "staging"),
  };
  for (const dir of [dirs.inbox, dirs.quarantine, dirs.staging]) {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  }
  // Written by another user (ferry-rx): its mode is the installer's business.
  await mkdir(dirs.arrivals, { recursive: true });
  return dirs;
}

/** @throws GatewayError `inbox.file-name-invalid` unless the name is one plain segment. */
export function checkArrivalName(name: string): string {
  if (name.length > NAME_BYTES_MAX || !SAFE_NAME.test(name)) {
    throw new GatewayError("inbox.file-name-invalid");
  }
  return name;
}

/** Tells two bundles with one id apart, so that a forged one never overwrites an accepted one. */
export function inboxName(bundleId: Uint8Array, headerDigest: Uint8Array): string {
  const digest = Buffer.from(headerDigest).toString("hex").slice(0, DIGEST_HEX);
  return `${formatId(bundleId)}.${digest}.lfb`;
}

/** A name of its own for every refused file: evidence is never overwritten. */
export function quarantineName(bundleId: Uint8Array): string {
  return `${formatId(bundleId)}.${formatId(newId())}.lfb`;
}

/** Names of bundle files in the inbox folder. */
export async function listInbox(dirs: InboxDirs): Promise<string[]> {
  const names = await readdir(dirs.inbox);
  return names.filter((name) => name.endsWith(".lfb") && SAFE_NAME.test(name)).sort();
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Renames and brings both directories to the disk. The file itself was fsynced by its writer. */
export async function moveDurably(from: string, to: string): Promise<void> {
  if (from === to) return;
  await rename(from, to);
  await syncDir(dirname(to));
  if (dirname(from) !== dirname(to)) await syncDir(dirname(from));
}

/** Removes a file; one that is gone already is fine. Not fsynced: removal may be repeated. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
