/**
 * Guarantee: `append` resolves when the records are on the disk. While one
 * fdatasync runs, all that arrives meanwhile waits for the next: many callers
 * share one. After a failed write nothing later is taken for written.
 *
 * idle → writing (group n) → idle …    a failed fdatasync → broken, until restart
 */
import { writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { GatewayError } from "../errors/index.ts";
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  type JournalRecord,
  RECORD_HEADER_BYTES,
} from "./frame.ts";
import { createSegment, type Segment } from "./segments.ts";

/** One group at most: bounds the latency of a caller that comes just after a flood. */
const MAX_GROUP_BYTES = 2 * 1024 * 1024;

interface Waiting {
  readonly records: readonly JournalRecord[];
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

export interface WriterState {
  readonly segments: Segment[];
  /** Sequence of the next event that becomes durable. */
  durableSequence: number;
}

export class JournalWriter {
  readonly #state: WriterState;
  readonly #segmentBytes: number;
  readonly #onDurable: () => void;
  readonly #onFailure: () => void;
  readonly #queue: Waiting[] = [];
  #file: FileHandle;
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #broken: GatewayError | undefined;

  private constructor(
    file: FileHandle,
    state: WriterState,
    options: { segmentBytes: number; onDurable: () => void; onFailure: () => void },
  ) {
    this.#file = file;
    this.#state = state;
    this.#segmentBytes = options.segmentBytes;
    this.#onDurable = options.onDurable;
    this.#onFailure = options.onFailure;
  }

  /**
   * @param options.onDurable called after each group
   * @param options.onFailure called when a group and everything queued behind it was rejected
   */
  static async open(
    state: WriterState,
    options: { segmentBytes: number; onDurable: () => void; onFailure: () => void },
  ): Promise<JournalWriter> {
    const file = await open(active(state).path, "r+");
    return new JournalWriter(file, state, options);
  }

  /** Bytes that wait for the disk. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** @throws GatewayError `journal.full` on a full disk, `journal.unwritable` on a failing one */
  append(records: readonly JournalRecord[]): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    let bytes = 0;
    for (const record of records) bytes += RECORD_HEADER_BYTES + record.bytes.length;
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      this.#running ??= this.#run();
    });
  }

  /** Waits for what is queued. */
  async close(): Promise<void> {
    await this.#running;
    await this.#file.close();
  }

  async #run(): Promise<void> {
    // Let callers of the same turn of the loop join the first group.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group);
      } catch (error) {
        const failure = await this.#recover(error);
        const lost = [...group, ...this.#queue.splice(0)];
        this.#queuedBytes = 0;
        this.#onFailure();
        for (const waiting of lost) waiting.reject(failure);
        break;
      }
      for (const waiting of group) {
        this.#queuedBytes -= waiting.bytes;
        waiting.resolve();
      }
      this.#onDurable();
    }
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && bytes + waiting.bytes > MAX_GROUP_BYTES) break;
      bytes += waiting.bytes;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    let segment = active(this.#state);
    if (segment.size >= this.#segmentBytes) {
      segment = await createSegment(
        dirname(segment.path),
        segment.endRecord,
        this.#state.durableSequence,
      );
      const file = await open(segment.path, "r+");
      await this.#file.close();
      this.#file = file;
      this.#state.segments.push(segment);
    }
    const records = group.flatMap((waiting) => waiting.records);
    const frame = encodeFrame(segment.endRecord, records, segment.nonce);
    // On the spot, into the kernel's memory: most groups are one event, and to wait for a thread costs more than that.
    const written = writeSync(this.#file.fd, frame, 0, frame.length, segment.size);
    if (written !== frame.length) throw new GatewayError("journal.full", { detail: "disk" });
    try {
      await this.#file.datasync();
    } catch (cause) {
      // The kernel may have dropped the pages: no later success would prove anything.
      this.#broken = new GatewayError("journal.unwritable", { detail: "fdatasync failed", cause });
      throw this.#broken;
    }
    segment.size += frame.length;
    segment.endRecord += records.length;
    for (const { kind } of records) if (kind === 1) this.#state.durableSequence += 1;
  }

  /** Takes a half-written frame back; if even that fails the journal is broken. */
  async #recover(error: unknown): Promise<GatewayError> {
    if (this.#broken !== undefined) return this.#broken;
    try {
      await this.#file.truncate(active(this.#state).size);
    } catch (cause) {
      this.#broken = new GatewayError("journal.unwritable", { detail: "truncate failed", cause });
      return this.#broken;
    }
    if (error instanceof GatewayError) return error;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    const full = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
    return full
      ? new GatewayError("journal.full", { detail: `disk: ${code}`, cause: error })
      : new GatewayError("journal.unwritable", { detail: code, cause: error });
  }
}

export function active(state: WriterState): Segment {
  const segment = state.segments.at(-1);
  if (segment === undefined) throw new GatewayError("journal.corrupt", { detail: "no segment" });
  return segment;
}

/** What one appended group costs on disk beyond its records. */
export const GROUP_OVERHEAD_BYTES = FRAME_HEADER_BYTES;
