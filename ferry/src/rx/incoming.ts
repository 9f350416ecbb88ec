/**
 * Guarantee: an object under way becomes whole by bytes alone whose SM3 its
 * signed manifest names, or whose tag is right under the secret of the epoch. What is good is final; what is
 * wrong counts as never received. Short objects live in memory until they are whole, long ones in a
 * partial file.
 *
 * shard ─▶ groups (had?) ─▶ store (to its place) ─▶ span full ─▶ checks (tag or hash, write) ─▶ good ─▶ whole
 *              └ k of k + m ─▶ restorer ─┘                         └ wrong: groups, store forget it
 */
import type { lightferry } from "@lightferry/proto/gen";
import type { SmProvider } from "@lightferry/proto/sm";
import { FLAG_REPEAT, type FrameHeader } from "../frame.ts";
import { Geometry, SMALL_OBJECT_BYTES } from "../object.ts";
import { type Range, RangeSet } from "../ranges.ts";
import { isTagged } from "../tags.ts";
import type { Budget } from "./budget.ts";
import type { Checks, Verdict } from "./checks.ts";
import { CAME, type Group, Groups } from "./groups.ts";
import { PartialFile } from "./partial.ts";
import { Proof } from "./proof.ts";
import { Repair } from "./repair.ts";
import { canRestore, type Restorer } from "./restore.ts";
import { Shapes } from "./shape.ts";
import { copyOf, type Payload, payloadOf, type ShardHeader, viewOf } from "./shard.ts";
import { HEAD, Spans } from "./spans.ts";
import { Store } from "./store.ts";
import { KeptTags, type SecretOf } from "./tags.ts";

type ObjectManifest = lightferry.ferry.v1.ObjectManifest;

/** No frame for so long: the file is closed, since a second pass may be hours away. */
const IDLE_CLOSE_MS = 10_000;

/** What all objects share. */
export interface Rig {
  readonly provider: SmProvider;
  readonly budget: Budget;
  readonly checks: Checks;
  readonly restorer: Restorer;
  /** Of partial files. */
  readonly directory: string;
  readonly count: (reason: string, by?: number) => void;
  /** undefined: tags are not looked at. */
  readonly secretOf: SecretOf | undefined;
  readonly whole: (object: Incoming) => void;
  readonly fault: (object: Incoming, error: unknown) => void;
}

export class Incoming {
  readonly objectId: number;
  readonly bundleId: string;
  readonly headerDigest: Uint8Array;
  readonly geometry: Geometry;
  readonly spans: Spans;
  readonly file: PartialFile | undefined;
  /** Monotonic milliseconds of the last frame that belonged to it. */
  touchedAt = performance.now();
  /** A pass ended while something was missing, and that was said. */
  reported = false;
  finishing = false;
  readonly #rig: Rig;
  readonly manifest: ObjectManifest;
  readonly #store: Store;
  readonly #groups: Groups;
  readonly #shapes: Shapes;
  readonly #repair: Repair;
  /** Of an object that may have them, where they are believed. */
  readonly #tags: KeptTags | undefined;
  #proof: Proof | undefined;
  #released = false;

  /** @param kept marks of a former run; those spans are hashed again before the object is whole */
  constructor(rig: Rig, manifest: ObjectManifest, signed: Uint8Array, kept?: Uint8Array) {
    this.#rig = rig;
    this.manifest = manifest;
    this.objectId = manifest.objectId;
    this.bundleId = Buffer.from(manifest.bundleId).toString("hex");
    this.headerDigest = manifest.headerDigest;
    const { size, shardSize, groupShards, parityShards } = manifest;
    this.geometry = new Geometry(size, shardSize, { groupShards, parityShards });
    this.#shapes = new Shapes(this.geometry);
    this.spans = new Spans(size, manifest.headSize, manifest.chunkBytes);
    const short = size <= SMALL_OBJECT_BYTES;
    this.#store = new Store(this.spans, rig.budget, short ? size : undefined);
    this.#groups = new Groups(this.geometry, this.spans, this.#store, rig.budget);
    if (!short) {
      this.file = new PartialFile(rig.directory, this.objectId, this.spans.count, signed, kept);
    }
    this.#repair = this.#repairOf();
    const { provider, secretOf, budget } = rig;
    if (secretOf !== undefined && isTagged(size, manifest.chunkBytes)) {
      this.#tags = new KeptTags(provider, secretOf, budget, this.objectId);
    }
    if (this.file === undefined || kept === undefined) return;
    this.#proof = this.#proofOf(this.file);
    void this.#proof.run();
  }

