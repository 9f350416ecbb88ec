/**
 * Guarantee: an object is begun only where the disk has room for all of it beside what others were promised and
 * a reserve, from which journals and books go on being written. That room runs short is alarmed before; what finds
 * none is counted and named, and is missing until a later pass or a repair ticket brings it (SPEC.md §3.4).
 *
 *   enough ─(free − promised below the threshold)▶ short (alarm) ─(nothing fits)▶ full (alarm, objects left out)
 */
import { statfs } from "node:fs/promises";
import { readOptionalInteger, refuseUnknownFields } from "@lightferry/proto/service";
import type { Alarms } from "../alarms.ts";
import type { EventSink, FerryEvent, Log } from "../events.ts";
import type { RxPicture } from "../picture.ts";

export interface RoomLimits {
  /** Alarmed when less of the file system than this is left for what is to come. */
  readonly alarmPercent: number;
  /** Never promised to objects: events, books and what the front-proxy writes there. */
  readonly reserveBytes: number;
}

export const DEFAULT_ROOM_LIMITS: RoomLimits = {
  // A fifth: of a disk laid out for days of outage that is hours to act in.
  alarmPercent: 20,
  // A day of events and books of a busy link.
  reserveBytes: 256 << 20,
};

const LIMITS = {
  alarmPercent: { min: 1, max: 90 },
  /** At least a minute of events; at most a terabyte. */
  reserveBytes: { min: 1 << 20, max: 2 ** 40 },
} as const;

/** Settings `space.*`, all of them optional. @throws GatewayError `config.invalid` naming the field */
export function readRoomLimits(raw: unknown): RoomLimits {
  refuseUnknownFields(raw, "space", Object.keys(LIMITS));
  const read = (name: keyof typeof LIMITS) =>
    readOptionalInteger(raw, `space.${name}`, LIMITS[name]);
  return {
    alarmPercent: read("alarmPercent") ?? DEFAULT_ROOM_LIMITS.alarmPercent,
    reserveBytes: read("reserveBytes") ?? DEFAULT_ROOM_LIMITS.reserveBytes,
  };
}

/** An alarm ends with this much more room, so that it does not flutter. */
const EASED = 1.1;
/** A disk at its floor would be told of for every object: one event in so long. */
const REPORT_MS = 10_000;
/** Large objects find no room while small ones do: full is over when none was left out for so long. */
const QUIET_MS = 5_000;
/** Bundles named in one event; all are counted, and all are in the list of gaps. */
const NAMED = 32;

/** What found no room. */
export interface LeftOut {
  readonly lane: string;
  /** Hex. */
  readonly bundleId: string;
  readonly size: number;
}

export interface RoomParts {
  /** Where objects are written: partial files and arrivals, perhaps on two file systems. */
  readonly directories: readonly string[];
  readonly limits: RoomLimits;
  readonly alarms: Pick<Alarms, "raise" | "clear">;
  readonly events: EventSink;
  readonly log: Log;
}

export class Room {
  readonly #parts: RoomParts;
  /** Objects that were begun, and what each will still take. */
  readonly #held = new Map<object, { left: () => number; counted: number }>();
  #free = 0;
  #total = 0;
  #promised = 0;
  #leftOut = { objects: 0, bytes: 0 };
  #unsaid: LeftOut[] = [];
  #saidAt = Number.NEGATIVE_INFINITY;
  #leftOutAt = Number.NEGATIVE_INFINITY;
  #recording: Promise<unknown> = Promise.resolve();

  private constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  static async open(parts: RoomParts): Promise<Room> {
    const room = new Room(parts);
    await room.look();
    return room;
  }

