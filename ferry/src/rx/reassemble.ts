/**
 * Guarantee: frames become objects only by a manifest signed by the expected
 * sender, whatever else is on the line; objects and bytes held at once are
 * bounded, the oldest give way, and every loss is counted by its reason.
 */
import type { SmProvider } from "@lightferry/proto/sm";
import type { Log } from "../events.ts";
import { FLAG_PASS_END, FLAG_REPEAT, type FrameHeader } from "../frame.ts";
import type { RxLane } from "../picture.ts";
import type { Begun } from "../repair/missing.ts";
import type { LinkVerifier } from "../signed.ts";
import { Budget } from "./budget.ts";
import { Checks } from "./checks.ts";
import type { DoneLog } from "./done.ts";
import { giveWay, MAX_HELD_BYTES } from "./give-way.ts";
import { Incoming, type Rig } from "./incoming.ts";
import { leftPartials, removePartial } from "./left.ts";
import { beginsWith, LeftOutObjects } from "./left-out.ts";
import { type Announcement, Manifests, sameObject } from "./manifests.ts";
import type { Rejections } from "./rejections.ts";
import { Restorer } from "./restore.ts";
import type { Room } from "./room.ts";
import { type Payload, payloadOf, type ShardHeader } from "./shard.ts";
import type { SecretOf } from "./tags.ts";
import { Waiting } from "./waiting.ts";

/** Objects under way; a lossy hour leaves some hundred waiting for their second pass. */
const MAX_OBJECTS = 4_096;
/** No frame for so long, and something is missing: said, whether or not a pass ended. */
const STALE_MS = 600_000;
/** Repair horizon: then what is there of an object is removed. */
const FORGET_MS = 7 * 24 * 3_600_000;
/** Objects named for repair tickets, the oldest first: more than the 64 KiB of a ticket hold. */
const TICKET_OBJECTS = 1_024;
/** With so many ranges of groups altogether; a ticket has room for fewer. */
const TICKET_RANGES = 16_384;
/** Spans looked at for that, some 30 ms: objects beyond are asked for whole. */
const TICKET_SPANS = 1 << 18;
/** A pass that is under way sends something of its object more often. */
const QUIET_MS = 2_000;
/** Objects whose progress a picture of the state shows, the oldest first. */
const SHOWN_OBJECTS = 32;

export interface ReassemblerParts {
  readonly provider: SmProvider;
  readonly verifier: LinkVerifier;
  readonly lane: string;
  readonly directory: string;
  readonly done: DoneLog;
  readonly rejections: Rejections;
  /** On the disk; without it there is enough. */
  readonly room?: Pick<Room, "fits" | "hold" | "letGo" | "leaveOut"> | undefined;
  readonly log: Log;
  /** Secrets of the sender's epochs; absent: tags are not looked at. */
  readonly secretOf?: SecretOf | undefined;
  /** An object is whole. */
  readonly whole: (object: Incoming) => void;
  /** Something of an object is missing and no further pass is expected. */
  readonly incomplete: (object: Incoming) => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

export interface Progress {
  /** Hex. */
  readonly bundle: string;
  /** Bytes of it that are good. */
  readonly good: number;
  readonly size: number;
  /** Chunks among the good ones that a former run had kept and that are not hashed again yet. */
  readonly unproven: number;
}

export class Reassembler {
  readonly #parts: ReassemblerParts;
  readonly #rig: Rig;
  readonly #objects = new Map<number, Incoming>();
  readonly #manifests: Manifests;
  /** Set ids of the manifests of objects under way. */
  readonly #known = new Map<number, Uint8Array>();
  readonly #waiting = new Waiting();
  readonly #leftOut = new LeftOutObjects();
  /** Marks that a former run left, until its manifest is believed again. */
  readonly #left = new Map<number, Uint8Array>();
  /** Objects given up whose files are not gone yet. */
  readonly #leaving = new Set<number>();
  readonly #ended = new Set<number>();
  #now = performance.now();
  /** Frames that were not needed any more. */
  repeats = 0;

  constructor(parts: ReassemblerParts) {
    this.#parts = parts;
    const { provider, directory, rejections } = parts;
    const count = (reason: string, by?: number): void => rejections.count(reason, by);
    this.#manifests = new Manifests(parts.verifier, parts.lane, count);
    this.#rig = {
      provider,
      budget: new Budget(),
      checks: new Checks(provider, parts.pause, parts.resume),
      restorer: new Restorer(),
      directory,
      count,
      secretOf: parts.secretOf,
      whole: (object) => parts.whole(object),
      fault: (object, error) => this.#diskFault(object, error),
    };
  }

  get objects(): number {
    return this.#objects.size;
  }

  get heldBytes(): number {
    return this.#rig.budget.used + this.#waiting.bytes;
  }

  /** Data shards that the code gave back. */
  get restored(): number {
    return this.#rig.restorer.restored;
  }

