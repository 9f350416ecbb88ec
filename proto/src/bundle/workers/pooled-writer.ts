/**
 * Guarantee: the same bundle as the calling thread writes, made by workers: the
 * plaintext is copied once, into a slot, and everything after happens to it
 * there. The slots are few, so a slow disk holds the producer back.
 */
import type { FileHandle } from "node:fs/promises";
import { type ChunkCipher, chunkGroup } from "../chunk-group.ts";
import { GROUP_CHUNKS } from "../chunk-rooms.ts";
import type { ChunkSink } from "../chunk-writer.ts";
import type { Layout } from "../layout.ts";
import { DIGEST_BYTES } from "../limits.ts";
import type { BundleWorkers } from "./pool.ts";
import { giveBackSlot, type Slot, takeSlot } from "./slot.ts";
import type { WorkerProvider } from "./task.ts";

interface Sending {
  readonly slot: Slot;
  readonly first: number;
  readonly count: number;
  readonly done: Promise<void>;
}

export class PooledWriter implements ChunkSink {
  readonly table: Uint8Array;
  readonly #workers: BundleWorkers;
  readonly #provider: WorkerProvider;
  readonly #cipher: ChunkCipher;
  readonly #fd: number;
  readonly #layout: Layout;
  /** In the order of the file. */
  readonly #sending: Sending[] = [];
  readonly #slots: Slot[] = [];
  #slot: Slot | undefined;
  #filled = 0;
  #next = 0;

  /** @param chosen the threads, and the provider that computes there what the cipher's does here. */
  constructor(
    chosen: { readonly workers: BundleWorkers; readonly provider: WorkerProvider },
    cipher: ChunkCipher,
    file: FileHandle,
    layout: Layout,
  ) {
    this.#workers = chosen.workers;
    this.#provider = chosen.provider;
    this.#cipher = cipher;
    this.#fd = file.fd;
    this.#layout = layout;
    this.table = Buffer.alloc(layout.chunkCount * DIGEST_BYTES);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const room = GROUP_CHUNKS * this.#layout.chunkSize;
    for (let at = 0; at < bytes.length; ) {
      this.#slot ??= await this.#freeSlot();
      const piece = bytes.subarray(at, at + room - this.#filled);
      this.#slot.data.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === room) this.#send(this.#slot);
    }
  }

  async end(): Promise<void> {
    if (this.#slot !== undefined && this.#filled > 0) this.#send(this.#slot);
    while ((await this.#collect()) !== undefined);
    this.#close();
  }

  async abandon(): Promise<void> {
    await Promise.allSettled(this.#sending.map(({ done }) => done));
    this.#close();
  }

  /** One that nobody uses; the oldest under way when all are. @throws what its task met. */
  async #freeSlot(): Promise<Slot> {
    const full = this.#slots.length >= this.#workers.slotsPerBundle;
    return (full ? await this.#collect() : undefined) ?? this.#newSlot();
  }

  #newSlot(): Slot {
    const slot = takeSlot();
    this.#slots.push(slot);
    slot.key.set(this.#cipher.key);
    slot.aad.set(this.#cipher.aad);
    return slot;
  }

  #send(slot: Slot): void {
    const group = chunkGroup(this.#layout, this.#next);
    const { memory } = slot;
    const provider = this.#provider;
    const done = this.#workers.run({ kind: "seal", provider, memory, fd: this.#fd, group });
    // Its failure is seen by whoever collects it; until then it must not count as unhandled.
    done.catch(() => {});
    this.#sending.push({ slot, first: group.first, count: group.lengths.length, done });
    this.#next += 1;
    this.#slot = undefined;
    this.#filled = 0;
  }

  /** Waits for the oldest under way and takes its digests. */
  async #collect(): Promise<Slot | undefined> {
    const [oldest] = this.#sending;
    if (oldest === undefined) return undefined;
    await oldest.done;
    this.#sending.shift();
    const { slot, first, count } = oldest;
    this.table.set(slot.digests.subarray(0, count * DIGEST_BYTES), first * DIGEST_BYTES);
    return slot;
  }

  #close(): void {
    this.#slot = undefined;
    for (const slot of this.#slots.splice(0)) giveBackSlot(slot);
  }
}
