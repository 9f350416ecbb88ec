/**
 * Guarantee: an object that was delivered (or refused) is known as such after
 * any crash, so that its second pass changes nothing. Bounded: the newest
 * {@link REMEMBERED} objects; an older one that comes again is caught by the
 * replay guard behind the inbox.
 */
import { CompactedLog } from "../compacted-log.ts";
import { readLines } from "../durable.ts";
import type { Range } from "../ranges.ts";
import { Streams } from "./streams.ts";

/** Five minutes of 60 bundles a second: ten times the usual delay of a second pass. */
const REMEMBERED = 20_000;
/** The log is written anew when it has grown by so much; an entry takes about 130 bytes. */
const COMPACT_BYTES = 4 << 20;

export interface DoneObject {
  readonly objectId: number;
  /** Hex. */
  readonly bundleId: string;
  readonly stream: string;
  /** 0 for a refused bundle: it fills no position of its stream. */
  readonly sequence: number;
}

type Line =
  | { readonly done: DoneObject }
  /** Numbers that the sender gave up. */
  | { readonly void: readonly [stream: string, ranges: readonly Range[]] }
  | { readonly here: Readonly<Record<string, readonly Range[]>> };

export class DoneLog {
  /** What has arrived of every stream. */
  readonly streams: Streams;
  readonly #objects: Map<number, DoneObject>;
  readonly #others = new Set<number>();
  readonly #bundles: Set<string>;
  readonly #log: CompactedLog;

  private constructor(streams: Streams, objects: Map<number, DoneObject>, log: CompactedLog) {
    this.streams = streams;
    this.#objects = objects;
    this.#bundles = new Set([...objects.values()].map((object) => object.bundleId));
    this.#log = log;
  }

  /** @throws GatewayError `ferry.state-corrupt` */
  static async open(path: string): Promise<DoneLog> {
    const streams = new Streams();
    const objects = new Map<number, DoneObject>();
    for (const line of (await readLines(path)) as Line[]) {
      if ("done" in line) {
        remember(objects, line.done);
        if (line.done.sequence > 0) streams.arrived(line.done.stream, line.done.sequence);
      } else if ("void" in line) {
        streams.void(...line.void);
      } else {
        for (const [name, ranges] of Object.entries(line.here)) streams.restore(name, ranges);
      }
    }
    const all = () => snapshot(streams, objects);
    return new DoneLog(streams, objects, await CompactedLog.create(path, COMPACT_BYTES, all));
  }

  hasObject(objectId: number): boolean {
    return this.#objects.has(objectId) || this.#others.has(objectId);
  }

  /**
   * Another object of a bundle that is over: two ferries have sent it, or one that had lost its journal.
   * Known in memory only; after a restart its manifest says so again.
   */
  other(objectId: number): void {
    this.#others.add(objectId);
    const [oldest] = this.#others;
    if (this.#others.size > REMEMBERED && oldest !== undefined) this.#others.delete(oldest);
  }

  hasBundle(bundleId: string): boolean {
    return this.#bundles.has(bundleId);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Resolves when it is durable. */
  async add(object: DoneObject): Promise<void> {
    for (const forgotten of remember(this.#objects, object)) {
      this.#bundles.delete(forgotten.bundleId);
    }
    this.#bundles.add(object.bundleId);
    if (object.sequence > 0) this.streams.arrived(object.stream, object.sequence);
    await this.#write({ done: object });
  }

  /** The sender will never send these numbers: no gap any more. Resolves when it is durable. */
  async void(stream: string, ranges: readonly Range[]): Promise<void> {
    const fresh = this.streams.void(stream, ranges);
    if (fresh.length > 0) await this.#write({ void: [stream, fresh] });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  #write(line: Line): Promise<void> {
    return this.#log.append(line);
  }
}

/** @returns what had to be forgotten */
function remember(objects: Map<number, DoneObject>, object: DoneObject): DoneObject[] {
  objects.set(object.objectId, object);
  const forgotten: DoneObject[] = [];
  for (const [objectId, oldest] of objects) {
    if (objects.size <= REMEMBERED) break;
    objects.delete(objectId);
    forgotten.push(oldest);
  }
  return forgotten;
}

function snapshot(streams: Streams, objects: ReadonlyMap<number, DoneObject>): Line[] {
  return [
    { here: streams.positions() },
    ...[...objects.values()].map((object) => ({ done: object })),
  ];
}
