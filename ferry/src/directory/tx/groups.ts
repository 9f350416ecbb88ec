/**
 * Guarantee: the parts of a group with the digest of each; parity is computed column by column, so memory does
 * not grow with the size of a file, and is kept on disk only while its group is sent.
 */
import { type FileHandle, mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Turns } from "@lightferry/proto/service";
import type { SmProvider } from "@lightferry/proto/sm";
import { ErasureCoder } from "../../erasure/index.ts";
import { asStorageFault } from "../../storage-fault.ts";
import type { Plan } from "../plan.ts";
import type { Content } from "./content.ts";

/** Of each part at a time: with the widest code 8 MiB together. */
const COLUMN_BYTES = 1 << 15;
/** One read while a part is sent. */
const PIECE_BYTES = 1 << 18;

export interface Part {
  readonly index: number;
  readonly length: number;
  readonly digest: Uint8Array;
  pieces(): AsyncIterable<Uint8Array>;
}

/** Parts of one group, until it is closed. */
export interface Group {
  readonly parts: readonly Part[];
  close(): Promise<void>;
}

export class Groups {
  readonly #dir: string;
  readonly #provider: SmProvider;
  readonly #parts: number;
  readonly #coder: ErasureCoder;
  /** The memory of the coder is that of one group. */
  readonly #turns = new Turns(1);

  private constructor(dir: string, provider: SmProvider, parts: number) {
    this.#dir = dir;
    this.#provider = provider;
    this.#parts = parts;
    this.#coder = ErasureCoder.open({ shards: parts, shardBytes: COLUMN_BYTES });
  }

  /** @param dir for parity, of nobody else @param parts of the widest group */
  static async open(dir: string, provider: SmProvider, parts: number): Promise<Groups> {
    await mkdir(dir, { recursive: true, mode: 0o750 });
    for (const name of await readdir(dir)) await unlink(join(dir, name));
    return new Groups(dir, provider, parts);
  }

  /** Columns that the coder has room for, and those in use. */
  get memory(): { readonly shards: number; readonly used: number } {
    return { shards: this.#parts, used: this.#parts - this.#coder.available };
  }

  get variant(): string {
    return this.#coder.variant;
  }

  /**
   * @param name of the parity files: one group of a name at a time
   * @throws GatewayError `ferry.file-invalid`, `spool.disk-full`
   */
  async make(plan: Plan, group: number, content: Content, name: string): Promise<Group> {
    return await this.#turns.run(async () => {
      const parity = await this.#parityFiles(plan.parityParts(group), name);
      const close = async (): Promise<void> => {
        for (const { handle, path } of parity) {
          await handle.close();
          // What stays is emptied when its name is used again.
          await unlink(path).catch(() => undefined);
        }
      };
      try {
        const digests = await this.#encode(plan, group, content, parity);
        const parts = digests.map((digest, index) => {
          const file = parity[index - plan.dataParts(group)]?.handle;
          const at = plan.partAt(group, index);
          const length = plan.partLength(group, index);
          const read = async (into: Uint8Array, offset: number): Promise<void> => {
            if (file === undefined) await content.read(into, at + offset);
            else await file.read(into, 0, into.length, offset);
          };
          return { index, length, digest, pieces: () => pieces(length, read) };
        });
        return { parts, close };
      } catch (error) {
        await close();
        throw asStorageFault(error);
      }
    });
  }

  async #parityFiles(
    count: number,
    name: string,
  ): Promise<{ readonly handle: FileHandle; readonly path: string }[]> {
    const files: { readonly handle: FileHandle; readonly path: string }[] = [];
    for (let index = 0; index < count; index += 1) {
      const path = join(this.#dir, `${name}-${index}`);
      files.push({ path, handle: await open(path, "w+", 0o600) });
    }
    return files;
  }

  async #encode(
    plan: Plan,
    group: number,
    content: Content,
    parity: readonly { readonly handle: FileHandle }[],
  ): Promise<Uint8Array[]> {
    const [k, m] = [plan.dataParts(group), parity.length];
    const hashes = Array.from({ length: k + m }, (_, index) =>
      this.#provider.createSm3(plan.partLength(group, index)),
    );
    const length = plan.codedLength(group);
    for (let from = 0; from < length; from += COLUMN_BYTES) {
      const shards = this.#coder.allocate(k, m, Math.min(COLUMN_BYTES, length - from));
      // One group at a time: there is room.
      if (shards === undefined) break;
      try {
        for (let index = 0; index < k; index += 1) {
          const shard = shards.shard(index);
          const count = clamp(plan.partLength(group, index) - from, shard.length);
          await content.read(shard.subarray(0, count), plan.partAt(group, index) + from);
          shard.fill(0, count);
          hashes[index]?.update(shard.subarray(0, count));
        }
        shards.encode();
        for (let index = 0; index < m; index += 1) {
          const shard = shards.shard(k + index);
          hashes[k + index]?.update(shard);
          await parity[index]?.handle.write(shard, 0, shard.length, from);
        }
      } finally {
        shards.free();
      }
    }
    return hashes.map((hash) => hash.digest());
  }
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}

async function* pieces(
  length: number,
  read: (into: Uint8Array, offset: number) => Promise<void>,
): AsyncIterable<Uint8Array> {
  for (let at = 0; at < length; at += PIECE_BYTES) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, length - at));
    await read(piece, at);
    yield piece;
  }
}