  /** Spans that a former run had kept and that are not hashed again yet. */
  get unproven(): number {
    return this.#proof?.unproven ?? 0;
  }

  /**
   * Takes a shard.
   * @returns "repeat" when it was not needed, else why it was not taken, or undefined
   */
  take(header: ShardHeader, payload: Payload): "repeat" | "shape" | "group-shape" | undefined {
    if (this.#released) return "repeat";
    const fault = this.#shapes.fault(header, payload.length);
    if (fault !== undefined) return fault;
    const { group, shard, k } = header;
    const { geometry } = this;
    const held = this.#groups.open(group);
    // Parity of a group that lacks nothing was sent for whoever lost something.
    if (shard >= k && (held === undefined || held.missing === 0 || !canRestore(k)))
      return undefined;
    if (held === undefined) return "repeat";
    const came = (header.flags & FLAG_REPEAT) === 0 ? CAME.first : CAME.again;
    const before = held.have[shard] as number;
    if (before > came) return "repeat";
    held.have[shard] = came;
    if (shard < k) {
      if (before === CAME.not) held.missing -= 1;
      const offset = group * geometry.groupBytes + shard * geometry.shardSize;
      this.#store.place(offset, payload, before === CAME.not);
      if (this.#store.busy.length > 0) this.#late(header, payload);
    } else {
      this.#groups.addParity(held, shard - k, payload);
    }
    if (held.missing === 0) this.#complete(group, held);
    else if (held.parityCount >= held.missing) this.#repair.restore(group, held);
    if (this.#store.filled.length > 0) this.#checkFilled();
    return before === CAME.not ? undefined : "repeat";
  }

  /** Takes tags of its chunks. @returns false when they are none */
  takeTags({ epoch, group }: Pick<FrameHeader, "epoch" | "group">, payload: Uint8Array): boolean {
    if (this.#released) return true;
    const wanted = (chunk: number): boolean => !this.spans.isGood(chunk + 1);
    return this.#tags?.take(epoch, group, payload, this.spans.count - 1, wanted) ?? false;
  }

  /** Lets go of bytes that lie in the file too. */
  dropKept(): void {
    if (this.file !== undefined) this.#store.dropKept();
  }

  /** Forgets unfinished spans of a long object. @returns how many */
  dropUnfinished(): number {
    const dropped = this.#store.dropUnfinished();
    this.#tags?.clear();
    this.#groups.clear();
    return dropped;
  }

  /** Forgets everything held in memory. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#proof?.stop();
    this.#repair.stop();
    if (this.finishing && this.file === undefined) this.#rig.checks.free(this.geometry.size);
    this.#groups.clear();
    this.#tags?.clear();
    this.#store.release();
  }

  /**
   * Groups with a byte of a span that is not good, for a repair ticket: what a restart would leave needs no
   * other. None means all: a short object, and one without its head, are begun anew by a restart.
   */
  lacking(): readonly Range[] {
    if (this.file === undefined || !this.spans.isGood(HEAD)) return [];
    const groups = new RangeSet();
    for (let span = HEAD; span < this.spans.count; span += 1) {
      if (this.spans.isGood(span)) continue;
      const { groupBytes } = this.geometry;
      const last = Math.floor((this.spans.end(span) - 1) / groupBytes);
      groups.add([Math.floor(this.spans.start(span) / groupBytes), last]);
    }
    return groups.ranges;
  }

  /** All bytes of a short object that is whole. */
  get bytes(): Uint8Array {
    return this.#store.whole ?? new Uint8Array();
  }

  /** Full spans may wait for the file to open: they are looked at now. */
  async settle(): Promise<void> {
    if (this.file === undefined || this.#released || this.#store.full().length === 0) return;
    await this.file.ready();
    this.#checkFull();
  }

  /** A second has passed. */
  tick(idleMs: number): void {
    const { file } = this;
    if (file === undefined || this.finishing) return;
    // What could not be opened before may be possible now.
    if (this.#store.full().length > 0) this.#checkFull();
    if (file.syncIsDue) this.#guard(file.sync());
    else if (idleMs > IDLE_CLOSE_MS && file.fd !== undefined) this.#guard(file.close());
  }

  #late(header: ShardHeader, payload: Payload): void {
    const late = { header: copyOf(header), payload: Uint8Array.from(viewOf(payload)) };
    for (const span of this.#store.busy.splice(0)) this.#store.keepLate(span, late);
  }

  #complete(group: number, held: Group): void {
    this.#groups.dropParity(held);
    if (this.file === undefined) return;
    for (const span of this.#groups.touched(group)) this.#letGo(span);
  }

  /** A good span is needed in memory only for groups that are not complete yet. */
  #letGo(span: number): void {
    if (span === HEAD || !this.spans.isGood(span) || !this.#store.has(span)) return;
    for (const group of this.#groups.touching(span)) {
      if (!this.#groups.isComplete(group)) return;
    }
    this.#store.drop(span);
  }

  #checkFilled(): void {
    for (const span of this.#store.filled.splice(0)) this.#check(span);
  }

  #checkFull(): void {
    for (const span of this.#store.full()) this.#check(span);
  }

  /** Has a full span judged and written; a chunk waits for the head, whose table has its digest. */
  #check(span: number): void {
    const { file, spans } = this;
    if (this.#released || !this.#store.isFull(span)) return;
    if (span !== HEAD && !this.#headIsHere) return;
    if (file !== undefined && file.fd === undefined) {
      this.#guard(file.ready().then(() => this.#checkFull()));
      return;
    }
    file?.use();
    const bytes = this.#store.checking(span);
    this.#rig.checks.submit({
      head: span === HEAD,
      bytes,
      length: spans.length(span),
      digest: this.#digest(span),
      tag: this.#tags?.of(span - 1),
      file: file?.fd ?? -1,
      offset: spans.start(span),
      done: (verdict, wrongTag) => {
        file?.unuse();
        if (wrongTag === true) this.#rig.count("chunk-tag");
        // Nobody reads it any more.
        if (this.#released && file !== undefined) this.#rig.budget.reclaim(bytes);
        this.#checked(span, verdict);
      },
    });
  }

  get #headIsHere(): boolean {
    return this.spans.isGood(HEAD) && this.#store.has(HEAD) && this.#proof?.headIsOpen !== true;
  }

  #digest(span: number): Uint8Array {
    if (span === HEAD) return this.manifest.headDigest;
    const at = this.spans.digestAt(span);
    return this.#store.head.subarray(at, at + this.manifest.headDigest.length);
  }

  #checked(span: number, verdict: Verdict): void {
    if (this.#released) return;
    if (verdict === "good") {
      this.#good(span);
    } else if (verdict === "wrong") {
      this.#spoiled(span);
    } else {
      // It is right and could not be written: it must come again.
      this.#rig.fault(this, verdict);
      this.#lost(span);
    }
  }

  #good(span: number): void {
    this.spans.setGood(span);
    this.#store.keep(span);
    this.#groups.close(span);
    if (this.file?.wrote(span, this.spans.length(span)) === true) this.#guard(this.file.sync());
    if (span === HEAD) this.#checkFull();
    if (this.file !== undefined) this.#letGo(span);
    this.#wholeIfSo();
  }

  /** A span that was full is wrong: what spoiled it counts as never received. */
  #spoiled(span: number): void {
    this.#rig.count(span === HEAD ? "head-digest" : "chunk-digest");
    const late = this.#store.takeLate(span);
    for (const { header } of late) this.#groups.demote(header.group, header.shard);
    this.#groups.forget(span, true);
    this.#store.refill(span, this.#groups.lacking(span));
    this.#repair.mistrust(span);
    for (const { header, payload } of late) this.take(header, payloadOf(payload));
  }

  /** The bytes of a span are gone. */
  #lost(span: number): void {
    this.#store.drop(span);
    this.spans.unset(span);
    this.#groups.forget(span, false);
  }

  #wholeIfSo(): void {
    if (this.spans.missing > 0 || this.unproven > 0 || this.finishing) return;
    this.finishing = true;
    this.#tags?.clear();
    this.#groups.clear();
    this.#store.dropKept();
    if (this.file === undefined) this.#rig.checks.hold(this.geometry.size);
    this.#rig.whole(this);
  }

  #repairOf(): Repair {
    const { restorer, budget, fault } = this.#rig;
    const { geometry, spans, file } = this;
    return new Repair({
      ...{ restorer, budget, geometry, spans, file, store: this.#store, groups: this.#groups },
      complete: (group, held) => this.#complete(group, held),
      filled: () => this.#checkFilled(),
      fault: (error) => fault(this, error),
    });
  }

  #proofOf(file: PartialFile): Proof {
    const { budget, checks, count, fault } = this.#rig;
    return new Proof({
      ...{ file, spans: this.spans, store: this.#store, budget, checks },
      digest: (span) => this.#digest(span),
      disproved: (span) => {
        file.unmark(span);
        count(span === HEAD ? "head-digest" : "chunk-digest");
        this.#lost(span);
      },
      goOn: () => {
        this.#checkFull();
        this.#wholeIfSo();
      },
      fault: (error) => fault(this, error),
    });
  }

  #guard(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#rig.fault(this, error));
  }
}
