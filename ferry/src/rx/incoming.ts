/**
 * Guarantee: an object under way holds only groups whose SM3 matches its signed
 * manifest. Short objects live in memory until they are whole; long ones in a
 * partial file. Everything held in memory is counted in a shared budget.
 */
import type { lightferry } from "@lightferry/proto/gen";
import type { SmProvider } from "@lightferry/proto/sm";
import { Geometry, SEGMENT_GROUPS } from "../object.ts";
import { PartialFile } from "./partial.ts";

type ObjectManifest = lightferry.ferry.v1.ObjectManifest;

/** Objects up to this size are kept in memory and written once, whole: two syncs in all. */
export const SMALL_OBJECT_BYTES = 1 << 20;

/** Buffers kept for the next groups: fresh ones would cost more than filling them. */
const SPARE_BUFFERS = 16;
/** Smaller buffers cost little. */
const SPARE_MIN_BYTES = 1 << 15;

/** Bytes held for all objects together. */
export class Budget {
  used = 0;
  readonly #spare: Buffer[] = [];

  take(length: number): Buffer {
    this.used += length;
    // Long objects of one link have groups of one length; any other is made afresh.
    const last = this.#spare.at(-1);
    if (last?.length !== length) return Buffer.allocUnsafeSlow(length);
    this.#spare.pop();
    return last;
  }

  give(bytes: Buffer, again = true): void {
    this.used -= bytes.length;
    if (!again || bytes.length < SPARE_MIN_BYTES) return;
    if (this.#spare.length > 0 && this.#spare[0]?.length !== bytes.length) this.#spare.length = 0;
    if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(bytes);
  }
}

interface Group {
  readonly bytes: Buffer;
  readonly have: Uint8Array;
  missing: number;
}

/** What became of a shard. */
export type Placed = "kept" | "duplicate" | "group" | "shape" | "digest";

export class Incoming {
  readonly objectId: number;
  readonly bundleId: string;
  readonly headerDigest: Uint8Array;
  readonly geometry: Geometry;
  readonly file: PartialFile | undefined;
  /** Monotonic milliseconds of the last frame that belonged to it. */
  touchedAt = performance.now();
  /** A pass ended while something was missing, and that was said. */
  reported = false;
  finishing = false;
  readonly #provider: SmProvider;
  readonly #budget: Budget;
  readonly #segments: (readonly Uint8Array[] | undefined)[];
  readonly #done: Uint8Array;
  readonly #recheck: Set<number>;
  readonly #groups = new Map<number, Group>();
  readonly #whole = new Map<number, Buffer>();
  #missing: number;

  /** @param left marks of a former run; those groups are hashed again before they count */
  constructor(
    provider: SmProvider,
    budget: Budget,
    directory: string,
    manifest: ObjectManifest,
    left?: Uint8Array,
  ) {
    this.#provider = provider;
    this.#budget = budget;
    this.objectId = manifest.objectId;
    this.bundleId = Buffer.from(manifest.bundleId).toString("hex");
    this.headerDigest = manifest.headerDigest;
    const geometry = new Geometry(manifest.size, manifest.shardSize, manifest.groupShards);
    this.geometry = geometry;
    this.#segments = new Array<readonly Uint8Array[] | undefined>(geometry.segments);
    this.#done = new Uint8Array((geometry.groups + 7) >> 3);
    this.#missing = geometry.groups;
    this.#recheck = new Set();
    if (left !== undefined && left.length === this.#done.length) {
      for (let group = 0; group < geometry.groups; group += 1) {
        if (((left[group >> 3] as number) & (1 << (group & 7))) === 0) continue;
        this.#mark(group);
        this.#recheck.add(group);
      }
    }
    const long = geometry.size > SMALL_OBJECT_BYTES;
    this.file = long
      ? new PartialFile(
          directory,
          this.objectId,
          geometry,
          this.#recheck.size > 0 ? left : undefined,
        )
      : undefined;
  }

