/**
 * Guarantee: one pass over one object, or over those of its groups that go by one link
 * (SPEC.md §4.1, §11.2): every shard once, block by block; the manifest before the first, again after
 * every 1,024 and after the last; tags of a block, if it has any, before its first shard and behind each
 * copy of the manifest until its last (§13.5). While one block is sent the next is read, tagged and
 * encoded; never more than these two are held.
 *
 * States: preparing ⇄ ready (a manifest or a block to write from) → over or stopped.
 */
import { emptyHeader, FLAG_PASS_END, FLAG_REPEAT, FRAME_TYPE, type FrameHeader } from "../frame.ts";
import type { LinkSigner } from "../signed.ts";
import { Block } from "./block.ts";
import type { BurstWriter } from "./burst.ts";
import { type ShardMemory, shardsOf } from "./memory.ts";
import type { Ready } from "./order.ts";
import type { ObjectSource } from "./source.ts";
import type { TagFrame, TaggerOf } from "./tagger.ts";

/** Shards between two copies of the manifest: what the receiver keeps for want of one is five times as much. */
export const MANIFEST_EVERY = 1024;
/** One is sent, one prepared. */
const BLOCKS_HELD = 2;

/** Consecutive groups of an object. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** What all passes of a lane on a link share. */
export interface PassContext {
  readonly epoch: number;
  readonly frameSize: number;
  readonly signer: LinkSigner;
  readonly memory: ShardMemory;
  /** Called whenever frames became ready. */
  readonly wake: () => void;
  /** On the wire; 0 when absent. */
  readonly lane?: number;
  /** undefined: no object has tags. */
  readonly taggerOf?: TaggerOf | undefined;
}

/** What of an object goes by one link. */
export interface PassPart {
  /** Groups to send, ascending. */
  readonly runs: readonly Run[];
  /** How many parts of the pass are not over, this one among them: the last one says so to the far side. */
  readonly open: { parts: number };
}

export interface PassKind {
  readonly channel: number;
  /** Class of the order. */
  readonly serviceClass: number;
  readonly repeat: boolean;
}

export class Pass implements Ready {
  readonly kind: PassKind;
  /** On the wire. */
  readonly lane: number;
  readonly #runs: readonly Run[];
  readonly #open: PassPart["open"];
  readonly #source: ObjectSource;
  readonly #context: PassContext;
  readonly #header: FrameHeader = emptyHeader();
  readonly #flags: number;
  /** In order; frames come from the first. */
  readonly #blocks: Block[] = [];
  #manifest: readonly Uint8Array[] = [];
  /** Next part of the manifest, or all of them when a copy is over. */
  #part = 0;
  /** Next frame of tags of the present block, likewise. */
  #tag = 0;
  #sinceManifest = 0;
  /** Shards not yet written. */
  #left: number;
  #bytes = 0;
  #over = false;
  #stopped: { readonly reason: unknown } | undefined;
  #notify: () => void = () => undefined;

  /** @param part all of the object when absent */
  constructor(source: ObjectSource, kind: PassKind, context: PassContext, part?: PassPart) {
    this.#source = source;
    this.kind = kind;
    this.lane = context.lane ?? 0;
    this.#context = context;
    this.#flags = kind.repeat ? FLAG_REPEAT : 0;
    this.#header.epoch = context.epoch;
    this.#header.channel = kind.channel;
    this.#header.lane = this.lane;
    this.#header.objectId = source.facts.objectId;
    const { geometry } = source.facts;
    this.#header.objectSize = geometry.size;
    this.#runs = part?.runs ?? [{ first: 0, count: geometry.groups }];
    this.#open = part?.open ?? { parts: 1 };
    this.#left = this.#runs.reduce((sum, run) => sum + shardsOf(geometry, run.first, run.count), 0);
  }

