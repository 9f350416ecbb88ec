/** Guarantee: the newest refused bundles lie in one folder for the officer, and no more than so many. */
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { moveFile } from "./move-file.ts";

/** Older ones go; their events stay. */
const KEEP = 64;

export class RefusedBundles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** @throws a fault of the disk; the oldest are removed by {@link trim}. */
  async take(path: string, bundleId: string): Promise<void> {
    await moveFile(path, join(this.directory, `${bundleId}.lfb`));
  }

  /** Ids are in the order of their making (UUIDv7). Never rejects: what a disk in trouble keeps, the next one removes. */
  async trim(): Promise<void> {
    const names = (await readdir(this.directory).catch(() => [])).sort();
    for (const name of names.slice(0, Math.max(0, names.length - KEEP))) {
      await unlink(join(this.directory, name)).catch(() => undefined);
    }
  }
}
