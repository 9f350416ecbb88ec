/**
 * Guarantee: after any crash the sender knows an epoch and names that it never used, which shipments were
 * under way, which group of which pass of each is over, and the highest position of every stream whose first
 * pass is over.
 *
 * Lines of the log: `begin` a shipment, `group` over, `pass` over, `done`, `positions` (only at the
 * beginning, from compaction).
 */
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { CompactedLog } from "../../compacted-log.ts";
import { readLines, readState, replaceFile } from "../../durable.ts";
import type { Entry } from "../manifest.ts";
import type { PlanFacts } from "../plan.ts";

/** A bundle of a shipment. */
export interface Carried extends Entry {
  readonly file: string;
  readonly priority: string;
  /** Hex of SM3 of the file. */
  readonly digest: string;
  /** The last one known; a newer one comes with the next lease. */
  leaseId: string;
}

/** Bundles that cross together, cut in one way for all passes. */
export interface Shipment {
  /** Hex of 16 random bytes. */
  readonly id: string;
  readonly plan: PlanFacts;
  readonly bundles: readonly Carried[];
  readonly serviceClass: number;
  passes: number;
  /** Of the pass under way. */
  groups: number;
  /** Unix milliseconds at which the first pass was over; 0 before. */
  firstPassMs: number;
}

type Line =
  | { readonly begin: Shipment }
  | { readonly group: readonly [id: string, groups: number] }
  | { readonly pass: readonly [id: string, passes: number, atMs: number] }
  | { readonly done: string }
  | { readonly positions: Readonly<Record<string, number>> };

interface Counters {
  readonly epoch: number;
  /** Numbers of names below this may have been used. */
  readonly names: number;
}

/** The log is written anew when it has grown by so much; a bundle takes about 400 bytes. */
const COMPACT_BYTES = 4 << 20;
/** Names made durable at once: a restart leaves out as many at most. */
const NAMES_AT_ONCE = 256;

export class ShipmentJournal {
  readonly epoch: number;
  readonly #countersPath: string;
  readonly #shipments: Map<string, Shipment>;
  readonly #positions: Map<string, number>;
  readonly #log: CompactedLog;
  #nextName: number;
  #namesUntil: number;

  private constructor(
    countersPath: string,
    { epoch, names }: Counters,
    state: Pick<State, "shipments" | "positions">,
    log: CompactedLog,
  ) {
    this.epoch = epoch;
    this.#countersPath = countersPath;
    this.#nextName = names;
    this.#namesUntil = names;
    this.#shipments = state.shipments;
    this.#positions = state.positions;
    this.#log = log;
  }

  /** Reads what is there and begins a new epoch. @throws GatewayError `ferry.state-corrupt` */
  static async open(stateDir: string): Promise<ShipmentJournal> {
    const countersPath = join(stateDir, "directory.json");
    const last = countersOf(await readState(countersPath), countersPath);
    // By the clock, so that a sender whose state was lost is not taken for its former self; never backwards.
    const epoch = Math.max(last.epoch + 1, Math.floor(Date.now() / 1_000));
    const counters = { epoch, names: last.names };
    const state: State = { shipments: new Map(), positions: new Map() };
    const logPath = join(stateDir, "shipments.log");
    for (const line of await readLines(logPath)) apply(state, line as Line);
    await replaceFile(countersPath, `${JSON.stringify(counters)}\n`);
    const log = await CompactedLog.create(logPath, COMPACT_BYTES, () => snapshot(state));
    return new ShipmentJournal(countersPath, counters, state, log);
  }

  /** Shipments under way, in the order in which they were begun. */
  get shipments(): ReadonlyMap<string, Shipment> {
    return this.#shipments;
  }

  /** Highest sequence of each stream whose first pass is over. */
  get positions(): ReadonlyMap<string, number> {
    return this.#positions;
  }

  /** The number of a name that no file ever had. One caller at a time. */
  async nextName(): Promise<number> {
    if (this.#nextName >= this.#namesUntil) {
      const until = this.#nextName + NAMES_AT_ONCE;
      const counters: Counters = { epoch: this.epoch, names: until };
      await replaceFile(this.#countersPath, `${JSON.stringify(counters)}\n`);
      this.#namesUntil = until;
    }
    this.#nextName += 1;
    return this.#nextName - 1;
  }

  begin(shipment: Shipment): Promise<void> {
    return this.#write({ begin: shipment });
  }

  groupOver(id: string, groups: number): Promise<void> {
    return this.#write({ group: [id, groups] });
  }

  passOver(id: string, passes: number, atMs: number): Promise<void> {
    return this.#write({ pass: [id, passes, atMs] });
  }

  done(id: string): Promise<void> {
    return this.#write({ done: id });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #write(line: Line): Promise<void> {
    apply({ shipments: this.#shipments, positions: this.#positions }, line);
    await this.#log.append(line);
  }
}

interface State {
  readonly shipments: Map<string, Shipment>;
  readonly positions: Map<string, number>;
}

function countersOf(state: unknown, path: string): Counters {
  if (state === undefined) return { epoch: 0, names: 0 };
  const { epoch, names } = (state ?? {}) as Partial<Counters>;
  if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(names)) {
    throw new GatewayError("ferry.state-corrupt", { detail: path });
  }
  return { epoch: epoch as number, names: names as number };
}

function apply({ shipments, positions }: State, line: Line): void {
  if ("begin" in line) {
    shipments.set(line.begin.id, line.begin);
  } else if ("group" in line) {
    const shipment = shipments.get(line.group[0]);
    if (shipment !== undefined) shipment.groups = line.group[1];
  } else if ("pass" in line) {
    const [id, passes, atMs] = line.pass;
    const shipment = shipments.get(id);
    if (shipment === undefined) return;
    if (shipment.passes === 0) shipment.firstPassMs = atMs;
    shipment.passes = passes;
    shipment.groups = 0;
    for (const { stream, sequence } of shipment.bundles) raise(positions, stream, sequence);
  } else if ("done" in line) {
    shipments.delete(line.done);
  } else {
    for (const [stream, sequence] of Object.entries(line.positions)) {
      raise(positions, stream, sequence);
    }
  }
}

function raise(positions: Map<string, number>, stream: string, sequence: number): void {
  positions.set(stream, Math.max(positions.get(stream) ?? 0, sequence));
}

function snapshot({ shipments, positions }: State): Line[] {
  return [
    { positions: Object.fromEntries(positions) },
    ...[...shipments.values()].map((shipment): Line => ({ begin: shipment })),
  ];
}
