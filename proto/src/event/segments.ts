/**
 * Guarantee: opening a journal folder finds every acknowledged record. A last
 * frame that a crash cut short is removed; damage anywhere else stops the start
 * with `journal.corrupt`, because evidence would be missing.
 */
import { mkdir, open, readdir, readFile, truncate, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { GatewayError } from "../errors/index.ts";
import {
  decodeFrame,
  decodeSegmentHeader,
  encodeSegmentHeader,
  intactFrameAfter,
  RECORD_KIND,
  SEGMENT_HEADER_BYTES,
} from "./frame.ts";

export interface Segment {
  readonly path: string;
  readonly nonce: Buffer;
  readonly firstRecord: number;
  /** Number of the record behind the last one. */
  endRecord: number;
  /** Durable bytes. */
  size: number;
}

export interface OpenedSegments {
  readonly segments: Segment[];
  /** Sequence of the next event. */
  readonly nextSequence: number;
}

const NAME = /^\d{16}\.journal$/;

/** Segments of a folder, oldest first; at least one. @throws GatewayError `journal.corrupt` */
export async function openSegments(dir: string): Promise<OpenedSegments> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const names = (await readdir(dir)).filter((name) => NAME.test(name)).sort();
  const segments: Segment[] = [];
  let nextSequence = 1;
  for (const [index, name] of names.entries()) {
    const path = join(dir, name);
    const last = index === names.length - 1;
    const scanned = await scan(path, last);
    if (scanned === undefined) continue;
    const before = segments.at(-1);
    if (before !== undefined && before.endRecord !== scanned.segment.firstRecord) {
      throw corrupt(path, "records are missing before this file");
    }
    if (segments.length > 0 && scanned.firstSequence !== nextSequence) {
      throw corrupt(path, "event sequence does not continue");
    }
    segments.push(scanned.segment);
    nextSequence = scanned.nextSequence;
  }
  if (segments.length === 0) {
    if (names.length > 1) throw corrupt(dir, "no readable file");
    segments.push(await createSegment(dir, 1, 1));
  }
  return { segments, nextSequence };
}

/** A new, empty, durable segment file. */
export async function createSegment(
  dir: string,
  firstRecord: number,
  firstSequence: number,
): Promise<Segment> {
  const path = join(dir, `${String(firstRecord).padStart(16, "0")}.journal`);
  const header = encodeSegmentHeader(firstRecord, firstSequence);
  const file = await open(path, "wx", 0o600);
  try {
    await file.write(header);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dir);
  const nonce = Buffer.from(header.subarray(24, 32));
  return { path, nonce, firstRecord, endRecord: firstRecord, size: header.length };
}

/** Makes creations and removals in a folder durable. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

interface Scanned {
  readonly segment: Segment;
  readonly firstSequence: number;
  readonly nextSequence: number;
}

/** Undefined when the file was being created during a crash and never held a record. */
async function scan(path: string, last: boolean): Promise<Scanned | undefined> {
  // A segment is at most a few megabytes (SEGMENT_BYTES plus one group).
  const bytes = await readFile(path);
  const header = decodeSegmentHeader(bytes);
  if (header === undefined) {
    if (!last || bytes.length > SEGMENT_HEADER_BYTES) throw corrupt(path, "header");
    await unlink(path);
    return undefined;
  }
  let at = SEGMENT_HEADER_BYTES;
  let record = header.firstRecord;
  let sequence = header.firstSequence;
  while (at < bytes.length) {
    const frame = decodeFrame(bytes, at, header.nonce);
    if (frame === undefined || frame.firstRecord !== record) {
      if (!last || frame !== undefined || intactFrameAfter(bytes, at, header.nonce)) {
        throw corrupt(path, `at byte ${at}`);
      }
      await truncate(path, at);
      await syncFile(path);
      break;
    }
    record += frame.records.length;
    for (const { kind } of frame.records) if (kind === RECORD_KIND.event) sequence += 1;
    at = frame.end;
  }
  return {
    segment: {
      path,
      nonce: header.nonce,
      firstRecord: header.firstRecord,
      endRecord: record,
      size: at,
    },
    firstSequence: header.firstSequence,
    nextSequence: sequence,
  };
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function corrupt(path: string, what: string): GatewayError {
  return new GatewayError("journal.corrupt", { detail: `${basename(path)}: ${what}` });
}
