/**
 * Guarantee: every durable record reaches audit at least once and in order, in
 * bounded batches; what audit has acknowledged is remembered and its files go.
 * While audit is away it tries again with growing, jittered pauses, for ever.
 *
 * waiting → sending → (acknowledged → waiting | failed → pausing → sending)
 */
import { unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Logger } from "pino";
import { asGatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { type JournalRecord, RECORD_KIND } from "./frame.ts";
import type { AcknowledgedPosition } from "./position.ts";
import { JournalReader } from "./reader.ts";
import { type Segment, syncFolder } from "./segments.ts";

const { PeerTrail } = lightferry.audit.v1;

/** What AuditService.Append takes at once (audit.proto). */
export const MAX_BATCH_EVENTS = 512;
/** The schema allows 1 MiB; the rest is room for field headers. */
export const MAX_BATCH_BYTES = 960 * 1024;

/**
 * A batch costs audit a signature and a commit, however few its events. After an idle time the
 * first event goes at once; what follows is gathered this long: it is durable here already.
 */
const GATHER_MS = 250;
/** A batch this full is worth its cost: the next one need not wait. */
const GATHER_EVENTS = MAX_BATCH_EVENTS / 2;

const PAUSE_FIRST_MS = 100;
/** Audit restarts in seconds; more than this only delays the evidence. */
const PAUSE_LONGEST_MS = 5_000;
/** A failure is worth a line in the log when it begins and then once a minute. */
const REPORT_EVERY_MS = 60_000;

/** Where events go: `createClient(AuditService, …)` or, inside audit, its own sequencer. */
export interface AuditSink {
  append(request: lightferry.audit.v1.AppendRequest.$Properties): Promise<unknown>;
}

export class Forwarder {
  readonly #segments: Segment[];
  readonly #position: AcknowledgedPosition;
  readonly #log: Logger;
  readonly #reader: JournalReader;
  #sink: AuditSink | undefined;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #closed = false;
  /** True when a damaged record stopped forwarding; only an auditor can resolve that. */
  #stuck = false;
  #reportedAt = 0;
  /** No small batch is sent before; by performance.now(). */
  #gatherUntil = 0;
  #gathering = false;
  #hurried = false;

  constructor(segments: Segment[], position: AcknowledgedPosition, log: Logger) {
    this.#segments = segments;
    this.#position = position;
    this.#log = log;
    this.#reader = new JournalReader(segments, position.value);
  }

  /** Begins to send to this sink what is and what will be in the journal. */
  start(sink: AuditSink): void {
    this.#sink = sink;
    this.kick();
  }

  /** True while records can be expected to leave. */
  get active(): boolean {
    return this.#sink !== undefined && !this.#stuck;
  }

  /** Something new is durable. */
  kick(): void {
    if (this.#sink === undefined || this.#closed) return;
    if (this.#gathering && this.#pendingRecords() >= GATHER_EVENTS) this.#wake?.();
    this.#running ??= this.#run(this.#sink).finally(() => {
      this.#running = undefined;
      // A record that became durable between the last look and this point.
      if (!this.#closed && this.#pendingRecords() > 0 && !this.#stuck) this.kick();
    });
  }

  /** Gathers no longer: somebody waits for what is here to be with audit. */
  hurry(): void {
    this.#hurried = true;
    if (this.#gathering) this.#wake?.();
  }

  /** Ends after the batch under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#running;
    await this.#reader.close();
  }

  #pendingRecords(): number {
    const first = Math.max(this.#position.value, this.#segments[0]?.firstRecord ?? 0);
    return (this.#segments.at(-1)?.endRecord ?? 0) - first;
  }

  async #run(sink: AuditSink): Promise<void> {
    try {
      while (!this.#closed) {
        const early = this.#gatherUntil - performance.now();
        const pending = this.#pendingRecords();
        if (early > 0 && !this.#hurried && pending > 0 && pending < GATHER_EVENTS) {
          this.#gathering = true;
          await this.#sleep(early);
          this.#gathering = false;
          continue;
        }
        const batch = await this.#nextBatch();
        if (batch.length === 0) return;
        if (!(await this.#deliver(sink, batch))) return;
        this.#gatherUntil = performance.now() + GATHER_MS;
        await this.#position.set(this.#reader.position);
        await this.#removeAcknowledged();
      }
    } catch (error) {
      this.#stuck = true;
      const { code, detail } = asGatewayError(error);
      this.#log.error({ code, detail, err: error }, "the audit journal cannot be forwarded");
    }
  }

  #nextBatch(): Promise<JournalRecord[]> {
    let events = 0;
    let bytes = 0;
    return this.#reader.take((record) => {
      const count =
        record.kind === RECORD_KIND.event
          ? 1
          : (PeerTrail.decode(record.bytes).events?.length ?? 0);
      const first = events === 0 && bytes === 0;
      if (
        !first &&
        (events + count > MAX_BATCH_EVENTS || bytes + record.bytes.length > MAX_BATCH_BYTES)
      ) {
        return false;
      }
      events += count;
      bytes += record.bytes.length;
      return true;
    });
  }

  /** False when closed before audit took the batch. */
  async #deliver(sink: AuditSink, batch: readonly JournalRecord[]): Promise<boolean> {
    const request = {
      events: batch.filter(({ kind }) => kind === RECORD_KIND.event).map(({ bytes }) => bytes),
      peerTrails: batch
        .filter(({ kind }) => kind === RECORD_KIND.peerTrail)
        .map(({ bytes }) => PeerTrail.decode(bytes)),
    };
    for (let pause = PAUSE_FIRST_MS; ; pause = Math.min(pause * 2, PAUSE_LONGEST_MS)) {
      try {
        await sink.append(request);
        if (this.#reportedAt !== 0) this.#log.info("audit takes events again");
        this.#reportedAt = 0;
        return true;
      } catch (error) {
        this.#report(error);
      }
      if (this.#closed) return false;
      await this.#sleep(pause * (0.5 + Math.random()));
      if (this.#closed) return false;
    }
  }

  #report(error: unknown): void {
    const now = Date.now();
    if (now - this.#reportedAt < REPORT_EVERY_MS) return;
    this.#reportedAt = now;
    const { code, detail } = asGatewayError(error);
    this.#log.warn(
      { code, detail, waiting: this.#pendingRecords() },
      "audit does not take events; they are kept",
    );
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #removeAcknowledged(): Promise<void> {
    let removed = 0;
    for (;;) {
      const [oldest] = this.#segments;
      if (oldest === undefined || this.#segments.length === 1) break;
      if (oldest.endRecord > this.#position.value) break;
      // The position must not be older than the files that are left.
      if (removed === 0) await this.#position.sync();
      await unlink(oldest.path);
      this.#segments.shift();
      removed += 1;
    }
    const [first] = this.#segments;
    if (removed > 0 && first !== undefined) await syncFolder(dirname(first.path));
  }
}
