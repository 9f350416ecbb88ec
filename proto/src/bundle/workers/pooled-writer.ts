/**
 * Guarantee: the same bundle as the calling thread writes, made by workers: the
 * plaintext is copied once, into a slot, and everything after happens to it
 * there, the SM3 of long items included. The slots are few, so a slow disk holds
 * the producer back.
 */
import type { FileHandle } from "node:fs/promises";
import { type ChunkCipher, type ChunkGroup, chunkGroup } from "../chunk-group.ts";
import { GROUP_CHUNKS } from "../chunk-rooms.ts";
import type { ChunkSink } from "../chunk-writer.ts";
import { hashedHere, type ItemSink } from "../item-sink.ts";
import type { Layout } from "../layout.ts";
import { DIGEST_BYTES } from "../limits.ts";
import type { HashLane } from "./hash-lane.ts";
import type { BundleWorkers } from "./pool.ts";
import { giveBackSlot, type Slot, takeSlot } from "./slot.ts";
import type { WorkerProvider } from "./task.ts";

/** Bytes of an item from which a worker hashes it; below, the messages cost what the hash does. */
const LANE_MIN = 64 * 1024;
/** One worker has enough to do with the chunks: the calling thread hashes beside it. */
const LANE_WORKERS = 2;

export class PooledWriter implements ChunkSink {
  readonly table: Uint8Array;
  readonly #workers: BundleWorkers;
  readonly #provider: WorkerProvider;
  readonly #cipher: ChunkCipher;
  readonly #fd: number;
  readonly #layout: Layout;
  readonly #slots: Slot[] = [];
  readonly #free: Slot[] = [];
  /** One for each slot that workers have; none of them rejects. */
  readonly #busy = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  /** The slot that is being filled, and what workers do with it already. */
  #slot: Slot | undefined;
  #uses: Promise<void>[] = [];
  #filled = 0;
  /** From here the bytes of the slot are not handed to the lane yet. */
  #unhashed = 0;
  #lane: HashLane | undefined;
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

  item(size: number): ItemSink {
    const write = (bytes: Uint8Array) => this.write(bytes);
    if (size < LANE_MIN || this.#workers.count < LANE_WORKERS) {
      return hashedHere(this.#cipher.provider, size, write);
    }
    const lane = this.#workers.openLane(this.#provider, size);
    this.#lane = lane;
    this.#unhashed = this.#filled;
    return {
      write,
      digest: () => {
        if (this.#slot !== undefined) this.#hash(this.#slot);
        this.#lane = undefined;
        return lane.digest();
      },
    };
  }

  async end(): Promise<void> {
    if (this.#slot !== undefined && this.#filled > 0) this.#send(this.#slot);
    await Promise.all(this.#busy);
    this.#assertGood();
    this.#close();
  }

  async abandon(): Promise<void> {
    await Promise.allSettled([...this.#busy, ...this.#uses, this.#lane?.drop()]);
    this.#close();
  }

  /** One that nobody uses; waits for one when all are under way. @throws what a task met. */
  async #freeSlot(): Promise<Slot> {
    for (;;) {
      this.#assertGood();
      const slot = this.#free.pop();
      if (slot !== undefined) return slot;
      if (this.#slots.length < this.#workers.slotsPerBundle) return this.#newSlot();
      await Promise.race(this.#busy);
    }
  }

  #newSlot(): Slot {
    const slot = takeSlot();
    this.#slots.push(slot);
    slot.key.set(this.#cipher.key);
    slot.aad.set(this.#cipher.aad);
    return slot;
  }

  /** What of the item came into the slot since. The worker reads there while more comes behind it. */
  #hash(slot: Slot): void {
    if (this.#lane === undefined || this.#unhashed === this.#filled) return;
    this.#use(this.#lane.update(slot.memory, this.#unhashed, this.#filled));
    this.#unhashed = this.#filled;
  }

  #send(slot: Slot): void {
    this.#hash(slot);
    const group = chunkGroup(this.#layout, this.#next);
    const { memory } = slot;
    const provider = this.#provider;
    this.#use(this.#workers.run({ kind: "seal", provider, memory, fd: this.#fd, group }));
    const busy = this.#take(slot, group, this.#uses).finally(() => this.#busy.delete(busy));
    this.#busy.add(busy);
    this.#uses = [];
    this.#slot = undefined;
    this.#next += 1;
    this.#filled = 0;
    this.#unhashed = 0;
  }

  #use(use: Promise<void>): void {
    // Its failure is seen when the slot comes back; until then it must not count as unhandled.
    use.catch(() => {});
    this.#uses.push(use);
  }

  /** Takes the digests out of a slot that workers are done with, or what failed there. */
  async #take(slot: Slot, group: ChunkGroup, uses: readonly Promise<void>[]): Promise<void> {
    // All of them: nobody may touch the slot of another bundle.
    const results = await Promise.allSettled(uses);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) this.#failure ??= { error: failed.reason };
    const digests = slot.digests.subarray(0, group.lengths.length * DIGEST_BYTES);
    this.table.set(digests, group.first * DIGEST_BYTES);
    this.#free.push(slot);
  }

  #assertGood(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #close(): void {
    this.#slot = undefined;
    for (const slot of this.#slots.splice(0)) giveBackSlot(slot);
  }
}
