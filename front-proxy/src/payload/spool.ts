/**
 * Guarantee: a spool file exists under its name only when it is whole and
 * fsynced (temp name, fsync, rename, directory fsync); a full disk is its own
 * refusal and leaves nothing behind. Only encrypted bytes come here.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";

export interface SpoolLimits {
  /** Bytes this spool may hold before new work is put off. */
  readonly highWaterBytes: number;
  /** Bytes of the file system that stay free for the database's own log. */
  readonly reserveBytes: number;
}

/** How the spool reaches the disk; tests hand in one that runs full. */
export interface SpoolDisk {
  open(path: string): Promise<Pick<FileHandle, "write" | "sync" | "close">>;
}

/** seal runs as another user of the same group and only reads; the bytes are encrypted. */
const SPOOL_FILE_MODE = 0o640;
const REAL_DISK: SpoolDisk = { open: (path) => open(path, "wx", SPOOL_FILE_MODE) };

/** How old the figure of free space may be: a statfs costs little, one per request is waste. */
const FREE_SPACE_AGE_MS = 1_000;
const TEMP_PREFIX = ".part-";
/** Four 256 KiB ciphertext chunks for one system call and one turn of the event loop. */
const READ_BYTES = 1_048_576;
/** One segment of a name: no separators, no leading dot. */
const SAFE_NAME = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/;

export class Spool {
  readonly #dir: string;
  readonly #limits: SpoolLimits;
  readonly #disk: SpoolDisk;
  #used = 0;
  #freed = 0;
  #free = Number.POSITIVE_INFINITY;
  #freeAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  private constructor(dir: string, limits: SpoolLimits, disk: SpoolDisk) {
    this.#dir = dir;
    this.#limits = limits;
    this.#disk = disk;
  }

  /** Opens the directory, drops what a crash left half-written and counts the rest. */
  static async open(dir: string, limits: SpoolLimits, disk: SpoolDisk = REAL_DISK): Promise<Spool> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const spool = new Spool(dir, limits, disk);
    for (const name of await readdir(dir)) {
      const path = join(dir, name);
      if (name.startsWith(TEMP_PREFIX)) await rm(path, { force: true });
      else spool.#used += (await stat(path)).size;
    }
    return spool;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Bytes removed since the start. */
  get freedBytes(): number {
    return this.#freed;
  }

  async names(): Promise<readonly string[]> {
    return (await readdir(this.#dir)).filter((name) => !name.startsWith(TEMP_PREFIX));
  }

  /**
   * Refuses new work while there is no room for it.
   * @throws GatewayError `spool.full` over the high-water mark, `spool.disk-full` on a full disk.
   */
  async assertRoom(bytes: number): Promise<void> {
    if (this.#used + bytes > this.#limits.highWaterBytes) {
      throw new GatewayError("spool.full", { detail: `${this.#used} bytes are waiting` });
    }
    const now = performance.now();
    if (now - this.#freeAtMs > FREE_SPACE_AGE_MS) {
      // Those who come while one asks wait for its answer.
      this.#asking ??= this.#askFree().finally(() => (this.#asking = undefined));
      await this.#asking;
    }
    if (this.#free < this.#limits.reserveBytes + bytes) {
      throw new GatewayError("spool.disk-full", { detail: `${this.#free} bytes are free` });
    }
  }

  async #askFree(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#dir);
    this.#free = bavail * bsize;
    this.#freeAtMs = performance.now();
  }

  /**
   * Writes a file whole. The directory entry is durable when this resolves.
   * @returns bytes written.
   * @throws GatewayError `spool.disk-full`; whatever `content` throws. Nothing is left behind.
   */
  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<number> {
    const draft = await this.draft();
    try {
      for await (const chunk of content) await draft.append(chunk);
      return await draft.keepAs(name);
    } catch (error) {
      await draft.discard();
      throw error;
    }
  }

  /** A file under way: append, then keep under a name or discard. */
  async draft(): Promise<SpoolDraft> {
    const path = join(this.#dir, TEMP_PREFIX + randomBytes(12).toString("hex"));
    const file = await onDisk(() => this.#disk.open(path));
    let size = 0;
    let open_ = true;
    const close = async () => {
      if (!open_) return;
      open_ = false;
      await file.close();
    };
    return {
      append: async (chunk) => {
        let at = 0;
        while (at < chunk.length) {
          const { bytesWritten } = await onDisk(() => file.write(chunk, at));
          at += bytesWritten;
        }
        size += chunk.length;
      },
      keepAs: async (name) => {
        const target = this.path(name);
        await onDisk(() => file.sync());
        await close();
        await rename(path, target);
        await syncDirectory(this.#dir);
        this.#used += size;
        return size;
      },
      discard: async () => {
        await close();
        await rm(path, { force: true });
      },
    };
  }

  /** @throws GatewayError `spool.payload-damaged` when the file is not there. */
  read(name: string): AsyncGenerator<Uint8Array> {
    return readSpoolFile(this.#dir, name);
  }

  /** Removes a file; one that is gone already is no error. */
  async remove(name: string): Promise<void> {
    const path = this.path(name);
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    await rm(path, { force: true });
    this.#used -= size;
    this.#freed += size;
  }

  /** @throws GatewayError `spool.payload-damaged` when the name is not a single safe segment. */
  path(name: string): string {
    return spoolPath(this.#dir, name);
  }
}

function spoolPath(dir: string, name: string): string {
  if (!SAFE_NAME.test(name)) throw new GatewayError("spool.payload-damaged", { detail: "name" });
  return join(dir, name);
}

/**
 * Bytes of a spool file as they lie there; also for the seal program, which only reads. Each piece
 * is valid until the next one is asked for.
 * @throws GatewayError `spool.payload-damaged` when the file is not there or the name is unsafe.
 */
export async function* readSpoolFile(dir: string, name: string): AsyncGenerator<Uint8Array> {
  const path = spoolPath(dir, name);
  const damaged = (cause: unknown): never => {
    throw new GatewayError("spool.payload-damaged", { detail: name, cause });
  };
  const file = await open(path, "r").catch(damaged);
  try {
    const { size } = await file.stat().catch(damaged);
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, size + 1));
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length).catch(damaged);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

export interface SpoolDraft {
  append(chunk: Uint8Array): Promise<void>;
  /** Durable when it resolves; gives the size in bytes. */
  keepAs(name: string): Promise<number>;
  discard(): Promise<void>;
}

export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const DISK_FULL = new Set(["ENOSPC", "EDQUOT"]);

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (DISK_FULL.has(code)) throw new GatewayError("spool.disk-full", { cause });
    throw cause;
  }
}