  status(): Omit<RxPicture["space"], "alarms"> {
    return {
      freeBytes: this.#free,
      totalBytes: this.#total,
      promisedBytes: this.#promised,
      leftOut: { ...this.#leftOut },
    };
  }

  /** Whether an object of that size may begin. */
  fits(size: number): boolean {
    return this.#left - size >= this.#parts.limits.reserveBytes;
  }

  /** The object has begun. @param left bytes that it will still take, asked each second */
  hold(object: object, left: () => number): void {
    const counted = left();
    this.#held.set(object, { left, counted });
    this.#promised += counted;
  }

  /** It lies on the disk, or is wanted no more. */
  letGo(object: object): void {
    const held = this.#held.get(object);
    if (held === undefined) return;
    this.#held.delete(object);
    this.#promised -= held.counted;
  }

  /** It found no room: said soon, by name. */
  leaveOut(object: LeftOut): void {
    this.#leftOutAt = performance.now();
    this.#leftOut.objects += 1;
    this.#leftOut.bytes += object.size;
    this.#unsaid.push(object);
    this.#parts.alarms.raise("ferry.space-full", this.#facts());
    this.#say();
  }

  /** Measures anew; once a second. Never rejects. */
  async look(): Promise<void> {
    const { directories, log } = this.#parts;
    try {
      const measured = await Promise.all(directories.map((path) => statfs(path)));
      const [least] = measured
        .map(({ bavail, blocks, bsize }) => ({ free: bavail * bsize, total: blocks * bsize }))
        .toSorted((a, b) => a.free - b.free);
      this.#free = least?.free ?? 0;
      this.#total = least?.total ?? 0;
    } catch (error) {
      // What is on the disk is not known: the last figure holds.
      log.error({ err: error }, "free space not measured");
    }
    let promised = 0;
    for (const held of this.#held.values()) {
      held.counted = held.left();
      promised += held.counted;
    }
    this.#promised = promised;
    this.#judge();
    this.#say();
  }

  /** Resolves when what was said is durable. */
  async close(): Promise<void> {
    this.#saidAt = Number.NEGATIVE_INFINITY;
    this.#say();
    await this.#recording;
  }

  get #left(): number {
    return this.#free - this.#promised;
  }

  #judge(): void {
    const { limits, alarms } = this.#parts;
    const threshold = Math.max(this.#total * (limits.alarmPercent / 100), limits.reserveBytes);
    if (this.#left < threshold) alarms.raise("ferry.space-low", this.#facts());
    else if (this.#left >= threshold * EASED) alarms.clear("ferry.space-low", this.#facts());
    const quiet = performance.now() - this.#leftOutAt >= QUIET_MS;
    if (quiet && this.#left >= limits.reserveBytes * EASED) {
      alarms.clear("ferry.space-full", this.#facts());
    }
  }

  #facts(): Readonly<Record<string, string>> {
    const { limits } = this.#parts;
    return {
      free: String(this.#free),
      promised: String(this.#promised),
      reserve: String(limits.reserveBytes),
      total: String(this.#total),
    };
  }

  #say(): void {
    const now = performance.now();
    if (this.#unsaid.length === 0 || now - this.#saidAt < REPORT_MS) return;
    this.#saidAt = now;
    const { events, log } = this.#parts;
    const unsaid = Map.groupBy(this.#unsaid, ({ lane }) => lane);
    this.#unsaid = [];
    for (const [lane, objects] of unsaid) log.error({ lane, count: objects.length }, "no room");
    const recorded = events
      .record([...unsaid].map(([lane, objects]) => leftOutEvent(lane, objects)))
      .catch((error: unknown) => log.error({ err: error }, "objects left out were not recorded"));
    this.#recording = Promise.all([this.#recording, recorded]);
  }
}

function leftOutEvent(lane: string, objects: readonly LeftOut[]): FerryEvent {
  const named = objects.slice(0, NAMED).map(({ bundleId }) => bundleId);
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  return {
    type: "gate.object-left-out",
    outcome: "error",
    code: "ferry.space-full",
    lane,
    attributes: { bundles: named.join(","), bytes: String(bytes), count: String(objects.length) },
  };
}
