/**
 * Guarantee: a file appears in the drop folder whole, with its digest checked,
 * under a name of its own, at most once, and never over another file.
 *
 * ```
 * .<id>.partial  written, fsynced ─link─▶ <name>.<id>.<ext>   (fails if the name is taken)
 *                └────────rename────────▶ .<id>.done          until the outcome is committed
 * ```
 * `.done` tells a restart that the file did appear, even if its reader has
 * taken it away since; all names are links to one file, so it costs no space.
 */

import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { formatId } from "@lightferry/proto/ids";
import type { SmProvider } from "@lightferry/proto/sm";
import type { DropTarget } from "../../config.ts";
import { asStorageFault } from "../failures.ts";
import { exists, removeFile, syncDir } from "../inbox/files.ts";
import { dropName, hiddenNames, hiddenOwner } from "./drop-name.ts";
import type { AttemptResult, Parcel, Target } from "./target.ts";

/** Readable by the group that the receiving system runs in; writable by nobody else. */
const FILE_MODE = 0o640;

export class DropFolder implements Target {
  /** The name and `.done` make a second attempt harmless. */
  readonly repeatable = true;
  readonly #dir: string;
  readonly #provider: SmProvider;

  constructor(config: DropTarget, provider: SmProvider) {
    this.#dir = config.dir;
    this.#provider = provider;
  }

  async attempt(parcel: Parcel): Promise<AttemptResult> {
    const { file } = parcel.entry;
    if (parcel.entry.kind !== "file" || file === null || file === undefined) {
      return { kind: "rejected", code: "target.kind-mismatch", detail: parcel.entry.kind };
    }
    const name = dropName(file.name ?? "", parcel.id);
    try {
      return await this.#place(parcel, name);
    } catch (error) {
      const fault = asStorageFault(error);
      if (fault instanceof GatewayError && fault.code !== "spool.disk-full") throw fault;
      return { kind: "not-received", detail: faultName(error) };
    }
  }

  async settled(exchangeId: Uint8Array): Promise<void> {
    await removeFile(join(this.#dir, hiddenNames(formatId(exchangeId)).done));
  }

  /** Removes hidden names of exchanges that are no longer open here. */
  async prepare(isOpen: (id: string) => Promise<boolean>): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    for (const name of await readdir(this.#dir)) {
      const id = hiddenOwner(name);
      if (id !== undefined && !(await isOpen(id))) await removeFile(join(this.#dir, name));
    }
  }

  close(): void {}

  async #place(parcel: Parcel, name: string): Promise<AttemptResult> {
    const hidden = hiddenNames(parcel.id);
    const partial = join(this.#dir, hidden.partial);
    const done = join(this.#dir, hidden.done);
    const final = join(this.#dir, name);
    if (await exists(done)) return { kind: "delivered", detail: name };
    if (await sameFile(partial, final)) {
      await rename(partial, done);
      return { kind: "delivered", detail: name };
    }
    if (await exists(final)) return this.#compare(parcel, final, name);
    // Never truncated in place: it could be a link to a file that has appeared already.
    await removeFile(partial);
    await this.#write(parcel, partial);
    try {
      await link(partial, final);
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
      await removeFile(partial);
      return this.#compare(parcel, final, name);
    }
    await rename(partial, done);
    await syncDir(this.#dir);
    return { kind: "delivered", detail: name };
  }

  async #write(parcel: Parcel, path: string): Promise<void> {
    const handle = await open(path, "wx", FILE_MODE);
    try {
      const hash = this.#provider.createSm3();
      let size = 0;
      for await (const chunk of parcel.content()) {
        hash.update(chunk);
        size += chunk.length;
        await handle.writeFile(chunk);
      }
      if (size !== parcel.size || Buffer.compare(hash.digest(), parcel.digest) !== 0) {
        throw new GatewayError("bundle.item-digest", { detail: "content at rest was altered" });
      }
      await handle.sync();
    } catch (error) {
      await removeFile(path);
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** The name carries the exchange id: the same content under it means it was delivered before. */
  async #compare(parcel: Parcel, path: string, name: string): Promise<AttemptResult> {
    const conflict: AttemptResult = {
      kind: "rejected",
      code: "target.file-conflict",
      detail: name,
    };
    const { size } = await stat(path);
    if (size !== parcel.size) return conflict;
    const hash = this.#provider.createSm3();
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    if (Buffer.compare(hash.digest(), parcel.digest) !== 0) return conflict;
    return { kind: "delivered", detail: name };
  }
}

async function sameFile(one: string, other: string): Promise<boolean> {
  if (!(await exists(one)) || !(await exists(other))) return false;
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  return a.ino === b.ino && a.dev === b.dev;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function faultName(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "fault";
}
