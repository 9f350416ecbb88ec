/**
 * Guarantee: the groups of one object, read from its file straight into the memory in which they
 * are encoded and from which they are sent, and its signed manifest. Nothing is hashed here.
 * What is tagged is what lies in that memory, and so what is sent.
 */
import { lightferry } from "@lightferry/proto/gen";
import type { ErasureGroup } from "../erasure/index.ts";
import { splitManifest } from "../manifest-parts.ts";
import { epochOf, type Geometry, MANIFEST_VERSION } from "../object.ts";
import { type LinkSigner, MANIFEST_LABEL, signMessage } from "../signed.ts";
import type { BundleFile } from "./bundle-file.ts";
import type { Proof } from "./check.ts";
import { BlockTurns, type Encoding } from "./encoding.ts";
import type { Groups } from "./memory.ts";
import type { Tagger } from "./tagger.ts";

const { ObjectManifest } = lightferry.ferry.v1;

/** Everything a manifest says of an object. */
export interface ObjectFacts {
  readonly objectId: number;
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly sender: string;
  readonly lane: string;
  readonly geometry: Geometry;
  readonly proof: Proof;
}

/** Bytes of one read: enough that its cost is that of copying. */
const READ_BYTES = 1 << 20;
/** Pieces of one read (IOV_MAX of Linux). */
const READ_PIECES = 1024;

export class ObjectSource {
  readonly facts: ObjectFacts;
  readonly #file: BundleFile;
  readonly #encoding: Encoding;
  readonly #turns: BlockTurns;
  #manifest: readonly Uint8Array[] | undefined;

  /** @param turns of all objects of the lane; those of this one alone when absent */
  constructor(facts: ObjectFacts, file: BundleFile, encoding: Encoding, turns = new BlockTurns()) {
    this.facts = facts;
    this.#file = file;
    this.#encoding = encoding;
    this.#turns = turns;
  }

  /**
   * Payloads of the MANIFEST frames, signed once: each link that has a part of the pass says the same.
   * @throws GatewayError `certificate.unknown` without a key in force
   */
  manifest(signer: LinkSigner, frameSize: number): readonly Uint8Array[] {
    this.#manifest ??= this.#signed(signer, frameSize);
    return this.#manifest;
  }

  #signed(signer: LinkSigner, frameSize: number): readonly Uint8Array[] {
    const { geometry, proof, objectId, ...facts } = this.facts;
    const signed = signMessage(signer, MANIFEST_LABEL, ObjectManifest, {
      version: MANIFEST_VERSION,
      ...facts,
      ...proof,
      ...geometry.code,
      epoch: epochOf(objectId),
      objectId,
      size: geometry.size,
      shardSize: geometry.shardSize,
    });
    return splitManifest(signer.provider, signed, frameSize);
  }

  /**
   * Reads the groups from number `first` on and makes their parity; the next are read meanwhile.
   * No read is under way any more when it settles.
   * @param tagger is shown every group in its order
   * @throws GatewayError `ferry.file-invalid` when the file ends before
   */
  async fill(groups: Groups, first: number, serviceClass: number, tagger?: Tagger): Promise<void> {
    const { geometry } = this.facts;
    const { groupShards } = geometry.code;
    const together = Math.max(
      1,
      Math.min(Math.floor(READ_BYTES / geometry.groupBytes), Math.floor(READ_PIECES / groupShards)),
    );
    // What waits for its turn has its first groups by then.
    let reading = this.#begin(groups.slice(0, together), first);
    try {
      await this.#turns.run(groups.length, serviceClass, async () => {
        for (let at = 0; at < groups.length; at += together) {
          await reading;
          const next = at + together;
          reading = this.#begin(groups.slice(next, next + together), first + next);
          for (const [index, group] of groups.slice(at, next).entries()) {
            if (tagger !== undefined) this.#show(tagger, group, first + at + index);
            if (group.m > 0) await this.#encoding.encode(group, serviceClass);
          }
        }
      });
    } finally {
      await reading;
    }
  }

  /** Without the zeros with which its last shard was filled up. */
  #show(tagger: Tagger, group: ErasureGroup, number: number): void {
    const { geometry } = this.facts;
    let at = number * geometry.groupBytes;
    const end = at + geometry.groupLength(number);
    for (const bytes of group.data()) {
      tagger.take(at, bytes.subarray(0, end - at));
      at = Math.min(end, at + bytes.length);
    }
  }

  /** That a read failed is met where it is waited for, however much later. */
  #begin(groups: Groups, first: number): Promise<void> {
    const reading = this.#read(groups, first);
    reading.catch(() => undefined);
    return reading;
  }

  async #read(groups: Groups, first: number): Promise<void> {
    if (groups.length === 0) return;
    const { geometry } = this.facts;
    const pieces = new Pieces();
    for (const [index, group] of groups.entries()) {
      if (geometry.groupLength(first + index) === group.k * group.shardBytes) {
        for (const span of group.data()) pieces.add(span, span.length);
        continue;
      }
      for (let shard = 0; shard < group.k; shard += 1) {
        const view = group.shard(shard);
        const length = geometry.shardLength(first + index, shard);
        // Coded as if it were filled up with zeros.
        if (length < view.length) view.fill(0, length);
        pieces.add(view, length);
      }
    }
    await this.#file.fill(pieces.views(), first * geometry.groupBytes);
  }
}

/** Pieces of one memory, those that lie one behind the other as one: each costs a read its time. */
class Pieces {
  readonly #views: Uint8Array[] = [];
  #buffer: ArrayBufferLike | undefined;
  #start = 0;
  #end = 0;

  /** Adds the first `length` bytes of a view. */
  add(view: Uint8Array, length: number): void {
    const { byteOffset } = view;
    if (this.#buffer === undefined || byteOffset !== this.#end) {
      this.#close();
      this.#buffer = view.buffer;
      this.#start = byteOffset;
    }
    this.#end = byteOffset + length;
  }

  views(): Uint8Array[] {
    this.#close();
    return this.#views;
  }

  #close(): void {
    if (this.#buffer === undefined) return;
    this.#views.push(new Uint8Array(this.#buffer, this.#start, this.#end - this.#start));
    this.#buffer = undefined;
  }
}
