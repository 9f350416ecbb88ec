/**
 * Guarantee: the groups of one file in order, and signed manifests for them;
 * the file is read in pieces of one group, so memory does not grow with it.
 */
import { type FileHandle, open } from "node:fs/promises";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { splitManifest } from "../manifest-parts.ts";
import { epochOf, type Geometry, MANIFEST_VERSION, SEGMENT_GROUPS } from "../object.ts";
import { type LinkSigner, MANIFEST_LABEL, signMessage } from "../signed.ts";

const { ObjectManifest } = lightferry.ferry.v1;

/** Everything a manifest says of an object besides its groups. */
export interface ObjectFacts {
  readonly objectId: number;
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly sender: string;
  readonly lane: string;
  readonly geometry: Geometry;
}

export interface Segment {
  readonly firstGroup: number;
  readonly groups: number;
  /** Payloads of the MANIFEST frames. */
  readonly parts: readonly Uint8Array[];
}

/** A whole object of at most this size is read once and kept until its pass is over. */
const KEEP_BYTES = 1 << 20;

/** Groups on their way at once; a little more than a pass reads ahead. */
const SPARE_BUFFERS = 6;

export class ObjectSource {
  readonly facts: ObjectFacts;
  readonly #file: FileHandle;
  readonly #signer: LinkSigner;
  readonly #frameSize: number;
  #whole: Uint8Array | undefined;
  /** Buffers of one group, used again: fresh ones would cost more than reading. */
  readonly #spare: Buffer[] = [];
  #scratch: Buffer | undefined;

  private constructor(facts: ObjectFacts, file: FileHandle, signer: LinkSigner, frameSize: number) {
    this.facts = facts;
    this.#file = file;
    this.#signer = signer;
    this.#frameSize = frameSize;
  }

  /** @throws GatewayError `ferry.file-invalid` when the file is missing or of another size */
  static async open(
    facts: ObjectFacts,
    path: string,
    signer: LinkSigner,
    frameSize: number,
  ): Promise<ObjectSource> {
    let file: FileHandle;
    try {
      file = await open(path, "r");
    } catch (cause) {
      throw new GatewayError("ferry.file-invalid", { detail: "cannot be opened", cause });
    }
    const source = new ObjectSource(facts, file, signer, frameSize);
    const { size } = await file.stat();
    if (size !== facts.geometry.size) {
      await file.close();
      throw new GatewayError("ferry.file-invalid", {
        detail: `${size} of ${facts.geometry.size} bytes`,
      });
    }
    return source;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** The bytes of a group; the caller's until it gives them back. */
  async group(group: number): Promise<Uint8Array> {
    return await this.#group(group, () => this.#spare.pop() ?? this.#buffer());
  }

  /** The bytes of a group are not needed any more. */
  giveBack(bytes: Uint8Array): void {
    if (this.#whole === undefined && this.#spare.length < SPARE_BUFFERS) {
      this.#spare.push(Buffer.from(bytes.buffer, 0, this.facts.geometry.groupBytes));
    }
  }

  #buffer(): Buffer {
    return Buffer.allocUnsafeSlow(this.facts.geometry.groupBytes);
  }

  async #group(group: number, buffer: () => Buffer): Promise<Uint8Array> {
    const { geometry } = this.facts;
    const start = group * geometry.groupBytes;
    const length = geometry.groupLength(group);
    if (geometry.size > KEEP_BYTES) return await this.#read(start, buffer().subarray(0, length));
    this.#whole ??= await this.#read(0, Buffer.allocUnsafeSlow(geometry.size));
    return this.#whole.subarray(start, start + length);
  }

  /** Hashes the groups of a segment and signs their manifest. */
  async segment(segment: number): Promise<Segment> {
    const { geometry, objectId, ...facts } = this.facts;
    const firstGroup = segment * SEGMENT_GROUPS;
    const groups = geometry.segmentGroups(segment);
    const groupDigests: Uint8Array[] = [];
    // One segment is hashed at a time, so one buffer serves all of them.
    const scratch = () => (this.#scratch ??= this.#buffer());
    for (let index = 0; index < groups; index += 1) {
      const bytes = await this.#group(firstGroup + index, scratch);
      groupDigests.push(this.#signer.provider.sm3(bytes));
    }
    const signed = signMessage(this.#signer, MANIFEST_LABEL, ObjectManifest, {
      version: MANIFEST_VERSION,
      ...facts,
      epoch: epochOf(objectId),
      objectId,
      size: geometry.size,
      shardSize: geometry.shardSize,
      groupShards: geometry.groupShards,
      groupDigests,
      firstGroup,
    });
    const parts = splitManifest(this.#signer.provider, signed, this.#frameSize);
    return { firstGroup, groups, parts };
  }

  async #read(start: number, bytes: Buffer): Promise<Buffer> {
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await this.#file.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) throw new GatewayError("ferry.file-invalid", { detail: "cut short" });
      at += bytesRead;
    }
    return bytes;
  }
}