  /** Bytes judged by tag and by digest; tags that were wrong. */
  get checked(): NonNullable<RxLane["checked"]> {
    return this.#rig.checks.counts;
  }

  progress(): Progress[] {
    const shown: Progress[] = [];
    for (const { bundleId, spans, geometry, finishing, unproven } of this.#objects.values()) {
      if (shown.length === SHOWN_OBJECTS) break;
      if (finishing) continue;
      shown.push({ bundle: bundleId, good: spans.goodBytes, size: geometry.size, unproven });
    }
    return shown;
  }

  /** Objects that lack something after their passes, or of which nothing has come for a while, for a repair ticket. */
  begun(): Begun[] {
    const begun: Begun[] = [];
    let [ranges, spans] = [0, 0];
    for (const object of this.#objects.values()) {
      if (begun.length === TICKET_OBJECTS || ranges > TICKET_RANGES) break;
      const coming = !object.reported && this.#now - object.touchedAt < QUIET_MS;
      if (object.finishing || coming) continue;
      if (spans + object.spans.count > TICKET_SPANS) continue;
      spans += object.spans.count;
      const { shardSize, groupShards, parityShards } = object.manifest;
      const groups = object.lacking();
      ranges += groups.length;
      begun.push({
        ...{ bundle: object.bundleId, object: object.objectId, groups },
        ...{ shardSize, groupShards, parityShards },
      });
    }
    return begun;
  }

  /** Goes on with what a former run had kept; its manifests are verified again. */
  async load(): Promise<void> {
    const { directory, done } = this.#parts;
    for (const { objectId, manifest, kept } of await leftPartials(directory, FORGET_MS)) {
      if (done.hasObject(objectId)) {
        await removePartial(directory, objectId);
        continue;
      }
      // Its key may be known only when a heartbeat has brought its chain: then a manifest comes, too.
      this.#left.set(objectId, kept);
      const announced = this.#manifests.verify(objectId, manifest);
      if (announced !== undefined) this.#announced(announced);
    }
  }

  /** Takes a data or a parity shard. */
  data(header: FrameHeader, payload: Payload): void {
    const object = this.#objects.get(header.objectId);
    if (object !== undefined) {
      object.touchedAt = this.#now;
      this.#take(object, header, payload);
    } else if (this.#parts.done.hasObject(header.objectId)) {
      this.repeats += 1;
    } else if (this.#leftOut.has(header.objectId)) {
      this.#parts.rejections.count("space");
    } else {
      const dropped = this.#waiting.add(header, payload);
      if (dropped > 0) this.#parts.rejections.count("no-manifest", dropped);
    }
  }

