/**
 * Guarantee: what `record` has resolved is on the disk and will be in the audit
 * log, whatever dies in between. Sequences run from 1 without holes. When the
 * journal may grow no further it says `journal.full`, and traffic must stop.
 *
 * record ─▶ encode ─▶ writer (group commit) ─▶ resolved
 *                         └─▶ forwarder ─▶ AuditService.Append ─▶ files removed
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { GatewayError } from "../errors/index.ts";
import { type Emitter, encodeEvent, encodePeerTrails } from "./encode.ts";
import { type AuditSink, Forwarder, MAX_BATCH_BYTES, MAX_BATCH_EVENTS } from "./forwarder.ts";
import { type JournalRecord, RECORD_HEADER_BYTES, RECORD_KIND } from "./frame.ts";
import { AcknowledgedPosition } from "./position.ts";
import { openSegments } from "./segments.ts";
import type { EventInput, PeerTrailInput } from "./types.ts";
import { active, GROUP_OVERHEAD_BYTES, JournalWriter, type WriterState } from "./writer.ts";

/** Hours of traffic at full rate without audit; then it is an incident, not a hiccup. */
export const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
/** Files go as a whole, so they are small beside the limit and quick to scan at start. */
const SEGMENT_BYTES = 8 * 1024 * 1024;
const SEGMENTS_PER_LIMIT = 8;
/** How long closing waits for a last batch; what is left goes after the next start. */
const CLOSE_DRAIN_MS = 1_000;
const DRAIN_POLL_MS = 10;

export interface EventJournalOptions extends Emitter {
  readonly dir: string;
  /** Bytes on disk that audit has not acknowledged; 256 MiB by default. */
  readonly maxBytes?: number | undefined;
  readonly log: Logger;
  /** Absent in audit itself, which attaches its own by {@link EventJournal.forwardTo}. */
  readonly sink?: AuditSink | undefined;
}

interface Parts {
  readonly state: WriterState;
  readonly writer: JournalWriter;
  readonly forwarder: Forwarder;
  readonly position: AcknowledgedPosition;
}

export class EventJournal {
  readonly #emitter: Emitter;
  readonly #maxBytes: number;
  readonly #parts: Parts;
  /** Sequence for the next event that is encoded; ahead of the durable one by what is queued. */
  #nextSequence: number;
  #closed = false;

  private constructor(options: EventJournalOptions, parts: Parts) {
    this.#emitter = { zone: options.zone, node: options.node, emitter: options.emitter };
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#parts = parts;
    this.#nextSequence = parts.state.durableSequence;
  }

  /** @throws GatewayError `journal.corrupt`, `journal.unwritable` */
  static async open(options: EventJournalOptions): Promise<EventJournal> {
    const opened: { journal?: EventJournal } = {};
    await mkdir(options.dir, { recursive: true, mode: 0o700 }).catch(unwritable);
    const { segments, nextSequence } = await openSegments(options.dir).catch(unwritable);
    const state: WriterState = { segments, durableSequence: nextSequence };
    const position = await AcknowledgedPosition.open(join(options.dir, "acknowledged")).catch(
      unwritable,
    );
    if (position.value > active(state).endRecord) {
      await position.close();
      throw new GatewayError("journal.corrupt", { detail: "records that audit has are missing" });
    }
    const forwarder = new Forwarder(segments, position, options.log);
    const writer = await JournalWriter.open(state, {
      segmentBytes: Math.min(
        SEGMENT_BYTES,
        Math.ceil((options.maxBytes ?? DEFAULT_MAX_BYTES) / SEGMENTS_PER_LIMIT),
      ),
      onDurable: () => forwarder.kick(),
      onFailure: () => opened.journal?.takeSequencesBack(),
    });
    const journal = new EventJournal(options, { state, writer, forwarder, position });
    opened.journal = journal;
    if (options.sink !== undefined) journal.forwardTo(options.sink);
    return journal;
  }

  /** Sends to this sink from now on; once per journal. */
  forwardTo(sink: AuditSink): void {
    this.#parts.forwarder.start(sink);
  }

  /**
   * Makes events durable. Many concurrent calls share one fdatasync.
   * @returns their canonical bytes, in order, once they are on the disk
   * @throws GatewayError `journal.full`, `journal.unwritable`, `event.invalid`: none of them was recorded
   */
  async record(inputs: readonly EventInput[]): Promise<Uint8Array[]> {
    if (inputs.length === 0) return [];
    this.#checkOpen();
    // Encode first and count after: a fault in one input must not leave a hole.
    let sequence = this.#nextSequence;
    const events = inputs.map((input) => encodeEvent(input, this.#emitter, sequence++));
    const append = this.#append(events.map((bytes) => ({ kind: RECORD_KIND.event, bytes })));
    this.#nextSequence = sequence;
    await append;
    return events;
  }

  /**
   * Makes the other zone's half of an exchange durable; forwarded like events.
   * @throws GatewayError as {@link record}
   */
  async recordPeerTrail(trail: PeerTrailInput): Promise<void> {
    if (trail.events.length === 0) return;
    this.#checkOpen();
    const parts = encodePeerTrails(trail, MAX_BATCH_EVENTS, MAX_BATCH_BYTES / 2);
    await this.#append(parts.map((bytes) => ({ kind: RECORD_KIND.peerTrail, bytes })));
  }

  /** Records that audit has not acknowledged, and the bytes of the files they keep alive. */
  get backlog(): { readonly records: number; readonly bytes: number } {
    const { segments } = this.#parts.state;
    const acknowledged = this.#parts.position.value;
    let bytes = 0;
    for (const { size, endRecord } of segments) if (endRecord > acknowledged) bytes += size;
    const first = Math.max(acknowledged, segments[0]?.firstRecord ?? 0);
    return { records: active(this.#parts.state).endRecord - first, bytes };
  }

  /** Resolves once audit has acknowledged everything recorded so far. */
  async drained(signal?: AbortSignal): Promise<void> {
    this.#parts.forwarder.hurry();
    while (this.backlog.records > 0 || this.#parts.writer.queuedBytes > 0) {
      if (signal?.aborted === true) return;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }

  /** Finishes what is queued, gives audit a moment to take the rest, closes the files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#parts.writer.close();
    if (this.#parts.forwarder.active) await this.drained(AbortSignal.timeout(CLOSE_DRAIN_MS));
    await this.#parts.forwarder.close();
    await this.#parts.position.close();
  }

  /** Called by the writer after it rejected everything that was queued. */
  takeSequencesBack(): void {
    this.#nextSequence = this.#parts.state.durableSequence;
  }

  /** Throws at once, before a sequence is used. */
  #append(records: readonly JournalRecord[]): Promise<void> {
    let bytes = GROUP_OVERHEAD_BYTES;
    for (const record of records) bytes += RECORD_HEADER_BYTES + record.bytes.length;
    const held = this.backlog.bytes + this.#parts.writer.queuedBytes;
    if (held + bytes > this.#maxBytes) {
      throw new GatewayError("journal.full", {
        detail: `${held} of ${this.#maxBytes} bytes, audit not reachable`,
      });
    }
    return this.#parts.writer.append(records);
  }

  #checkOpen(): void {
    if (this.#closed) throw new GatewayError("journal.unwritable", { detail: "closed" });
  }
}

function unwritable(cause: unknown): never {
  if (cause instanceof GatewayError) throw cause;
  const detail = (cause as NodeJS.ErrnoException).code ?? "unknown";
  throw new GatewayError("journal.unwritable", { detail, cause });
}
