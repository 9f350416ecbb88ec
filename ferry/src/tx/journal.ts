/**
 * Guarantee: after any crash the sender knows its epoch (never used before),
 * which bundles were under way, which pass of each is over, and the highest
 * position of every stream whose first pass is over.
 *
 * Lines of the log: `begin` a bundle, `lease` renewed, `pass` over, `repaired`, `done`,
 * `positions` (only at the beginning, from compaction).
 */
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { CompactedLog } from "../compacted-log.ts";
import { readLines, readState, replaceFile } from "../durable.ts";
import {
  type Code,
  epochOf,
  epochOfStart,
  ferryOf,
  MAX_OBJECT_NUMBER,
  MAX_START,
  objectIdOf,
  startOf,
} from "../object.ts";
import type { Range } from "../ranges.ts";

/** A repair ticket asks for a bundle once more. */
export interface Repair {
  /** Hex; "" when the ticket is not known here. */
  readonly ticket: string;
  /** Groups that suffice; none = all. */
  readonly groups: readonly Range[];
}

/** A bundle that the ferry has taken on. */
export interface Carried {
  /** Hex of the 16 bytes. */
  readonly bundleId: string;
  readonly lane: string;
  objectId: number;
  /** Bytes of a shard, and how many make a group: the object is cut and coded by them. */
  shardSize: number;
  code: Code;
  readonly file: string;
  readonly size: number;
  readonly headerDigest: string;
  readonly stream: string;
  readonly sequence: number;
  readonly priority: string;
  leaseId: string;
  passes: number;
  /** Unix milliseconds at which the first pass was over; 0 before. */
  firstPassMs: number;
  /** One repeated pass is to be sent, whatever `passes` says. */
  repair?: Repair | undefined;
}

type Line =
  | { readonly begin: Carried }
  | { readonly lease: readonly [bundleId: string, leaseId: string] }
  | { readonly pass: readonly [bundleId: string, passes: number, atMs: number] }
  | { readonly repaired: string }
  | { readonly done: string }
  | { readonly positions: Readonly<Record<string, number>> };

/** The log is written anew when it has grown by so much; a bundle takes about 600 bytes. */
const COMPACT_BYTES = 4 << 20;

export class TxJournal {
  readonly epoch: number;
  readonly #bundles: Map<string, Carried>;
  readonly #positions: Map<string, number>;
  readonly #log: CompactedLog;
  #lastNumber = 0;

  private constructor(
    epoch: number,
    bundles: Map<string, Carried>,
    positions: Map<string, number>,
    log: CompactedLog,
  ) {
    this.epoch = epoch;
    this.#bundles = bundles;
    this.#positions = positions;
    this.#log = log;
  }

  /**
   * Reads what is there and begins a new epoch.
   * @param ferry number of the ferry (SPEC.md §1)
   * @throws GatewayError `ferry.state-corrupt`, `ferry.epoch-exhausted`, `config.invalid` when it is another ferry's
   */
  static async open(stateDir: string, ferry = 0): Promise<TxJournal> {
    const epochPath = join(stateDir, "epoch.json");
    const epoch = nextEpoch(await readState(epochPath), epochPath, ferry);
    const logPath = join(stateDir, "bundles.log");
    const bundles = new Map<string, Carried>();
    const positions = new Map<string, number>();
    for (const line of await readLines(logPath)) apply(bundles, positions, line as Line);
    // Durable before the first frame can carry it.
    await replaceFile(epochPath, `${JSON.stringify({ epoch })}\n`);
    const all = () => snapshot(bundles, positions);
    const log = await CompactedLog.create(logPath, COMPACT_BYTES, all);
    return new TxJournal(epoch, bundles, positions, log);
  }

  /** Bundles under way, in the order in which they were taken on. */
  get bundles(): ReadonlyMap<string, Carried> {
    return this.#bundles;
  }

