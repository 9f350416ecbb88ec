/**
 * Guarantee: the whole log is read again from its rows; nothing that the server
 * or the database says about them is believed without the event's own bytes
 * and a signed root. Constant memory: rows stream past beside checkpoints,
 * tiles, trails and witness records in one snapshot.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { leafHash } from "@lightferry/proto/merkle";
import type { SmProvider } from "@lightferry/proto/sm";
import { type AuditKey, type CheckedCheckpoint, Checkpoints } from "./checkpoints.ts";
import { type PeerAuditKey, TrailCheck, WitnessCheck } from "./covered.ts";
import { EmitterNumbers } from "./emitters.ts";
import { decodeEvent, disagreeingColumns } from "./event-row.ts";
import { type Finding, type FindingKind, Findings } from "./findings.ts";
import { Leaves } from "./leaves.ts";
import type { Checkpoint } from "./note.ts";
import { type EventRow, openSnapshot, type Snapshot } from "./rows.ts";
import { checkTiles } from "./tiles.ts";

export interface VerifyOptions {
  /** Read access is enough, and all that is used. */
  readonly databaseUrl: string;
  readonly provider: SmProvider;
  readonly node: string;
  readonly auditKey: AuditKey;
  readonly peerAuditKey: PeerAuditKey;
  /** Notes of this log kept elsewhere, for instance by the other zone: they find a rolled-back log. */
  readonly kept?: readonly string[];
  /** Called now and then with the number of events read. */
  readonly onProgress?: (events: number) => void;
}

export interface VerifyReport {
  readonly clean: boolean;
  readonly events: number;
  readonly checkpoints: number;
  readonly tiles: number;
  readonly peerTrails: number;
  readonly witnessed: number;
  /** Witnessed checkpoints without a proof that reaches them: gaps, not findings. */
  readonly witnessGaps: number;
  /** Checkpoints that could not be held against the rows, because rows before them are lost. */
  readonly unchecked: number;
  readonly newest: {
    readonly size: number;
    readonly root: Uint8Array;
    readonly loggedMs: number;
  } | null;
  /** The first thousand. */
  readonly findings: readonly Finding[];
  readonly counts: ReadonlyMap<FindingKind, number>;
}

const PROGRESS_EVERY = 50_000;

