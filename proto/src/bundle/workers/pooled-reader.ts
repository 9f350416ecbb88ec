/**
 * Guarantee: plaintext as the calling thread would give it, each chunk checked
 * by the table and its tag, read ahead by workers and handed out in order. The
 * slots are few, so a slow consumer holds the workers back; plaintext lies in
 * them alone and is wiped with them.
 */
import { type ChunkCipher, type ChunkGroup, chunkGroup, groupCount } from "../chunk-group.ts";
import { assertGood, assertOpen, type ChunkSource, readChunk, tableOf } from "../chunk-reader.ts";
import { GROUP_CHUNKS } from "../chunk-rooms.ts";
import type { Layout } from "../layout.ts";
import { TAG_BYTES } from "../limits.ts";
import type { ByteReader } from "../source.ts";
import type { BundleWorkers } from "./pool.ts";
import { giveBackSlot, type Slot, takeSlot } from "./slot.ts";
import type { WorkerProvider } from "./task.ts";

/** What the groups of one bundle are read for. */
export interface GroupWork {
  readonly workers: BundleWorkers;
  readonly reader: ByteReader;
  readonly layout: Layout;
  readonly table: Uint8Array;
  /** Against the table. */
  readonly check: boolean;
  /** Computes there what the cipher's does here. */
  readonly provider: WorkerProvider;
  /** Decrypts where there is one. */
  readonly cipher?: ChunkCipher;
}

interface DoneGroup {
  readonly group: ChunkGroup;
  readonly slot: Slot;
}

/** A group that a worker has, or had, in hand. */
interface Ahead extends DoneGroup {
  readonly number: number;
  readonly done: Promise<void>;
}

/** Groups in ascending order, several under way. */
export class ReadAhead {
  readonly #work: GroupWork;
  readonly #slots: Slot[] = [];
  readonly #free: Slot[] = [];
  #ahead: Ahead[] = [];
  /** A source that is no file is read from one place at a time. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(work: GroupWork) {
    this.#work = work;
  }

  /**
   * The group, done; those after it are begun. What was handed out before may be written over.
   * @throws GatewayError `service.worker-ended`; the system's own error of a failed read.
   */
  async get(number: number): Promise<DoneGroup> {
    while (this.#ahead[0] !== undefined && this.#ahead[0].number !== number) await this.#drop();
    const { layout, workers } = this.#work;
    const head = this.#ahead[0] ?? this.#begin(number);
    if (this.#ahead.length === 0) this.#ahead.push(head);
    let next = number + this.#ahead.length;
    while (this.#ahead.length < workers.slotsPerBundle && next < groupCount(layout)) {
      this.#ahead.push(this.#begin(next));
      next += 1;
    }
    await head.done;
    return head;
  }

  /** Waits for the workers, wipes and gives back the slots. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#ahead.map(({ done }) => done));
    this.#ahead = [];
    for (const slot of this.#slots.splice(0)) giveBackSlot(slot);
  }

  async #drop(): Promise<void> {
    const [head] = this.#ahead;
    await head?.done.catch(() => {});
    this.#ahead.shift();
    if (head !== undefined) this.#free.push(head.slot);
  }

  #begin(number: number): Ahead {
    const group = chunkGroup(this.#work.layout, number);
    const slot = this.#free.pop() ?? this.#newSlot();
    slot.digests.set(tableOf(this.#work.table, group));
    const done = this.#run(group, slot);
    // Its failure is seen by whoever asks for the group; until then it must not count as unhandled.
    done.catch(() => {});
    return { number, group, slot, done };
  }

  #newSlot(): Slot {
    const slot = takeSlot();
    this.#slots.push(slot);
    const { cipher } = this.#work;
    if (cipher !== undefined) {
      slot.key.set(cipher.key);
      slot.aad.set(cipher.aad);
    }
    return slot;
  }

  async #run(group: ChunkGroup, slot: Slot): Promise<void> {
    const { workers, reader, check, provider, cipher } = this.#work;
    const { fd } = reader;
    if (fd === undefined) {
      const read = this.#reading.then(() => readGroup(reader, group, slot));
      this.#reading = read.catch(() => {});
      await read;
    }
    await workers.run({
      kind: "open",
      provider,
      memory: slot.memory,
      group,
      check,
      decrypt: cipher !== undefined,
      ...(fd === undefined ? {} : { fd }),
    });
  }
}

async function readGroup(reader: ByteReader, group: ChunkGroup, slot: Slot): Promise<void> {
  let at = 0;
  for (const [lane, length] of group.lengths.entries()) {
    const room = slot.data.subarray(at, at + length);
    slot.states[lane] = await readChunk(reader, group.at + at, room);
    at += length;
  }
}

/** The {@link ChunkSource} of workers. */
export class PooledReader implements ChunkSource {
  readonly chunkSize: number;
  readonly #groups: ReadAhead;
  #current: DoneGroup | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(work: GroupWork & { readonly cipher: ChunkCipher }) {
    this.#groups = new ReadAhead(work);
    this.chunkSize = work.layout.chunkSize;
  }

  async chunk(index: number): Promise<Uint8Array> {
    assertOpen(this.#closed);
    const lane = index % GROUP_CHUNKS;
    const number = (index - lane) / GROUP_CHUNKS;
    let current = this.#current;
    if (current?.group.first !== number * GROUP_CHUNKS) current = await this.#load(number);
    const { group, slot } = current;
    assertGood(slot.states[lane], index);
    const from = lane * this.chunkSize;
    return slot.data.subarray(from, from + (group.lengths[lane] ?? 0) - TAG_BYTES);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading;
    await this.#groups.close();
    this.#current = undefined;
  }

  async #load(number: number): Promise<DoneGroup> {
    this.#current = undefined;
    const loading = this.#groups.get(number);
    this.#reading = loading.catch(() => {});
    this.#current = await loading;
    return this.#current;
  }
}

/**
 * SPEC §8.3 by workers.
 * @throws GatewayError `bundle.chunk-digest`, `bundle.truncated`, `service.worker-ended`.
 */
export async function verifyByWorkers(work: GroupWork): Promise<void> {
  const groups = new ReadAhead(work);
  try {
    for (let number = 0; number < groupCount(work.layout); number += 1) {
      const { group, slot } = await groups.get(number);
      for (const [lane] of group.lengths.entries()) {
        assertGood(slot.states[lane], group.first + lane);
      }
    }
  } finally {
    await groups.close();
  }
}
