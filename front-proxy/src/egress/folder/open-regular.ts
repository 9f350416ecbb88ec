/**
 * Guarantee: what is opened here is a regular file that lies in the watched folder itself. Who may
 * write to that folder may put a link or a pipe in place of a file at any moment; a link would
 * have us read what only we can read, a pipe would hold a thread for ever.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { GatewayError } from "@lightferry/proto/errors";

/** What `open` says of a link, a socket, and a file that we may not read. */
const NOT_OURS_TO_READ: ReadonlySet<unknown> = new Set(["ELOOP", "ENXIO", "EACCES", "EPERM"]);

/**
 * @returns undefined when there is nothing of that name.
 * @throws GatewayError `folder.not-a-file`.
 */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT") return undefined;
    if (!NOT_OURS_TO_READ.has(code)) throw cause;
    throw new GatewayError("folder.not-a-file", { detail: String(code), cause });
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new GatewayError("folder.not-a-file");
}
