/**
 * Guarantee: frames become objects only by a manifest signed by the expected
 * sender, whatever else is on the line; objects, bytes and groups held at once
 * are bounded, the oldest give way, and every loss is counted by its reason.
 */

import { lightferry } from "@lightferry/proto/gen";
import type { SmProvider } from "@lightferry/proto/sm";
import type { Log } from "../events.ts";
import { FLAG_PASS_END, FLAG_REPEAT, type FrameHeader } from "../frame.ts";
import { ManifestCollector } from "../manifest-parts.ts";
import { manifestFault } from "../object.ts";
import { type LinkVerifier, MANIFEST_LABEL, verifyMessage } from "../signed.ts";
import type { DoneLog } from "./done.ts";
import { Budget, Incoming } from "./incoming.ts";
import { leftPartials } from "./partial.ts";
import type { Rejections } from "./rejections.ts";
import { Waiting } from "./waiting.ts";

const { ObjectManifest } = lightferry.ferry.v1;

/** Objects under way; a lossy hour leaves some hundred waiting for their second pass. */
const MAX_OBJECTS = 4_096;
/** Unfinished groups, groups being written and short objects together. */
const MAX_HELD_BYTES = 128 << 20;
/** Groups being written to disk before the gate is paused, and when it goes on. */
const PAUSE_WRITING_BYTES = 32 << 20;
const RESUME_WRITING_BYTES = 16 << 20;
/** No frame for so long, and something is missing: said, whether or not a pass ended. */
const STALE_MS = 600_000;
/** Repair horizon: then what is there of an object is removed. */
const FORGET_MS = 7 * 24 * 3_600_000;
/** Signatures that failed in one second, after which new ones wait for the next: 0.1 s of work. */
const MAX_BAD_SIGNATURES = 200;

export interface ReassemblerParts {
  readonly provider: SmProvider;
  readonly verifier: LinkVerifier;
  readonly lane: string;
  readonly directory: string;
  readonly done: DoneLog;
  readonly rejections: Rejections;
  readonly log: Log;
  /** An object has all its groups. */
  readonly whole: (object: Incoming) => void;
  /** Something of an object is missing and no further pass is expected. */
  readonly incomplete: (object: Incoming) => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

export class Reassembler {
  readonly #parts: ReassemblerParts;
  readonly #objects = new Map<number, Incoming>();
  readonly #collector = new ManifestCollector();
  readonly #waiting = new Waiting();
  readonly #budget = new Budget();
  readonly #ended = new Set<number>();
  readonly #writes = new Map<number, number>();
  #now = performance.now();
  #writing = 0;
  #paused = false;
  #badSignatures = 0;
  #collectorDropped = 0;
  /** Frames of objects that are done already. */
  repeats = 0;

  constructor(parts: ReassemblerParts) {
    this.#parts = parts;
  }

  get objects(): number {
    return this.#objects.size;
  }

  get heldBytes(): number {
    return this.#budget.used + this.#waiting.bytes;
  }

