/** Guarantee: a synced file gets a new name whole, on the same file system or another. */
import { renameSync } from "node:fs";
import { copyFile, open, rename, unlink } from "node:fs/promises";

/** The caller syncs the directory afterwards. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    // On the spot: a name in the kernel's memory, and an urgent bundle waits for it.
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const temporary = `${to}.new`;
    try {
      await copyFile(from, temporary);
      await syncFile(temporary);
    } catch (fault) {
      // A disk that is full has no room for half a copy either.
      await unlink(temporary).catch(() => undefined);
      throw fault;
    }
    await rename(temporary, to);
    await unlink(from);
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
