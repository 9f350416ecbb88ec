/**
 * Guarantee: a file with a secret is created whole, durable, readable by its
 * owner only, and never over another; one that others may read is refused.
 * Synchronous: used while a service starts or an operator makes keys.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, GatewayError } from "../errors/index.ts";

const OWNER_ONLY = 0o600;
/** Every right of group and others. */
export const OTHERS = 0o077;

function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown fault";
}

/** Makes what was linked or unlinked in a folder durable. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writeDurably(path: string, bytes: Uint8Array, owner: SecretOwner): void {
  const file = openSync(path, "wx", OWNER_ONLY);
  try {
    if (owner === "folder" && process.geteuid?.() === 0) {
      const { uid, gid } = statSync(dirname(path));
      fchownSync(file, uid, gid);
    }
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Who owns a new file: whoever runs, or, where that is the superuser, the owner of its folder: a key that an
 * operator puts into a service's ring is for that service to read.
 */
export type SecretOwner = "me" | "folder";

/**
 * Writes `bytes` to a new file of mode 0600: beside it first, fsynced, linked
 * into place without overwriting, folder fsynced.
 * @throws GatewayError `sm.key-file` when it exists or cannot be written.
 */
export function createSecretFile(path: string, bytes: Uint8Array, owner: SecretOwner = "me"): void {
  const beside = `${path}.${randomBytes(8).toString("hex")}.new`;
  try {
    try {
      writeDurably(beside, bytes, owner);
      linkSync(beside, path);
    } finally {
      // Also what a full disk cut short: half a secret is no less secret.
      rmSync(beside, { force: true });
    }
    syncFolder(dirname(path));
  } catch (cause) {
    throw new GatewayError("sm.key-file", { detail: `${path}: ${systemCode(cause)}`, cause });
  }
}

/**
 * Overwrites a secret file with random bytes, fsyncs, unlinks it and fsyncs its folder. On media that
 * write elsewhere than they are told (flash, copy-on-write) the old blocks may outlive this.
 * @throws GatewayError `sm.key-file` when it cannot be opened, written or removed.
 */
export function destroySecretFile(path: string): void {
  try {
    const file = openSync(path, "r+");
    try {
      const noise = randomBytes(fstatSync(file).size);
      for (let at = 0; at < noise.length; ) at += writeSync(file, noise, at, noise.length - at, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    unlinkSync(path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw new GatewayError("sm.key-file", { detail: `${path}: ${systemCode(cause)}`, cause });
  }
}

/**
 * Reads a whole secret file; the caller wipes the bytes.
 * @param limit most bytes accepted, checked before allocation.
 * @param missing the code when it cannot be opened.
 * @param forbidden mode bits that must not be set.
 * @throws GatewayError `missing`; `sm.key-exposed` when group or others have
 * any right on it; `sm.key-invalid` when longer than `limit`.
 */
export function readSecretFile(
  path: string,
  limit: number,
  missing: ErrorCode,
  forbidden: number = OTHERS,
): Buffer {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new GatewayError(missing, { detail: `${path}: ${systemCode(cause)}`, cause });
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw new GatewayError("sm.key-invalid", { detail: `${path}: no file` });
    if ((status.mode & forbidden) !== 0) throw new GatewayError("sm.key-exposed", { detail: path });
    if (status.size > limit) {
      throw new GatewayError("sm.key-invalid", { detail: `${path}: over ${limit} bytes` });
    }
    // Own memory, not the shared pool, so that wiping reaches every copy.
    const bytes = Buffer.allocUnsafeSlow(status.size);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(file, bytes, at, bytes.length - at, at);
      if (read === 0) throw new GatewayError("sm.key-invalid", { detail: `${path}: cut short` });
      at += read;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}
