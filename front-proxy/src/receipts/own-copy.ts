/**
 * Guarantee: what was looked at is what leaves. A sealed file is its sealer's, who could write it anew behind the look;
 * a copy of this program's own is looked at, and takes its place in the outbox. Where seal is another user, the folder
 * lets it neither write nor replace that one (deploy/src/setup/systemd/access.ts).
 */
import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatId, newId } from "@lightferry/proto/ids";
import { moveDurably } from "../ingress/inbox/files.ts";
import { OUTBOX_FILE_MODE, outboxFileName } from "../outbox-file.ts";

/** A pipe in place of the file has no bytes, and nobody waits for them. */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Replaces a file of the outbox by a copy that `look` has nothing against.
 * @param size bytes of it; what stands behind them is not copied
 * @throws whatever `look` says: then the file is left as it was
 */
export async function replaceByOwn(
  path: string,
  size: number,
  look: (copy: string) => Promise<void>,
): Promise<void> {
  // Named as a bundle, so that one left by a kill goes with those that belong to nothing.
  const copy = join(dirname(path), outboxFileName(formatId(newId())));
  try {
    await write(copy, path, size);
    await look(copy);
    await moveDurably(copy, path);
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}

async function write(copy: string, path: string, size: number): Promise<void> {
  await using from = await open(path, AT_ONCE);
  await using to = await open(copy, "wx", OUTBOX_FILE_MODE);
  if (size > 0) await to.writeFile(from.createReadStream({ end: size - 1, autoClose: false }));
  await to.sync();
}