  /** Bytes of frames written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#header.objectSize;
  }

  get bundleId(): Uint8Array {
    return this.#source.facts.bundleId;
  }

  get ready(): boolean {
    return this.#blocks.length > 0 || (this.#left === 0 && !this.#over);
  }

  /** Resolves when the last frame was written; then nothing is held. @throws what stopped it */
  async run(): Promise<void> {
    const { memory, signer, frameSize, wake } = this.#context;
    const { facts } = this.#source;
    const { geometry } = facts;
    const { serviceClass } = this.kind;
    const tagger = this.#context.taggerOf?.(facts, frameSize);
    try {
      this.#manifest = this.#source.manifest(signer, frameSize);
      for (const { first, count } of blocksOf(this.#runs, geometry.blockGroups)) {
        await this.#until(() => this.#blocks.length < BLOCKS_HELD);
        const groups = await memory.take(geometry, first, count, serviceClass);
        try {
          this.#assertGoing();
          await this.#source.fill(groups, first, serviceClass, tagger);
        } catch (error) {
          memory.giveBack(groups, serviceClass);
          throw error;
        }
        this.#blocks.push(new Block(geometry, first, groups, tagger?.block()));
        wake();
      }
      await this.#until(() => this.#over);
    } finally {
      this.#drop();
    }
  }

  /** Gives the pass up, and its blocks at once: others may wait for them to stop in their turn. `run` throws. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#drop();
    this.#notify();
  }

  #drop(): void {
    this.#over = true;
    const { memory } = this.#context;
    for (const { groups } of this.#blocks.splice(0)) {
      memory.giveBack(groups, this.kind.serviceClass);
    }
  }

  /** Writes the next frame; only when ready. */
  write(burst: BurstWriter): void {
    const before = burst.bytes;
    const tags = this.#blocks[0]?.tags[this.#tag];
    if (this.#part < this.#manifest.length) this.#writeManifest(burst);
    else if (tags !== undefined) this.#writeTags(burst, tags);
    else this.#writeShard(burst);
    this.#bytes += burst.bytes - before;
  }

  #writeShard(burst: BurstWriter): void {
    const block = this.#blocks[0] as Block;
    this.#header.flags = this.#flags;
    block.write(burst, this.#header);
    this.#left -= 1;
    this.#sinceManifest += 1;
    if (this.#left === 0 || this.#sinceManifest === MANIFEST_EVERY) {
      this.#part = 0;
      this.#tag = 0;
    }
    if (!block.over) return;
    this.#blocks.shift();
    this.#tag = 0;
    this.#context.memory.giveBack(block.groups, this.kind.serviceClass);
    this.#notify();
  }

  #writeManifest(burst: BurstWriter): void {
    const header = this.#header;
    const parts = this.#manifest.length;
    const part = this.#part;
    this.#part += 1;
    this.#sinceManifest = 0;
    const last = this.#left === 0 && this.#part === parts;
    if (last) this.#open.parts -= 1;
    const end = last && this.#open.parts === 0;
    header.type = FRAME_TYPE.MANIFEST;
    header.group = 0;
    header.shard = part;
    header.k = parts;
    header.m = 0;
    header.flags = this.#flags | (end ? FLAG_PASS_END : 0);
    burst.add(header, this.#manifest[part] as Uint8Array);
    if (!last) return;
    this.#over = true;
    this.#notify();
  }

  #writeTags(burst: BurstWriter, { first, payload }: TagFrame): void {
    const header = this.#header;
    this.#tag += 1;
    header.type = FRAME_TYPE.TAGS;
    header.group = first;
    header.shard = 0;
    header.k = 1;
    header.m = 0;
    header.flags = this.#flags;
    burst.add(header, payload);
  }

  /** @throws the reason when the pass was stopped */
  async #until(condition: () => boolean): Promise<void> {
    while (this.#stopped === undefined && !condition()) {
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
    this.#assertGoing();
  }

  #assertGoing(): void {
    if (this.#stopped !== undefined) throw this.#stopped.reason;
  }
}

/** The runs cut into blocks. */
function* blocksOf(runs: readonly Run[], most: number): Generator<Run> {
  for (const { first, count } of runs) {
    for (let at = 0; at < count; at += most) {
      yield { first: first + at, count: Math.min(most, count - at) };
    }
  }
}
