/** Guarantee: a synced file gets a new name whole, on the same file system or another. */
import { copyFile, open, rename, unlink } from "node:fs/promises";

/** The caller syncs the directory afterwards. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const temporary = `${to}.new`;
    await copyFile(from, temporary);
    const handle = await open(temporary, "r+");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, to);
    await unlink(from);
  }
}
