/**
 * Guarantee: a file in a local folder has its name only when it is whole and durable where the appliance
 * notices renames; where it does not, it is written under its name and the far side tells that it is whole.
 */
import { lstat, mkdir, open, opendir, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { syncFolder } from "../../media/files.ts";
import { type FileName, isOwnName, type Profile } from "../profile.ts";
import { type FileSource, MAX_LISTED, type Target, type Waiting } from "./target.ts";

/** The appliance runs under an account of its own, of the same group. */
const FILE_MODE = 0o660;
const FOLDER_MODE = 0o770;

export class FolderTarget implements Target {
  readonly where: string;
  readonly #folder: string;
  readonly #staging: string | undefined;

  private constructor(folder: string, staging: string | undefined) {
    this.where = `folder ${folder}`;
    this.#folder = folder;
    this.#staging = staging;
  }

  /**
   * @param staging where files are made before they are renamed: of the same file system
   * @throws GatewayError `directory.target-unavailable`, `config.invalid`
   */
  static async open(
    folder: string,
    staging: string | undefined,
    profile: Profile,
  ): Promise<FolderTarget> {
    return await onTarget(async () => {
      const { dev } = await stat(folder);
      if (staging !== undefined) {
        if ((await stat(staging)).dev !== dev) {
          throw new GatewayError("config.invalid", {
            detail:
              "gate.target.staging: of the same file system as gate.target.folder is expected",
          });
        }
        // What a run before this one did not finish was never renamed.
        for (const name of await readdir(staging)) {
          if (isOwnName(profile, name)) await unlink(join(staging, name));
        }
      }
      return new FolderTarget(folder, staging);
    });
  }

  async put({ folder, name }: FileName, file: FileSource): Promise<"written" | "exists"> {
    return await onTarget(async () => {
      const into = folder === undefined ? this.#folder : join(this.#folder, folder);
      if (folder !== undefined) await mkdir(into, { mode: FOLDER_MODE }).catch(unlessThere);
      const path = join(into, name);
      if (this.#staging === undefined) {
        if (!(await write(path, file))) return "exists";
      } else {
        // Names are ours alone: nobody makes this one between the look and the renaming.
        if (await isThere(path)) return "exists";
        const staged = join(this.#staging, name);
        await unlink(staged).catch(unlessAway);
        await write(staged, file);
        await rename(staged, path);
      }
      await syncFolder(into);
      return "written";
    });
  }

  async waiting(): Promise<Waiting> {
    return await onTarget(async () => {
      let files = 0;
      let bytes = 0;
      const count = async (folder: string, below: boolean): Promise<void> => {
        for await (const entry of await opendir(folder)) {
          if (files > MAX_LISTED) return;
          const path = join(folder, entry.name);
          if (entry.isDirectory() && below) await count(path, false).catch(unlessAway);
          if (!entry.isFile()) continue;
          // Taken away meanwhile: counts no more.
          const found = await stat(path).catch(unlessAway);
          if (found === undefined) continue;
          files += 1;
          bytes += found.size;
        }
      };
      await count(this.#folder, true);
      return { files, bytes };
    });
  }

  async close(): Promise<void> {}
}

/** @returns false when there is a file of this name */
async function write(path: string, file: FileSource): Promise<boolean> {
  const handle = await open(path, "wx", FILE_MODE).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return undefined;
    throw error;
  });
  if (handle === undefined) return false;
  try {
    for await (const piece of file.pieces()) await handle.writeFile(piece);
    await handle.sync();
  } catch (error) {
    await handle.close();
    // Half a file is of no use to anybody; one that the appliance took already is known by its length.
    await unlink(path).catch(() => undefined);
    throw error;
  }
  await handle.close();
  return true;
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(unlessAway)) !== undefined;
}

function unlessThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EEXIST") throw error;
}

function unlessAway(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** A fault of the folder is told by its own code; one of the bundle keeps it. */
async function onTarget<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const detail = (error as NodeJS.ErrnoException).code ?? "fault";
    throw new GatewayError("directory.target-unavailable", { detail, cause: error });
  }
}
