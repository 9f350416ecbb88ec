/**
 * Guarantee: frames of protocol version 2 as SPEC.md says, made from an object in memory without
 * any code of the sending half, and a receiving half without a gate that takes them.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import { ErasureCoder } from "../src/erasure/index.ts";
import {
  decodeFrame,
  emptyHeader,
  FLAG_PASS_END,
  FLAG_REPEAT,
  FRAME_HEADER,
  FRAME_TYPE,
} from "../src/frame.ts";
import { splitManifest } from "../src/manifest-parts.ts";
import {
  type Code,
  DEFAULT_CODE,
  DIGEST_BYTES,
  epochOf,
  Geometry,
  MANIFEST_VERSION,
  objectIdOf,
} from "../src/object.ts";
import type { DoneLog } from "../src/rx/done.ts";
import type { Incoming } from "../src/rx/incoming.ts";
import { Reassembler } from "../src/rx/reassemble.ts";
import { Rejections } from "../src/rx/rejections.ts";
import { payloadOf } from "../src/rx/shard.ts";
import type { SecretOf } from "../src/rx/tags.ts";
import { type LinkSigner, MANIFEST_LABEL, signMessage } from "../src/signed.ts";
import { frame } from "./datagrams.ts";
import { directory, FROM, keys, LANE, linkOf, provider, quiet } from "./world.ts";

const { ObjectManifest } = lightferry.ferry.v1;
const { Header } = lightferry.bundle.v1;

/** Shards of an object between two copies of its manifest. */
const MANIFEST_EVERY = 1_024;
const PREFIX_BYTES = 8;
const SIGNATURE_BYTES = 64;
const TAG_BYTES = 16;

/** An object and how it is known to be right. */
export interface Body {
  readonly bytes: Buffer;
  readonly headSize: number;
  readonly chunkBytes: number;
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
}

/** Bytes that repeat after a prime number, so that no two places look alike by chance. */
function pattern(length: number, seed: number): Buffer {
  const unit = Buffer.alloc(65_521);
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let at = 0; at < unit.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    unit[at] = state;
  }
  return Buffer.alloc(length, unit);
}

/** An object that is no bundle, but has a head whose end is the table of its chunks. */
export function madeUp(chunkLengths: readonly number[], headExtra = 100, seed = 1): Body {
  const headSize = headExtra + DIGEST_BYTES * chunkLengths.length;
  const size = chunkLengths.reduce((sum, length) => sum + length, headSize);
  const bytes = pattern(size, seed);
  let at = headSize;
  for (const [index, length] of chunkLengths.entries()) {
    const digest = provider.sm3(Uint8Array.of(0), bytes.subarray(at, at + length));
    bytes.set(digest, headExtra + index * DIGEST_BYTES);
    at += length;
  }
  const bundleId = provider.sm3(Buffer.from(`bundle ${seed} ${size}`)).subarray(0, 16);
  const chunkBytes = Math.max(...chunkLengths, 4_112);
  return { bytes, headSize, chunkBytes, bundleId, headerDigest: provider.sm3(bundleId) };
}

/** A sealed bundle. */
export function sealedBody(path: string): Body {
  const bytes = readFileSync(path);
  const header = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + bytes.readUInt32BE(4));
  const { bundleId, chunkSize, chunkCount } = Header.decode(header);
  const headSize = PREFIX_BYTES + header.length + SIGNATURE_BYTES + DIGEST_BYTES * chunkCount;
  const chunkBytes = chunkSize + TAG_BYTES;
  return { bytes, headSize, chunkBytes, bundleId, headerDigest: provider.sm3(header) };
}

export interface LineOptions {
  readonly objectId?: number;
  readonly frameSize?: number;
  readonly code?: Code;
  readonly signer?: LinkSigner;
}

/** One object as its sender puts it on the line. */
export class Line {
  readonly objectId: number;
  readonly geometry: Geometry;
  readonly facts: lightferry.ferry.v1.ObjectManifest.$Properties;
  readonly #body: Body;
  readonly #frameSize: number;
  readonly #signer: LinkSigner;
  readonly #coder: ErasureCoder;
  #seq = 0;