  /** Takes a further manifest of the object. False when it tells of another object. */
  addSegment(manifest: ObjectManifest, signed: Uint8Array): boolean {
    const { size, shardSize, groupShards } = this.geometry;
    if (
      manifest.size !== size ||
      manifest.shardSize !== shardSize ||
      manifest.groupShards !== groupShards ||
      Buffer.from(manifest.bundleId).toString("hex") !== this.bundleId ||
      Buffer.compare(manifest.headerDigest, this.headerDigest) !== 0
    ) {
      return false;
    }
    const segment = manifest.firstGroup / SEGMENT_GROUPS;
    if (this.#segments[segment] === undefined) {
      this.#segments[segment] = manifest.groupDigests;
      this.file?.addManifest(signed);
    }
    return true;
  }

  knows(group: number): boolean {
    return this.#segments[Math.floor(group / SEGMENT_GROUPS)] !== undefined;
  }

  get missingGroups(): number {
    return this.#missing;
  }

  /**
   * Takes a shard of a group whose manifest is known.
   * @returns "group" when it completed its group, whose bytes {@link takeGroup} gives
   */
  place(group: number, shard: number, k: number, payload: Uint8Array): Placed {
    const { geometry } = this;
    if (group >= geometry.groups || k !== geometry.shardsOf(group)) return "shape";
    if (payload.length !== geometry.shardLength(group, shard)) return "shape";
    if (this.#has(group)) return "duplicate";
    let held = this.#groups.get(group);
    if (held === undefined) {
      const length = geometry.groupLength(group);
      held = { bytes: this.#budget.take(length), have: new Uint8Array(k), missing: k };
      this.#groups.set(group, held);
    }
    if (held.have[shard] === 1) return "duplicate";
    held.bytes.set(payload, shard * geometry.shardSize);
    held.have[shard] = 1;
    held.missing -= 1;
    if (held.missing > 0) return "kept";
    this.#groups.delete(group);
    if (!this.#matches(group, held.bytes)) {
      this.#budget.give(held.bytes);
      return "digest";
    }
    this.#whole.set(group, held.bytes);
    this.#mark(group);
    return "group";
  }

  /** A long object's group just completed; the caller writes it, then calls {@link wrote}. */
  takeGroup(group: number): Uint8Array {
    return this.#whole.get(group) as Uint8Array;
  }

  /** The group is in the file, or (not `kept`) could not be written and must come again. */
  wrote(group: number, kept: boolean): void {
    const bytes = this.#whole.get(group);
    this.#whole.delete(group);
    if (bytes !== undefined) this.#budget.give(bytes);
    if (!kept) this.#unmark(group);
  }

  /** All groups of a short object, in order. */
  pieces(): Uint8Array[] {
    return Array.from({ length: this.geometry.groups }, (_, group) => this.takeGroup(group));
  }

  /** Hashes again what a former run had kept. @returns groups that must come again */
  async recheck(): Promise<number> {
    const { file } = this;
    let bad = 0;
    if (file === undefined) return bad;
    for (const group of this.#recheck) {
      // Of a group whose manifest has not come again nothing can be said: it must come too.
      if (this.knows(group) && this.#matches(group, await file.read(group))) continue;
      this.#unmark(group);
      bad += 1;
    }
    this.#recheck.clear();
    return bad;
  }

  /** Forgets unfinished groups. @returns how many */
  dropUnfinished(): number {
    const count = this.#groups.size;
    for (const { bytes } of this.#groups.values()) this.#budget.give(bytes);
    this.#groups.clear();
    return count;
  }

  /** Forgets everything held in memory. */
  release(): void {
    this.dropUnfinished();
    // A write of one of them may be under way: they are not used again.
    for (const bytes of this.#whole.values()) this.#budget.give(bytes, false);
    this.#whole.clear();
  }

  get unfinishedGroups(): number {
    return this.#groups.size;
  }

  #matches(group: number, bytes: Uint8Array): boolean {
    const digests = this.#segments[Math.floor(group / SEGMENT_GROUPS)];
    const digest = digests?.[group % SEGMENT_GROUPS];
    return digest !== undefined && Buffer.compare(this.#provider.sm3(bytes), digest) === 0;
  }

  #has(group: number): boolean {
    return ((this.#done[group >> 3] as number) & (1 << (group & 7))) !== 0;
  }

  #mark(group: number): void {
    this.#done[group >> 3] = (this.#done[group >> 3] as number) | (1 << (group & 7));
    this.#missing -= 1;
  }

  #unmark(group: number): void {
    this.#done[group >> 3] = (this.#done[group >> 3] as number) & ~(1 << (group & 7));
    this.#missing += 1;
  }
}