  /** Takes tags of chunks; those that come before the manifest come again behind its next copy. */
  tags(header: FrameHeader, payload: Uint8Array): void {
    if (this.#parts.secretOf === undefined) return;
    const object = this.#objects.get(header.objectId);
    if (object === undefined || object.finishing) return;
    object.touchedAt = this.#now;
    if (!object.takeTags(header, payload)) this.#parts.rejections.count("tags");
    this.#makeRoom();
  }

  manifest(header: FrameHeader, payload: Uint8Array): void {
    const { objectId, flags } = header;
    const object = this.#objects.get(objectId);
    if (object === undefined && this.#parts.done.hasObject(objectId)) {
      this.repeats += 1;
      return;
    }
    if (object !== undefined && (flags & FLAG_PASS_END) !== 0 && (flags & FLAG_REPEAT) !== 0) {
      // What is missing now stays missing; said at the next tick, when late frames have come.
      this.#ended.add(objectId);
    }
    if (object !== undefined && beginsWith(payload, this.#known.get(objectId))) return;
    if (object === undefined && this.#leftOut.knows(objectId, payload)) return;
    const announced = this.#manifests.take(header, payload);
    if (announced !== undefined) this.#announced(announced);
  }

  /** Once a second: syncs, end of passes, forgotten objects. */
  tick(): void {
    this.#now = performance.now();
    this.#manifests.tick();
    this.#rig.restorer.tick();
    this.#rig.budget.rest();
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
      object.tick(idle);
    }
  }

  /** It is whole and the disk has no room for it: the next pass brings it again. */
  spaceless(object: Incoming): void {
    const { objectId, bundleId, geometry } = object;
    const setId = this.#known.get(objectId) ?? new Uint8Array();
    object.release();
    this.#remove(object);
    this.#leaveOut(objectId, setId, bundleId, geometry.size);
  }

  /** The object was delivered or refused: nothing of it is under way any more, nor of what another ferry began of its bundle. */
  finished(object: Incoming): void {
    object.release();
    this.#remove(object);
    for (const other of this.#objects.values()) {
      if (other.bundleId !== object.bundleId || other.finishing) continue;
      this.#parts.done.other(other.objectId);
      this.#letGo(other);
    }
  }

  /** Resolves when everything that is full was looked at. */
  async settled(): Promise<void> {
    for (const object of this.#objects.values()) {
      await object.settle().catch((error: unknown) => this.#diskFault(object, error));
    }
    await this.#rig.checks.idle();
  }

  /** Writes down what is there and lets go of the files. */
  async close(): Promise<void> {
    await this.settled();
    for (const object of this.#objects.values()) {
      await object.file?.sync().catch((error: unknown) => this.#diskFault(object, error));
      object.release();
      await object.file?.close();
    }
  }

  #announced({ manifest, signed, setId }: Announcement): void {
    const { objectId } = manifest;
    const { done, rejections, directory } = this.#parts;
    const known = this.#objects.get(objectId);
    if (known !== undefined) {
      // Signed anew: the sender has another key, or lost its journal of what it signed.
      if (sameObject(known.manifest, manifest)) this.#known.set(objectId, setId);
      else rejections.count("manifest-contradiction");
      return;
    }
    if (done.hasBundle(Buffer.from(manifest.bundleId).toString("hex"))) {
      // Its sender lost its journal, or another ferry had it, and began the bundle anew: it is here already.
      this.repeats += 1 + this.#waiting.take(objectId).length;
      done.other(objectId);
      if (this.#left.delete(objectId)) void removePartial(directory, objectId);
      return;
    }
    // Its former self is still being removed: another copy of the manifest comes soon.
    if (this.#leaving.has(objectId)) return;
    const kept = this.#left.get(objectId);
    if (kept === undefined && !this.#hasRoom({ manifest, signed, setId })) return;
    this.#makePlace();
    this.#left.delete(objectId);
    const object = new Incoming(this.#rig, manifest, signed, kept);
    this.#parts.room?.hold(object, () => bytesToCome(object));
    object.touchedAt = this.#now;
    this.#objects.set(objectId, object);
    this.#known.set(objectId, setId);
    for (const { header, payload } of this.#waiting.take(objectId)) {
      this.#take(object, header, payloadOf(payload));
    }
  }

  /** What does not fit is left out; the next pass asks again. */
  #hasRoom({ manifest, setId }: Announcement): boolean {
    const { objectId, size } = manifest;
    if (this.#parts.room?.fits(size) !== false) {
      this.#leftOut.delete(objectId);
      return true;
    }
    this.#leaveOut(objectId, setId, Buffer.from(manifest.bundleId).toString("hex"), size);
    return false;
  }

  #leaveOut(objectId: number, setId: Uint8Array, bundleId: string, size: number): void {
    this.#leftOut.add(objectId, setId);
    this.#parts.rejections.count("space", 1 + this.#waiting.take(objectId).length);
    this.#parts.room?.leaveOut({ lane: this.#parts.lane, bundleId, size });
  }

  #take(object: Incoming, header: ShardHeader, payload: Payload): void {
    if (object.finishing) {
      this.repeats += 1;
      return;
    }
    const fault = object.take(header, payload);
    if (fault === "repeat") this.repeats += 1;
    else if (fault !== undefined) this.#parts.rejections.count(fault);
    this.#makeRoom();
  }

  /** Asked for each frame. */
  #makeRoom(): void {
    if (this.#rig.budget.used <= MAX_HELD_BYTES) return;
    const drop = (object: Incoming): void => this.#drop(object);
    giveWay(this.#objects.values(), this.#rig.budget, this.#rig.count, drop);
  }

  /** The oldest objects give way to a new one. */
  #makePlace(): void {
    for (const oldest of this.#objects.values()) {
      if (this.#objects.size < MAX_OBJECTS) break;
      if (oldest.finishing) continue;
      this.#parts.rejections.count("objects-full");
      this.#drop(oldest);
    }
  }

  #drop(object: Incoming): void {
    this.#sayIncomplete(object);
    this.#letGo(object);
  }

  #letGo(object: Incoming): void {
    object.release();
    this.#remove(object);
    if (object.file === undefined) return;
    this.#leaving.add(object.objectId);
    object.file
      .remove(true)
      .catch((error: unknown) => this.#diskFault(object, error))
      .finally(() => this.#leaving.delete(object.objectId));
  }

  #remove(object: Incoming): void {
    const { objectId } = object;
    this.#objects.delete(objectId);
    this.#known.delete(objectId);
    this.#parts.room?.letGo(object);
  }

  #sayIncomplete(object: Incoming): void {
    if (object.reported || object.spans.missing === 0) return;
    object.reported = true;
    this.#parts.incomplete(object);
  }

  #diskFault(object: Incoming, error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#parts.rejections.count("disk");
    this.#parts.log.error({ object: object.objectId, cause: code }, "partial object not written");
  }
}

/** A short object is written when it is whole, and then let go of; a long one chunk by chunk. */
function bytesToCome({ file, geometry, spans, finishing, bytes }: Incoming): number {
  if (file !== undefined) return geometry.size - spans.goodBytes;
  return finishing && bytes.length === 0 ? 0 : geometry.size;
}
