/**
 * Guarantee: of a long object every group marked as kept lies on disk: data is
 * synced before its mark is. Files are named by the object id of the signed
 * manifest; no wire string is ever a path.
 *
 * <object>.part      groups at their offsets, sparse
 * <object>.manifests signed manifests, each after its length (u32)
 * <object>.groups    one bit per group
 */
import { type FileHandle, open, readdir, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "../durable.ts";
import type { Geometry } from "../object.ts";

/** Data written between two syncs: what a crash costs, repaired by the second pass. */
const SYNC_BYTES = 32 << 20;
/** Longest time between two syncs while data comes. */
export const SYNC_MS = 1_000;
/** The inbox, another user of the same group, reads it once it has arrived. */
export const ARRIVAL_MODE = 0o640;
/** A manifest of 64 groups takes 2.5 KB; more than this in one file is damage. */
const MAX_MANIFEST_BYTES = 1 << 16;

export class PartialFile {
  readonly #base: string;
  readonly #geometry: Geometry;
  readonly #kept: Uint8Array;
  #part: Promise<FileHandle> | undefined;
  #pendingGroups: number[] = [];
  #pendingManifests: Uint8Array[] = [];
  #unsynced = 0;
  #syncing: Promise<void> | undefined;
  #syncedAt = performance.now();

  constructor(directory: string, objectId: number, geometry: Geometry, kept?: Uint8Array) {
    this.#base = join(directory, objectId.toString(16).padStart(14, "0"));
    this.#geometry = geometry;
    this.#kept = kept ?? new Uint8Array((geometry.groups + 7) >> 3);
  }

  get path(): string {
    return `${this.#base}.part`;
  }

  /** Keeps a signed manifest for after a restart. */
  addManifest(signed: Uint8Array): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(signed.length);
    this.#pendingManifests.push(Buffer.concat([length, signed]));
  }

  /** Writes a group whose digest was checked. */
  async write(group: number, bytes: Uint8Array): Promise<void> {
    const part = await this.#open();
    const start = group * this.#geometry.groupBytes;
    let at = 0;
    while (at < bytes.length) {
      const { bytesWritten } = await part.write(bytes, at, bytes.length - at, start + at);
      at += bytesWritten;
    }
    this.#pendingGroups.push(group);
    this.#unsynced += bytes.length;
    if (this.#unsynced >= SYNC_BYTES) await this.sync();
  }

  async read(group: number): Promise<Uint8Array> {
    const part = await this.#open();
    const bytes = Buffer.allocUnsafeSlow(this.#geometry.groupLength(group));
    const start = group * this.#geometry.groupBytes;
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await part.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) return bytes.fill(0, at);
      at += bytesRead;
    }
    return bytes;
  }

  /** Syncs when a second has passed since the last time and there is something new. */
  async syncIfDue(): Promise<void> {
    const due = performance.now() - this.#syncedAt >= SYNC_MS;
    if (due && this.#pendingGroups.length > 0) await this.sync();
  }

  /** Data first, then manifests, then marks. */
  async sync(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    this.#syncing = this.#sync().finally(() => {
      this.#syncing = undefined;
    });
    await this.#syncing;
  }

  /** Makes the data durable and lets go of the file, which the caller renames. */
  async complete(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    await (await this.#open()).datasync();
    await this.close();
  }

  /** Removes what is kept besides the data; with `all` the data too. */
  async remove(all: boolean): Promise<void> {
    await this.close();
    const names = [`${this.#base}.groups`, `${this.#base}.manifests`];
    for (const name of all ? [this.path, ...names] : names) {
      await unlink(name).catch(() => undefined);
    }
  }

  /** Lets go of the file while nothing comes. */
  async close(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    const part = this.#part;
    this.#part = undefined;
    await (await part)?.close();
  }

  /** One handle, however many groups are written at the same time. */
  #open(): Promise<FileHandle> {
    this.#part ??= this.#openPart().catch((error: unknown) => {
      this.#part = undefined;
      throw error;
    });
    return this.#part;
  }

  async #openPart(): Promise<FileHandle> {
    try {
      return await open(this.path, "r+");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return await open(this.path, "w+", ARRIVAL_MODE);
    }
  }

  async #sync(): Promise<void> {
    const groups = this.#pendingGroups;
    const manifests = this.#pendingManifests;
    this.#pendingGroups = [];
    this.#pendingManifests = [];
    this.#unsynced = 0;
    this.#syncedAt = performance.now();
    try {
      await (await this.#part)?.datasync();
      await put(`${this.#base}.manifests`, "a", Buffer.concat(manifests));
      for (const group of groups) {
        this.#kept[group >> 3] = (this.#kept[group >> 3] as number) | (1 << (group & 7));
      }
      // In place: marks are only ever added, so any mixture of old and new is true.
      await put(`${this.#base}.groups`, "w", this.#kept);
    } catch (error) {
      this.#pendingGroups.push(...groups);
      this.#pendingManifests.unshift(...manifests);
      throw error;
    }
  }
}

async function put(path: string, flags: "a" | "w", bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  const exists = flags === "w" ? await open(path, "r+", 0o600).catch(() => undefined) : undefined;
  const handle = exists ?? (await open(path, flags, 0o600));
  try {
    if (flags === "a") await handle.appendFile(bytes);
    else await handle.write(bytes, 0, bytes.length, 0);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** What a former run left of one object. */
export interface LeftPartial {
  readonly objectId: number;
  /** Signed, not yet verified again. */
  readonly manifests: readonly Uint8Array[];
  readonly kept: Uint8Array;
}

const NAME = /^([0-9a-f]{14})\.(part|manifests|groups)$/;

/**
 * Partial objects in a directory. What lacks one of its three files cannot be
 * gone on with (it was just begun or just finished) and is removed.
 */
export async function leftPartials(directory: string): Promise<LeftPartial[]> {
  const names = new Set<string>();
  for (const name of await readdir(directory)) {
    const match = NAME.exec(name);
    if (match !== null) names.add(match[1] as string);
  }
  const left: LeftPartial[] = [];
  for (const name of [...names].sort()) {
    const base = join(directory, name);
    const whole = await stat(`${base}.part`).then(
      () => true,
      () => false,
    );
    const manifests = splitManifests(await readFile(`${base}.manifests`).catch(nothing));
    const kept = await readFile(`${base}.groups`).catch(nothing);
    if (whole && manifests.length > 0 && kept.length > 0) {
      left.push({ objectId: Number.parseInt(name, 16), manifests, kept });
      continue;
    }
    for (const suffix of ["part", "manifests", "groups"]) {
      await unlink(`${base}.${suffix}`).catch(() => undefined);
    }
  }
  await syncDirectory(directory);
  return left;
}

function nothing(): Buffer {
  return Buffer.alloc(0);
}

/** A torn end is what a crash leaves. */
function splitManifests(bytes: Buffer): Uint8Array[] {
  const manifests: Uint8Array[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (length > MAX_MANIFEST_BYTES || at + 4 + length > bytes.length) break;
    manifests.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return manifests;
}