  constructor(body: Body, options: LineOptions = {}) {
    const { objectId = objectIdOf(1, 1), frameSize = 1456, code = DEFAULT_CODE } = options;
    this.#body = body;
    this.#frameSize = frameSize;
    this.#signer = options.signer ?? linkOf(keys.ferry);
    this.objectId = objectId;
    const shardSize = frameSize - FRAME_HEADER;
    this.geometry = new Geometry(body.bytes.length, shardSize, code);
    this.#coder = ErasureCoder.open({
      shards: this.geometry.blockGroups * (code.groupShards + code.parityShards + 2),
      shardBytes: shardSize,
    });
    this.facts = {
      ...{
        version: MANIFEST_VERSION,
        sender: FROM,
        lane: LANE,
        epoch: epochOf(objectId),
        objectId,
      },
      ...{ bundleId: body.bundleId, headerDigest: body.headerDigest, size: body.bytes.length },
      ...{ shardSize, groupShards: code.groupShards, parityShards: code.parityShards },
      ...{
        headSize: body.headSize,
        headDigest: provider.sm3(body.bytes.subarray(0, body.headSize)),
      },
      chunkBytes: body.chunkBytes,
    };
  }

  signed(change: lightferry.ferry.v1.ObjectManifest.$Properties = {}): Uint8Array {
    return signMessage(this.#signer, MANIFEST_LABEL, ObjectManifest, { ...this.facts, ...change });
  }

  manifest(signed: Uint8Array = this.signed(), flags = 0): Uint8Array[] {
    const parts = splitManifest(provider, signed, this.#frameSize);
    const type = FRAME_TYPE.MANIFEST;
    return parts.map((part, shard) => this.#frame({ type, shard, k: parts.length, flags }, part));
  }

  /** All frames of a pass, block by block, interleaved. */
  *blocks(repeat = false): Generator<Uint8Array[]> {
    const flags = repeat ? FLAG_REPEAT : 0;
    const { geometry } = this;
    const signed = this.signed();
    let sent = 0;
    for (let first = 0; first < geometry.groups; first += geometry.blockGroups) {
      const out: Uint8Array[] = [];
      const coded = this.#encoded(first, Math.min(geometry.groups, first + geometry.blockGroups));
      const longest = Math.max(...coded.map(({ length }) => length));
      for (let shard = 0; shard < longest; shard += 1) {
        for (const [index, payloads] of coded.entries()) {
          const payload = payloads[shard];
          if (payload === undefined) continue;
          if (sent % MANIFEST_EVERY === 0) out.push(...this.manifest(signed, flags));
          out.push(this.shard(first + index, shard, payload, flags));
          sent += 1;
        }
      }
      if (first + geometry.blockGroups >= geometry.groups) {
        out.push(...this.manifest(signed, flags | FLAG_PASS_END));
      }
      yield out;
    }
  }

  pass(repeat = false): Uint8Array[] {
    return [...this.blocks(repeat)].flat();
  }

  /** A frame of tags of consecutive chunks. */
  tags(first: number, payload: Uint8Array, epoch = epochOf(this.objectId)): Uint8Array {
    return this.#frame({ type: FRAME_TYPE.TAGS, group: first, k: 1 }, payload, epoch);
  }

  /** A frame of one shard. */
  shard(group: number, shard: number, payload: Uint8Array, flags = 0): Uint8Array {
    const k = this.geometry.dataShards(group);
    const m = this.geometry.parityShards(group);
    const type = shard < k ? FRAME_TYPE.DATA : FRAME_TYPE.PARITY;
    return this.#frame({ type, group, shard, k, m, flags }, payload);
  }

  #frame(
    fields: Parameters<typeof frame>[0],
    payload: Uint8Array,
    epoch = epochOf(this.objectId),
  ): Uint8Array {
    const { objectId, geometry } = this;
    const seq = this.#seq;
    this.#seq += 1;
    const objectSize = geometry.size;
    return frame({ ...fields, objectId, epoch, seq, objectSize }, payload);
  }

  /** Payloads of all shards of some groups. */
  #encoded(first: number, end: number): Uint8Array[][] {
    const { geometry } = this;
    const out: Uint8Array[][] = [];
    for (let group = first; group < end; group += 1) {
      const k = geometry.dataShards(group);
      const m = geometry.parityShards(group);
      const place = this.#coder.allocate(k, m, geometry.codedLength(group));
      if (place === undefined) throw new Error("no room");
      const data = Array.from({ length: k }, (_, shard) => {
        const at = group * geometry.groupBytes + shard * geometry.shardSize;
        const bytes = this.#body.bytes.subarray(at, at + geometry.shardLength(group, shard));
        place.write(shard, bytes);
        return bytes;
      });
      place.encode();
      const parity = Array.from({ length: m }, (_, row) => Uint8Array.from(place.shard(k + row)));
      out.push([...data, ...parity]);
      place.free();
    }
    return out;
  }
}