/** @throws GatewayError `audit.database-unavailable`, `audit.witness-invalid` for a kept note that is not one. */
export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const snapshot = await openSnapshot(options.databaseUrl);
  try {
    return await new Verification(options, snapshot).run();
  } finally {
    await snapshot.close();
  }
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #snapshot: Snapshot;
  readonly #findings = new Findings();
  readonly #leaves: Leaves;
  readonly #emitters: EmitterNumbers;
  readonly #checkpoints: Checkpoints;
  readonly #trails: TrailCheck;
  readonly #witnesses: WitnessCheck;
  readonly #kept = new Map<number, Checkpoint>();
  /** The checkpoint that covers the row at hand. */
  #current: CheckedCheckpoint | undefined;
  #newest: CheckedCheckpoint | undefined;
  #rows = 0;

  constructor(options: VerifyOptions, snapshot: Snapshot) {
    const { provider } = options;
    this.#options = options;
    this.#snapshot = snapshot;
    this.#leaves = new Leaves(provider.sm3, this.#findings);
    this.#emitters = new EmitterNumbers(this.#findings);
    this.#checkpoints = new Checkpoints(
      snapshot.checkpoints,
      this.#findings,
      provider,
      options.node,
      options.auditKey,
    );
    this.#trails = new TrailCheck(snapshot.trails, this.#findings, provider.sm3);
    this.#witnesses = new WitnessCheck(
      snapshot.witnesses,
      this.#findings,
      provider,
      options.peerAuditKey,
    );
  }

  async run(): Promise<VerifyReport> {
    this.#readKept();
    await this.#advance();
    const { events } = this.#snapshot;
    for (let row = await events.peek(); row !== undefined; row = await events.peek()) {
      events.take();
      if (row.seq < this.#leaves.size) {
        this.#findings.add("row.duplicate", row.seq);
        continue;
      }
      await this.#missingUpTo(row.seq);
      if (this.#current === undefined) {
        await this.#uncovered(row);
        break;
      }
      await this.#row(row, this.#current);
    }
    await this.#missingTail();
    return this.#report();
  }

  #readKept(): void {
    for (const text of this.#options.kept ?? []) {
      const note = this.#checkpoints.read(text);
      if (note === undefined)
        throw new GatewayError("audit.witness-invalid", { detail: "kept note" });
      this.#kept.set(note.size, note);
    }
  }

  /** Takes the next checkpoint; at the end there is none to cover a row. */
  async #advance(): Promise<void> {
    this.#current = await this.#checkpoints.next();
    this.#newest = this.#current ?? this.#newest;
  }

  async #row(row: EventRow, checkpoint: CheckedCheckpoint): Promise<void> {
    this.#rows += 1;
    if (this.#rows % PROGRESS_EVERY === 0) this.#options.onProgress?.(this.#rows);
    const { sm3 } = this.#options.provider;
    const event = decodeEvent(row.canonical);
    const loggedMs = checkpoint.row.logged_ms;
    if (event === undefined) {
      this.#findings.add("row.altered", row.seq, "not a canonical event");
      this.#emitters.seen(`${row.node}/${row.emitter}`, row.emitter_sequence, row.seq);
    } else {
      for (const column of disagreeingColumns(row, event)) {
        this.#findings.add("row.column", row.seq, column);
      }
      this.#emitters.seen(`${event.node}/${event.emitter}`, event.emitterSequence, row.seq);
    }
    const inBatch = row.seq >= checkpoint.row.previous_size;
    if (inBatch && row.logged_ms !== loggedMs)
      this.#findings.add("row.column", row.seq, "logged_ms");
    await this.#append(leafHash(sm3, row.canonical), row.leaf);
    if (event?.type === "audit.peer-trails-recorded") {
      await this.#trails.covering(row.seq, loggedMs, event);
    } else if (event?.type === "audit.checkpoint-witnessed") {
      await this.#witnesses.covering(row.seq, loggedMs, event);
    }
  }

  /** One leaf further; settles every checkpoint that ends here. */
  async #append(computed: Uint8Array | undefined, column: Uint8Array | undefined): Promise<void> {
    this.#leaves.append({ computed, column, tile: await this.#tileEntry(this.#leaves.size) });
    await this.#settle();
  }

  async #settle(): Promise<void> {
    const { size } = this.#leaves;
    const kept = this.#kept.get(size);
    while (this.#current !== undefined && this.#current.row.size <= size) {
      const { row, signed } = this.#current;
      if (signed !== undefined && row.size === size) {
        this.#leaves.settle(signed.root, row.previous_size);
      }
      await this.#advance();
    }
    if (kept === undefined) return;
    this.#kept.delete(size);
    const root = this.#leaves.root();
    if (root === undefined || Buffer.compare(root, kept.root) !== 0) {
      this.#findings.add("checkpoint.rolled-back", size, "another root");
    }
  }

  async #tileEntry(index: number): Promise<Uint8Array | undefined> {
    const { leafTiles } = this.#snapshot;
    const wanted = Math.floor(index / 256);
    let tile = await leafTiles.peek();
    while (tile !== undefined && tile.index < wanted) {
      leafTiles.take();
      tile = await leafTiles.peek();
    }
    if (tile?.index !== wanted) return undefined;
    const at = (index % 256) * 32;
    return tile.hashes.subarray(at, at + 32);
  }

  /** Indexes without a row before the one at hand. */
  async #missingUpTo(end: number): Promise<void> {
    const first = this.#leaves.size;
    if (first < end && this.#current !== undefined) await this.#fill(end);
    if (this.#leaves.size > first) {
      this.#findings.add("row.missing", first, "", this.#leaves.size - 1);
    }
  }

  /** Signed checkpoints reach further than the rows: the tail was cut. */
  async #missingTail(): Promise<void> {
    const first = this.#leaves.size;
    while (this.#current !== undefined) {
      if (this.#current.signed === undefined) await this.#advance();
      else await this.#fill(this.#current.row.size);
    }
    if (this.#leaves.size > first) {
      this.#findings.add("row.missing", first, "", this.#leaves.size - 1);
    }
  }

  /** Goes on without rows: a stored tile still knows their hashes, else they are lost. */
  async #fill(end: number): Promise<void> {
    while (this.#leaves.size < end && this.#current !== undefined) {
      if ((await this.#tileEntry(this.#leaves.size)) !== undefined) {
        await this.#append(undefined, undefined);
        continue;
      }
      this.#leaves.lose(end);
      await this.#settle();
    }
  }

  async #uncovered(first: EventRow): Promise<void> {
    const { events } = this.#snapshot;
    let last = first.seq;
    for (let row = await events.peek(); row !== undefined; row = await events.peek()) {
      events.take();
      last = row.seq;
    }
    this.#findings.add("row.uncovered", first.seq, "", last);
  }

  async #report(): Promise<VerifyReport> {
    this.#leaves.finish();
    this.#emitters.finish();
    await this.#trails.orphansBelow(Number.MAX_SAFE_INTEGER);
    await this.#witnesses.orphansBelow(Number.MAX_SAFE_INTEGER);
    for (const size of this.#kept.keys()) {
      this.#findings.add("checkpoint.rolled-back", size, "the log is shorter");
    }
    const newest = this.#newest?.row;
    const tiles = await checkTiles(
      this.#snapshot.tiles,
      newest?.size ?? 0,
      this.#leaves.alteredTiles,
      this.#findings,
      this.#options.provider.sm3,
    );
    return {
      clean: this.#findings.total === 0,
      events: this.#rows,
      checkpoints: this.#checkpoints.count,
      tiles,
      peerTrails: this.#trails.count,
      witnessed: this.#witnesses.count,
      witnessGaps: this.#witnesses.unlinked.size,
      unchecked: this.#leaves.unchecked,
      newest:
        newest === undefined
          ? null
          : { size: newest.size, root: newest.root, loggedMs: newest.logged_ms },
      findings: this.#findings.listed,
      counts: this.#findings.counts,
    };
  }
}
