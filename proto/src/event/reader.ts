/**
 * Guarantee: hands out durable records in order from a given number on, a
 * bounded number at a time, holding one frame in memory.
 */
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { GatewayError } from "../errors/index.ts";
import {
  decodeFrame,
  FRAME_HEADER_BYTES,
  framePayloadLength,
  type JournalRecord,
  SEGMENT_HEADER_BYTES,
} from "./frame.ts";
import type { Segment } from "./segments.ts";

export class JournalReader {
  readonly #segments: readonly Segment[];
  #next: number;
  #segment: Segment | undefined;
  #file: FileHandle | undefined;
  #offset = 0;
  /** Records of the frame at hand that were not given out yet. */
  #rest: JournalRecord[] = [];

  /** @param from number of the first record wanted; earlier ones are skipped */
  constructor(segments: readonly Segment[], from: number) {
    this.#segments = segments;
    this.#next = from;
  }

  /** Number of the record that comes next. */
  get position(): number {
    return this.#next;
  }

  /**
   * The next records for which `fits` says true, in order; empty when all
   * durable ones were read. `fits` sees each record once per call, and a record
   * it refuses comes again.
   */
  async take(fits: (record: JournalRecord) => boolean): Promise<JournalRecord[]> {
    const taken: JournalRecord[] = [];
    for (;;) {
      if (this.#rest.length === 0 && !(await this.#readFrame())) return taken;
      let count = 0;
      for (const record of this.#rest) {
        if (!fits(record)) break;
        count += 1;
      }
      taken.push(...this.#rest.splice(0, count));
      this.#next += count;
      if (this.#rest.length > 0) return taken;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #readFrame(): Promise<boolean> {
    for (;;) {
      if (this.#segment === undefined && !(await this.#openSegment())) return false;
      const segment = this.#segment;
      if (segment === undefined || this.#file === undefined) return false;
      if (this.#offset >= segment.size) {
        const isLast = segment === this.#segments.at(-1);
        if (isLast) return false;
        await this.close();
        this.#segment = undefined;
        continue;
      }
      const frame = await this.#frameAt(this.#file, segment);
      this.#offset = frame.end;
      const skip = this.#next - frame.firstRecord;
      if (skip >= frame.records.length) continue;
      this.#rest = skip > 0 ? frame.records.slice(skip) : frame.records;
      return true;
    }
  }

  async #openSegment(): Promise<boolean> {
    const segment =
      this.#segments.find((one) => one.endRecord > this.#next) ??
      this.#segments.find((one) => one === this.#segments.at(-1));
    if (segment === undefined) return false;
    if (segment.firstRecord > this.#next) this.#next = segment.firstRecord;
    this.#segment = segment;
    this.#file = await open(segment.path, "r");
    this.#offset = SEGMENT_HEADER_BYTES;
    return true;
  }

  async #frameAt(file: FileHandle, segment: Segment) {
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    await file.read(header, 0, header.length, this.#offset);
    const length = framePayloadLength(header);
    if (length !== undefined) {
      const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
      await file.read(bytes, 0, bytes.length, this.#offset);
      const frame = decodeFrame(bytes, 0, segment.nonce);
      if (frame !== undefined) return { ...frame, end: this.#offset + bytes.length };
    }
    throw new GatewayError("journal.corrupt", {
      detail: `${basename(segment.path)}: at byte ${this.#offset}`,
    });
  }
}