/** The reassembling part of a receiver, in a folder of its own. */
export class Receiving {
  dir: string;
  readonly rejections = new Rejections();
  readonly whole: Incoming[] = [];
  readonly incomplete: Incoming[] = [];
  readonly done = { hasObject: () => false, hasBundle: () => false };
  paused = 0;
  reassembler: Reassembler;
  #wake: (() => void)[] = [];
  readonly #header = emptyHeader();

  readonly #secretOf: SecretOf | undefined;

  /** @param secretOf where tags are believed */
  constructor(dir = mkdtempSync(join(tmpdir(), "lf-rx-")), secretOf?: SecretOf) {
    this.dir = dir;
    this.#secretOf = secretOf;
    this.reassembler = this.#open();
  }

  /** Takes a datagram as the receiver does. */
  readonly take = (bytes: Uint8Array): void => {
    const header = this.#header;
    const fault = decodeFrame(bytes, header);
    if (fault !== undefined) throw new Error(fault);
    const payload = bytes.subarray(FRAME_HEADER);
    if (header.type === FRAME_TYPE.MANIFEST) this.reassembler.manifest(header, payload);
    else if (header.type === FRAME_TYPE.TAGS) this.reassembler.tags(header, payload);
    else this.reassembler.data(header, payloadOf(payload));
  };

  /** Waits until so many objects were whole. */
  async until(count: number): Promise<void> {
    while (this.whole.length < count) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** The bytes of a whole object, which is then over. */
  async bytesOf(object: Incoming): Promise<Buffer> {
    await object.file?.complete();
    const bytes = object.file === undefined ? object.bytes : readFileSync(object.file.path);
    const copy = Buffer.from(bytes);
    this.reassembler.finished(object);
    await object.file?.remove(true);
    return copy;
  }

  /** As after a crash: a new one begins with what is on disk at this moment. */
  async crash(): Promise<void> {
    const former = this.reassembler;
    const before = this.dir;
    this.dir = mkdtempSync(join(tmpdir(), "lf-rx-"));
    cpSync(before, this.dir, { recursive: true });
    this.reassembler = this.#open();
    await former.close();
    rmSync(before, { recursive: true, force: true });
    await this.reassembler.load();
  }

  /** As after an orderly stop. */
  async restart(): Promise<void> {
    await this.reassembler.close();
    this.reassembler = this.#open();
    await this.reassembler.load();
  }

  async close(): Promise<void> {
    await this.reassembler.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #open(): Reassembler {
    return new Reassembler({
      provider,
      verifier: {
        provider,
        sender: FROM,
        ferryKey: (id) => directory.ferryKey(FROM, id),
        refused: () => undefined,
      },
      lane: LANE,
      directory: this.dir,
      done: this.done as unknown as DoneLog,
      rejections: this.rejections,
      secretOf: this.#secretOf,
      log: quiet,
      whole: (object) => {
        this.whole.push(object);
        for (const wake of this.#wake.splice(0)) wake();
      },
      incomplete: (object) => this.incomplete.push(object),
      pause: () => {
        this.paused += 1;
      },
      resume: () => {
        this.paused -= 1;
      },
    });
  }
}
