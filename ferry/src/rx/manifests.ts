/**
 * Guarantee: a manifest comes out only when the expected sender signed it and
 * its numbers fit together (SPEC.md §3.3); every other one is counted by its
 * reason, and wrong signatures cost a bounded part of a second.
 */
import { lightferry } from "@lightferry/proto/gen";
import type { FrameHeader } from "../frame.ts";
import { ManifestCollector, SET_ID_BYTES } from "../manifest-parts.ts";
import { manifestFault } from "../object.ts";
import { type LinkVerifier, MANIFEST_LABEL, verifyMessage } from "../signed.ts";

const { ObjectManifest } = lightferry.ferry.v1;

/** Signatures that failed in one second, after which new ones wait for the next: 0.1 s of work. */
const MAX_BAD_SIGNATURES = 200;

/** A believed manifest. */
export interface Announcement {
  readonly manifest: lightferry.ferry.v1.ObjectManifest;
  /** The signed message; its own memory. */
  readonly signed: Uint8Array;
  /** What its parts begin with. */
  readonly setId: Uint8Array;
}

export class Manifests {
  readonly #verifier: LinkVerifier;
  readonly #lane: string;
  readonly #count: (reason: string, by?: number) => void;
  readonly #collector = new ManifestCollector();
  #dropped = 0;
  #badSignatures = 0;

  constructor(verifier: LinkVerifier, lane: string, count: (reason: string, by?: number) => void) {
    this.#verifier = verifier;
    this.#lane = lane;
    this.#count = count;
  }

  /** Once a second. */
  tick(): void {
    this.#badSignatures = 0;
  }

  /** Takes one part. @returns the manifest when this was its last and it is believed */
  take({ objectId, shard, k }: FrameHeader, payload: Uint8Array): Announcement | undefined {
    const signed = this.#collector.add(objectId, shard, k, payload);
    const { dropped } = this.#collector;
    if (dropped !== this.#dropped) this.#count("manifest-dropped", dropped - this.#dropped);
    this.#dropped = dropped;
    if (signed === undefined) return undefined;
    if (typeof signed !== "string") return this.verify(objectId, signed);
    this.#count(`manifest-${signed}`);
    return undefined;
  }

  /** Verifies a signed manifest, which came or was kept on disk. */
  verify(objectId: number, bytes: Uint8Array): Announcement | undefined {
    const { provider, sender } = this.#verifier;
    if (this.#badSignatures >= MAX_BAD_SIGNATURES) {
      this.#count("manifest-flood");
      return undefined;
    }
    const manifest = verifyMessage(this.#verifier, MANIFEST_LABEL, ObjectManifest, bytes);
    if (typeof manifest === "string") {
      // Only what was verified has cost something.
      if (manifest === "signature") this.#badSignatures += 1;
      this.#count(`manifest-${manifest}`);
      return undefined;
    }
    const fault =
      manifestFault(manifest, { sender, lane: this.#lane }) ??
      (manifest.objectId === objectId ? undefined : "object");
    if (fault !== undefined) {
      this.#count(`manifest-${fault}`);
      return undefined;
    }
    const signed = Uint8Array.from(bytes);
    return { manifest, signed, setId: provider.sm3(signed).subarray(0, SET_ID_BYTES) };
  }
}

type Manifest = lightferry.ferry.v1.ObjectManifest;

/** Whether two manifests tell of the same object in the same way, whoever signed them when. */
export function sameObject(one: Manifest, other: Manifest): boolean {
  return (
    one.size === other.size &&
    one.shardSize === other.shardSize &&
    one.groupShards === other.groupShards &&
    one.parityShards === other.parityShards &&
    one.headSize === other.headSize &&
    one.chunkBytes === other.chunkBytes &&
    Buffer.compare(one.bundleId, other.bundleId) === 0 &&
    Buffer.compare(one.headerDigest, other.headerDigest) === 0 &&
    Buffer.compare(one.headDigest, other.headDigest) === 0
  );
}
