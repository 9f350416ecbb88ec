/**
 * Guarantee: a part counts only when its bytes have the digest of its signed head and lie synced on disk; a
 * shipment with enough parts of each group is put together, its bundles handed on, and then forgotten for good.
 * What unfinished shipments take on disk is bounded, and promised to each before it begins.
 *
 * part ─▶ new? room? ─▶ written, hashed ─▶ synced ─▶ noted ─▶ group: enough? ─▶ decoded ─▶ whole ─▶ unpack ─▶ over
 */
import { unlink } from "node:fs/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import type { Log } from "../../events.ts";
import type { PlainFile } from "../../media/files.ts";
import type { RxLane } from "../../picture.ts";
import type { Room } from "../../rx/room.ts";
import type { BelievedHead } from "../head.ts";
import { Plan } from "../plan.ts";
import type { Decoder } from "./decode.ts";
import { PartStore } from "./part-store.ts";
import type { ReceivedLog } from "./received.ts";

/** Repair horizon: then what is there of a shipment is removed. */
const FORGET_MS = 7 * 24 * 3_600_000;
/** Of which nothing came for so long may give way to others, once its delay is over, too. */
const STALE_MS = 600_000;
/** Shipments whose progress a picture of the state shows, the oldest first. */
const SHOWN = 32;

export interface ShipmentsParts {
  readonly provider: SmProvider;
  readonly dir: string;
  readonly maxBytes: number;
  /** On the disk. */
  readonly room: Pick<Room, "fits" | "hold" | "letGo" | "look">;
  readonly delayMs: number;
  readonly received: ReceivedLog;
  readonly decoder: Decoder;
  readonly log: Log;
  /** Hands its bundles on. @throws GatewayError `ferry.object-mismatch` when the content is not what it should be */
  readonly unpack: (store: PartStore, plan: Plan) => Promise<void>;
  /** It is given up: what is there of it, in bytes. */
  readonly gaveUp: (id: string, size: number, good: number, why: string) => void;
  readonly signal: AbortSignal;
}

/** What became of a part; a word of its own for what a later look may change. */
export type PartFate = "taken" | "duplicate" | "conflict" | "digest" | "no-room";

interface Open {
  readonly id: string;
  readonly plan: Plan;
  readonly store: PartStore;
  readonly begunMs: number;
  /** Good parts of each group that are still needed. */
  readonly counts: Map<number, number>;
  /** Monotonic milliseconds. */
  touchedAt: number;
  unpacking: boolean;
}

export class Shipments {
  readonly #parts: ShipmentsParts;
  readonly #open = new Map<string, Open>();
  readonly #running = new Set<Promise<void>>();
  duplicates = 0;
  restored = 0;

  constructor(parts: ShipmentsParts) {
    this.#parts = parts;
  }

  /** Goes on with what a former run had. */
  async load(): Promise<void> {
    const { received, dir, log } = this.#parts;
    for (const { id, plan: facts, begunMs, parts } of received.shipments.values()) {
      const open = this.#add(id, new Plan(facts), begunMs);
      for (const slot of parts) {
        const group = Math.floor(slot / open.plan.groupParts);
        open.counts.set(group, (open.counts.get(group) ?? 0) + 1);
      }
    }
    await PartStore.clean(dir, new Set(this.#open.keys()));
    for (const open of this.#open.values()) {
      // A group may have been one step from whole.
      for (const group of open.counts.keys()) {
        await this.#group(open, group).catch((error: unknown) => {
          log.error({ shipment: open.id, code: asGatewayError(error).code }, "group not restored");
        });
      }
      this.#whole(open);
    }
  }

  /** Bytes that unfinished shipments may come to take. */
  get bytes(): number {
    let sum = 0;
    for (const { plan } of this.#open.values()) sum += plan.reserve;
    return sum;
  }

  get size(): number {
    return this.#open.size;
  }

  /** What a shipment holds is known when it is whole: it stands for its bundles. */
  progress(): RxLane["progress"] {
    return [...this.#open.values()].slice(0, SHOWN).map((open) => ({
      ...{ bundle: open.id, good: this.#good(open), size: open.plan.facts.size },
    }));
  }

  /**
   * Takes a part whose head is believed and whose file is long enough.
   * @param at where its payload begins
   * @throws a fault of a disk
   */
  async take(
    { facts, plan, bytes }: NonNullable<BelievedHead["part"]>,
    file: PlainFile,
    at: number,
  ): Promise<PartFate> {
    const { received, provider } = this.#parts;
    const id = Buffer.from(facts.shipmentId).toString("hex");
    if (received.isOver(id)) return this.#again();
    const open = this.#open.get(id) ?? (await this.#begin(id, plan));
    if (open === undefined) return "no-room";
    if (!open.plan.sameAs(plan)) return "conflict";
    const kept = received.shipments.get(id);
    const slot = plan.slot(facts.group, facts.index);
    open.touchedAt = performance.now();
    if (kept === undefined || kept.groups.has(facts.group) || kept.parts.has(slot)) {
      return this.#again();
    }
    const digest = await open.store.write(provider, facts.group, facts.index, bytes, (into, from) =>
      file.read(into, at + from),
    );
    if (digest === undefined || Buffer.compare(digest, facts.digest) !== 0) return "digest";
    await received.part(id, slot);
    open.counts.set(facts.group, (open.counts.get(facts.group) ?? 0) + 1);
    await this.#group(open, facts.group);
    this.#whole(open);
    return "taken";
  }

