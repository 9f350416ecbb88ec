/**
 * Guarantee: a small file system of its own (tmpfs) that can be filled to the
 * last byte and freed again; unmounted at the end. Needs the right to mount.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly path: string;
  /** Fills it until only so many bytes are free; less than before frees some again. */
  leave(bytes: number): void;
  free(): void;
  unmount(): void;
}

const PIECE = Buffer.alloc(4_096, 1);

export function smallDisk(size: string): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "lightferry-disk-"));
  const mounted = spawnSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${size},mode=0700`,
    "tmpfs",
    path,
  ]);
  if (mounted.status !== 0) {
    rmdirSync(path);
    throw new RangeError(`cannot mount: ${mounted.stderr}`);
  }
  const ballast = join(path, ".ballast");
  const free = () => rmSync(ballast, { force: true });
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    leave(bytes) {
      free();
      const file = openSync(ballast, "w");
      try {
        for (let left = freeBytes() - bytes; left > 0; left -= PIECE.length) writeSync(file, PIECE);
      } finally {
        closeSync(file);
      }
    },
    free,
    unmount() {
      spawnSync("umount", ["--lazy", path]);
      rmdirSync(path);
    },
  };
}

/** Whether this process may mount at all. */
export function mayMount(): boolean {
  try {
    smallDisk("64k").unmount();
    return true;
  } catch {
    return false;
  }
}
