/** Guarantee: ferry/vectors/tags.json with its types, and the bytes that it describes by a rule. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FrameHeader } from "../src/frame.ts";

/** Of an object: bytes of it, of its head, and of each chunk but the last. */
interface Sizes {
  readonly size: number;
  readonly headSize: number;
  readonly chunkBytes: number;
}

export interface TagVector {
  readonly name: string;
  readonly secret: string;
  readonly objectId: number;
  readonly set: number;
  readonly chunk: number;
  readonly bytes: number;
  readonly start: number;
  readonly data?: string;
  readonly tag: string;
}

export interface TagsFrameVector extends Sizes {
  readonly name: string;
  readonly chunks: number;
  readonly fields: FrameHeader;
  readonly set: number;
  readonly count: number;
  readonly tags?: readonly string[];
  readonly frame?: string;
  readonly sha256?: string;
}

export interface EncryptionKey {
  readonly scalar: string;
  readonly publicKey: string;
}

interface Vectors {
  readonly secrets: Readonly<Record<string, string>>;
  /** By key id: those of the node that is told. */
  readonly encryptionKeys: Readonly<Record<string, EncryptionKey>>;
  readonly linkKeys: readonly {
    readonly name: string;
    readonly keyId: string;
    readonly secret: string;
    readonly plaintext: string;
    readonly wrapped: string;
    readonly message: string;
    readonly heartbeat: string;
  }[];
  readonly linkKeysRefused: readonly {
    readonly reason: string;
    readonly name: string;
    readonly keyId: string;
    readonly wrapped: string;
    /** What SM2 gives; absent where that fails, or there is no such key. */
    readonly plaintext?: string;
  }[];
  readonly keys: readonly {
    readonly secret: string;
    readonly objectId: number;
    readonly key: string;
  }[];
  readonly nonces: readonly {
    readonly set: number;
    readonly chunk: number;
    readonly nonce: string;
  }[];
  readonly tags: readonly TagVector[];
  readonly tagged: readonly (Sizes & { readonly tagged: boolean })[];
  readonly frames: readonly TagsFrameVector[];
  readonly refusedFrames: readonly {
    readonly reason: string;
    readonly name: string;
    readonly datagram: string;
  }[];
  readonly refusedPayloads: readonly {
    readonly name: string;
    readonly payload: string;
    readonly first: number;
    readonly chunks: number;
  }[];
}

const place = (name: string) => fileURLToPath(new URL(`../vectors/${name}`, import.meta.url));
export const TAGS_ORACLE = place("tags.py");
export const tagVectors = JSON.parse(readFileSync(place("tags.json"), "utf8")) as Vectors;

/** Bytes of a chunk, by the formula in the file. */
export function chunkContent(length: number, start: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let n = 0; n < length; n += 1) bytes[n] = 31 * n + 17 * (n >> 8) + start;
  return bytes;
}

/** The payload of a frame of the file, listed or by the formula. */
export function payloadOf({ set, count, tags }: TagsFrameVector): Buffer {
  const begin = Buffer.alloc(8);
  begin.writeBigUInt64BE(BigInt(set));
  if (tags !== undefined) return Buffer.concat([begin, Buffer.from(tags.join(""), "hex")]);
  const made = Buffer.alloc(16 * count);
  for (let n = 0; n < made.length; n += 1) made[n] = 7 * n + made.length;
  return Buffer.concat([begin, made]);
}