  /** Once a minute or so: what nobody completes goes. */
  async tick(): Promise<void> {
    for (const open of [...this.#open.values()]) {
      if (open.unpacking || Date.now() - open.begunMs < FORGET_MS) continue;
      if (performance.now() - open.touchedAt < FORGET_MS / 2) continue;
      await this.#giveUp(open, "forgotten");
    }
  }

  /** What is being unpacked ends, or is broken off by the signal; files are closed. */
  async close(): Promise<void> {
    await Promise.all(this.#running);
    for (const { store } of this.#open.values()) await store.close();
  }

  #again(): PartFate {
    this.duplicates += 1;
    return "duplicate";
  }

  #add(id: string, plan: Plan, begunMs: number): Open {
    const store = new PartStore(this.#parts.dir, id, plan);
    const touchedAt = performance.now();
    const open = { id, plan, store, begunMs, counts: new Map(), touchedAt, unpacking: false };
    this.#open.set(id, open);
    this.#parts.room.hold(open, () => Math.max(0, plan.reserve - this.#good(open)));
    return open;
  }

  async #begin(id: string, plan: Plan): Promise<Open | undefined> {
    const { maxBytes, received, room } = this.#parts;
    // One that is larger than all room there is goes alone.
    const isTight = (): boolean =>
      (this.#open.size > 0 && this.bytes + plan.reserve > maxBytes) || !room.fits(plan.reserve);
    while (isTight()) {
      const [stalest, ...others] = this.#stale();
      if (stalest === undefined) return undefined;
      // What would not fit in the place of all of them is no reason to give up one.
      const gained = [stalest, ...others].reduce((sum, { plan: its }) => sum + its.reserve, 0);
      if (!room.fits(plan.reserve - gained)) return undefined;
      await this.#giveUp(stalest, "room");
      await room.look();
    }
    await received.begin(id, plan.facts);
    return this.#add(id, plan, Date.now());
  }

  /** Those that may give way, the stalest first. */
  #stale(): readonly Open[] {
    const before = performance.now() - STALE_MS - this.#parts.delayMs;
    return [...this.#open.values()]
      .filter(({ unpacking, touchedAt }) => !unpacking && touchedAt <= before)
      .toSorted((one, other) => one.touchedAt - other.touchedAt);
  }

  #good({ id, plan }: Open): number {
    const kept = this.#parts.received.shipments.get(id);
    if (kept === undefined) return 0;
    let good = 0;
    for (const group of kept.groups) good += plan.groupLength(group);
    for (const slot of kept.parts) {
      const group = Math.floor(slot / plan.groupParts);
      const index = slot % plan.groupParts;
      if (index >= plan.dataParts(group)) continue;
      good += plan.partLength(group, index);
    }
    return good;
  }

  /** Puts a group together once there are enough parts of it. */
  async #group(open: Open, group: number): Promise<void> {
    const { received, decoder } = this.#parts;
    const { plan, store, id, counts } = open;
    const kept = received.shipments.get(id);
    const k = plan.dataParts(group);
    if (kept === undefined || (counts.get(group) ?? 0) < k) return;
    const total = k + plan.parityParts(group);
    const present = Array.from({ length: total }, (_, index) =>
      kept.parts.has(plan.slot(group, index)),
    );
    if (present.slice(0, k).includes(false)) {
      await decoder.restore(store, plan, group, present);
      this.restored += 1;
    }
    await received.group(id, group);
    counts.delete(group);
  }

  #whole(open: Open): void {
    const { received, signal, log } = this.#parts;
    const kept = received.shipments.get(open.id);
    if (open.unpacking || kept === undefined || kept.groups.size < open.plan.groups) return;
    open.unpacking = true;
    const run = this.#unpack(open)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        const { code, detail } = asGatewayError(error);
        log.error({ shipment: open.id, code, detail }, "shipment not unpacked");
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #unpack(open: Open): Promise<void> {
    try {
      await this.#parts.unpack(open.store, open.plan);
    } catch (error) {
      const damaged = error instanceof GatewayError && error.code === "ferry.object-mismatch";
      if (!damaged) throw error;
      // Each part was right when it came: the disk has changed it. The next pass brings it again.
      await this.#forget(open);
      this.#parts.gaveUp(open.id, open.plan.facts.size, 0, error.detail);
      return;
    }
    await this.#parts.received.over(open.id);
    await this.#remove(open);
  }

  async #giveUp(open: Open, why: string): Promise<void> {
    const good = this.#good(open);
    await this.#forget(open);
    this.#parts.gaveUp(open.id, open.plan.facts.size, good, why);
  }

  /** As if nothing of it had come. */
  async #forget(open: Open): Promise<void> {
    await this.#parts.received.forget(open.id);
    await this.#remove(open);
  }

  async #remove(open: Open): Promise<void> {
    this.#open.delete(open.id);
    this.#parts.room.letGo(open);
    await open.store.close();
    for (const path of open.store.paths) await unlink(path).catch(() => undefined);
  }
}