  /** Goes on with what a former run had kept; its manifests are verified again. */
  async load(): Promise<void> {
    for (const left of await leftPartials(this.#parts.directory)) {
      for (const signed of left.manifests) this.#signed(left.objectId, signed, left.kept);
      const object = this.#objects.get(left.objectId);
      if (object !== undefined) this.#wholeIfSo(object);
    }
  }

  data(header: FrameHeader, payload: Uint8Array): void {
    const { objectId, group } = header;
    const object = this.#objects.get(objectId);
    if (object === undefined) {
      if (this.#parts.done.hasObject(objectId)) this.repeats += 1;
      else this.#wait(header, payload);
      return;
    }
    object.touchedAt = this.#now;
    if (object.finishing) {
      this.repeats += 1;
    } else if (header.objectSize !== object.geometry.size || group >= object.geometry.groups) {
      this.#parts.rejections.count("shape");
    } else if (object.knows(group)) {
      this.#place(object, group, header.shard, header.k, payload);
    } else {
      this.#wait(header, payload);
    }
  }

  manifest(header: FrameHeader, payload: Uint8Array): void {
    const { objectId, group } = header;
    const object = this.#objects.get(objectId);
    if (object === undefined && this.#parts.done.hasObject(objectId)) {
      this.repeats += 1;
      return;
    }
    if ((header.flags & FLAG_PASS_END) !== 0 && (header.flags & FLAG_REPEAT) !== 0) {
      // What is missing now stays missing; said at the next tick, when late frames have come.
      if (object !== undefined) this.#ended.add(objectId);
    }
    if (object?.knows(group) === true) return;
    const signed = this.#collector.add(objectId, group, header.shard, header.k, payload);
    if (this.#collector.dropped !== this.#collectorDropped) {
      this.#parts.rejections.count(
        "manifest-dropped",
        this.#collector.dropped - this.#collectorDropped,
      );
      this.#collectorDropped = this.#collector.dropped;
    }
    if (signed === undefined) return;
    if (typeof signed === "string") this.#parts.rejections.count(`manifest-${signed}`);
    else this.#signed(objectId, signed);
  }

  /** Once a second: syncs, end of passes, forgotten objects. */
  tick(): void {
    this.#now = performance.now();
    this.#badSignatures = 0;
    for (const objectId of this.#ended) {
      const object = this.#objects.get(objectId);
      if (object !== undefined) this.#sayIncomplete(object);
    }
    this.#ended.clear();
    for (const object of this.#objects.values()) {
      if (object.finishing) continue;
      const idle = this.#now - object.touchedAt;
      if (idle > FORGET_MS) this.#drop(object);
      else if (idle > STALE_MS) this.#sayIncomplete(object);
      object.file?.syncIfDue().catch((error: unknown) => this.#diskFault(object, error));
    }
  }

  /** The object was delivered or refused: nothing of it is under way any more. */
  finished(object: Incoming): void {
    object.release();
    this.#objects.delete(object.objectId);
  }

  /** The object must get some of its groups again. */
  reopen(object: Incoming): void {
    object.finishing = false;
  }

  /** Writes down what is there and lets go of the files. */
  async close(): Promise<void> {
    for (const object of this.#objects.values()) {
      await object.file?.sync().catch((error: unknown) => this.#diskFault(object, error));
      await object.file?.close();
    }
  }

  #signed(objectId: number, signed: Uint8Array, left?: Uint8Array): void {
    const { rejections, verifier, lane, done } = this.#parts;
    if (this.#badSignatures >= MAX_BAD_SIGNATURES) {
      rejections.count("manifest-flood");
      return;
    }
    const manifest = verifyMessage(verifier, MANIFEST_LABEL, ObjectManifest, signed);
    if (typeof manifest === "string") {
      this.#badSignatures += 1;
      rejections.count(`manifest-${manifest}`);
      return;
    }
    const fault = manifestFault(manifest, { sender: verifier.sender, lane });
    if (fault !== undefined || manifest.objectId !== objectId) {
      rejections.count(`manifest-${fault ?? "object"}`);
      return;
    }
    let object = this.#objects.get(objectId);
    if (object === undefined) {
      const bundleId = Buffer.from(manifest.bundleId).toString("hex");
      if (done.hasBundle(bundleId)) {
        // The sender lost its journal and began the bundle anew: it is here already.
        this.repeats += 1;
        return;
      }
      object = this.#begin(manifest, left);
    }
    if (!object.addSegment(manifest, Uint8Array.from(signed))) {
      rejections.count("manifest-contradiction");
      return;
    }
    this.#releaseWaiting(object);
  }

  #begin(manifest: lightferry.ferry.v1.ObjectManifest, left?: Uint8Array): Incoming {
    const { provider, directory, rejections } = this.#parts;
    for (const oldest of this.#objects.values()) {
      if (this.#objects.size < MAX_OBJECTS) break;
      if (oldest.finishing) continue;
      rejections.count("objects-full");
      this.#drop(oldest);
    }
    const object = new Incoming(provider, this.#budget, directory, manifest, left);
    object.touchedAt = this.#now;
    this.#objects.set(manifest.objectId, object);
    return object;
  }

  #wait(header: FrameHeader, payload: Uint8Array): void {
    const dropped = this.#waiting.add(header, payload);
    if (dropped > 0) this.#parts.rejections.count("no-manifest", dropped);
  }

  #releaseWaiting(object: Incoming): void {
    for (const frame of this.#waiting.take(object.objectId)) {
      if (frame.objectSize !== object.geometry.size || frame.group >= object.geometry.groups) {
        this.#parts.rejections.count("shape");
      } else if (object.finishing) {
        this.repeats += 1;
      } else if (object.knows(frame.group)) {
        this.#place(object, frame.group, frame.shard, frame.k, frame.payload);
      } else {
        const header = { ...frame, objectId: object.objectId } as unknown as FrameHeader;
        this.#wait(header, frame.payload);
      }
    }
  }

  #place(object: Incoming, group: number, shard: number, k: number, payload: Uint8Array): void {
    const placed = object.place(group, shard, k, payload);
    if (placed === "kept") {
      if (this.#budget.used > MAX_HELD_BYTES) this.#makeRoom();
    } else if (placed === "shape" || placed === "digest") {
      this.#parts.rejections.count(`group-${placed}`);
    } else if (placed === "duplicate") {
      this.repeats += 1;
    } else if (object.file === undefined) {
      this.#wholeIfSo(object);
    } else {
      this.#write(object, group);
    }
  }

  #write(object: Incoming, group: number): void {
    const bytes = object.takeGroup(group);
    const { objectId } = object;
    this.#writing += bytes.length;
    this.#writes.set(objectId, (this.#writes.get(objectId) ?? 0) + 1);
    if (this.#writing > PAUSE_WRITING_BYTES && !this.#paused) {
      this.#paused = true;
      this.#parts.pause();
    }
    const over = (kept: boolean): void => {
      object.wrote(group, kept);
      this.#writing -= bytes.length;
      const left = (this.#writes.get(objectId) as number) - 1;
      if (left === 0) this.#writes.delete(objectId);
      else this.#writes.set(objectId, left);
      if (this.#paused && this.#writing < RESUME_WRITING_BYTES) {
        this.#paused = false;
        this.#parts.resume();
      }
      if (left === 0) this.#wholeIfSo(object);
    };
    object.file?.write(group, bytes).then(
      () => over(true),
      (error: unknown) => {
        this.#diskFault(object, error);
        over(false);
      },
    );
  }

  #wholeIfSo(object: Incoming): void {
    if (object.missingGroups > 0 || object.finishing || this.#writes.has(object.objectId)) return;
    object.finishing = true;
    object.dropUnfinished();
    this.#parts.whole(object);
  }

  /** Unfinished groups of the oldest objects give way. */
  #makeRoom(): void {
    for (const object of this.#objects.values()) {
      if (this.#budget.used <= MAX_HELD_BYTES / 2) return;
      if (object.finishing) continue;
      const dropped = object.dropUnfinished();
      if (dropped > 0) this.#parts.rejections.count("memory", dropped);
      if (object.file === undefined) this.#drop(object);
    }
  }

  #drop(object: Incoming): void {
    this.#sayIncomplete(object);
    object.release();
    this.#objects.delete(object.objectId);
    object.file?.remove(true).catch((error: unknown) => this.#diskFault(object, error));
  }

  #sayIncomplete(object: Incoming): void {
    if (object.reported || object.missingGroups === 0) return;
    object.reported = true;
    this.#parts.incomplete(object);
  }

  #diskFault(object: Incoming, error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#parts.rejections.count("disk");
    this.#parts.log.error({ object: object.objectId, cause: code }, "partial object not written");
  }
}