  /** Highest sequence of each stream whose first pass is over. */
  get positions(): ReadonlyMap<string, number> {
    return this.#positions;
  }

  /** Whether this sender has given an object id out. */
  gaveOut(objectId: number): boolean {
    const epoch = epochOf(objectId);
    const own = ferryOf(epoch) === ferryOf(this.epoch) && startOf(epoch) >= 1;
    return own && objectId <= objectIdOf(this.epoch, this.#lastNumber);
  }

  /**
   * An object id that no frame ever carried.
   * @throws GatewayError `ferry.epoch-exhausted` when the epoch has no more: a restart begins another
   */
  newObjectId(): number {
    if (this.#lastNumber >= MAX_OBJECT_NUMBER) {
      throw new GatewayError("ferry.epoch-exhausted", { detail: `objects of ${this.epoch}` });
    }
    this.#lastNumber += 1;
    return objectIdOf(this.epoch, this.#lastNumber);
  }

  begin(bundle: Carried): Promise<void> {
    return this.#write({ begin: { ...bundle } });
  }

  renewLease(bundleId: string, leaseId: string): Promise<void> {
    return this.#write({ lease: [bundleId, leaseId] });
  }

  passOver(bundleId: string, passes: number, atMs: number): Promise<void> {
    return this.#write({ pass: [bundleId, passes, atMs] });
  }

  /** The pass that a ticket asked for is over. */
  repaired(bundleId: string): Promise<void> {
    return this.#write({ repaired: bundleId });
  }

  done(bundleId: string): Promise<void> {
    return this.#write({ done: bundleId });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #write(line: Line): Promise<void> {
    apply(this.#bundles, this.#positions, line);
    await this.#log.append(line);
  }
}

function nextEpoch(state: unknown, path: string, ferry: number): number {
  if (state === undefined) return epochOfStart(ferry, 1);
  const last = (state as { epoch?: unknown } | null)?.epoch;
  if (typeof last !== "number" || !Number.isSafeInteger(last) || last < 1) {
    throw new GatewayError("ferry.state-corrupt", { detail: path });
  }
  if (ferryOf(last) !== ferry) {
    // Under two numbers it might once have an epoch that somebody else has had.
    throw new GatewayError("config.invalid", {
      detail: `${path} is of the ferry whose lowest link is ${ferryOf(last)}, not ${ferry}`,
    });
  }
  if (startOf(last) >= MAX_START) {
    throw new GatewayError("ferry.epoch-exhausted", { detail: `${last}` });
  }
  return last + 1;
}

function apply(bundles: Map<string, Carried>, positions: Map<string, number>, line: Line): void {
  if ("begin" in line) {
    bundles.set(line.begin.bundleId, { ...line.begin });
  } else if ("lease" in line) {
    const bundle = bundles.get(line.lease[0]);
    if (bundle !== undefined) bundle.leaseId = line.lease[1];
  } else if ("pass" in line) {
    const bundle = bundles.get(line.pass[0]);
    if (bundle === undefined) return;
    if (bundle.passes === 0) bundle.firstPassMs = line.pass[2];
    bundle.passes = line.pass[1];
    const highest = positions.get(bundle.stream) ?? 0;
    positions.set(bundle.stream, Math.max(highest, bundle.sequence));
  } else if ("repaired" in line) {
    const bundle = bundles.get(line.repaired);
    if (bundle !== undefined) bundle.repair = undefined;
  } else if ("done" in line) {
    bundles.delete(line.done);
  } else {
    for (const [stream, sequence] of Object.entries(line.positions)) {
      positions.set(stream, Math.max(positions.get(stream) ?? 0, sequence));
    }
  }
}

function snapshot(
  bundles: ReadonlyMap<string, Carried>,
  positions: ReadonlyMap<string, number>,
): Line[] {
  return [
    { positions: Object.fromEntries(positions) },
    ...[...bundles.values()].map((bundle): Line => ({ begin: bundle })),
  ];
}
