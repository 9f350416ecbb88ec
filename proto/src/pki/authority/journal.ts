/**
 * Guarantee: everything a CA ever signed stands in its journal before anyone
 * gets it: one JSON line each, fsynced, chained by SM3 over the line before. A
 * serial stands there once, a list number never goes back. A line cut short by
 * a power failure was never acknowledged and is cut off; any other damage stops
 * the CA.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { GatewayError } from "../../errors/index.ts";
import { loadProvider } from "../../sm/index.ts";
import type { RevocationReason } from "../types.ts";

/** Some 10,000 certificates, and room in a backup of 16 MiB. */
export const MAX_JOURNAL_BYTES = 11 * 1024 * 1024;
const FIRST = "0".repeat(64);
const LF = 0x0a;

/** One thing a CA did. */
export type JournalEvent =
  | { readonly event: "created"; readonly keyId: string }
  /** The CA's own certificate was put in place; DER in base64. */
  | { readonly event: "certified"; readonly serial: string; readonly der: string }
  | {
      readonly event: "issued";
      readonly serial: string;
      readonly keyId: string;
      /** DER in base64: a certificate whose file was lost can be taken from here. */
      readonly der: string;
    }
  | {
      readonly event: "revoked";
      readonly serial: string;
      readonly reason: RevocationReason;
      readonly revokedMs: number;
    }
  | { readonly event: "listed"; readonly number: number; readonly digest: string }
  /** Taken back from a backup: list numbers go on above `floor`. */
  | { readonly event: "restored"; readonly floor: number };

export type JournalEntry = JournalEvent & {
  /** From 1, without gaps. */
  readonly line: number;
  readonly atMs: number;
  /** SM3 of the line before, hex. */
  readonly previous: string;
};

const EVENTS = ["created", "certified", "issued", "revoked", "listed", "restored"];

export interface Journal {
  readonly entries: readonly JournalEntry[];
  /** Bytes of whole lines. */
  readonly length: number;
  /** SM3 of the last line, hex. */
  readonly head: string;
}

function damaged(path: string, line: number): GatewayError {
  return new GatewayError("key.ca-damaged", { detail: `${path}: line ${line}` });
}

function readLine(path: string, text: string, line: number, previous: string): JournalEntry {
  let entry: JournalEntry;
  try {
    entry = JSON.parse(text);
  } catch {
    throw damaged(path, line);
  }
  if (entry?.line !== line || entry.previous !== previous || !EVENTS.includes(entry.event)) {
    throw damaged(path, line);
  }
  return entry;
}

/** SM3 of a line without its line feed, hex. */
function digestOf(line: string): string {
  return Buffer.from(loadProvider().sm3(Buffer.from(line, "utf8"))).toString("hex");
}

/**
 * Reads a journal and checks its chain.
 * @throws GatewayError `key.ca-missing`, `key.ca-damaged`
 */
export function readJournal(path: string): Journal {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new GatewayError("key.ca-missing", { detail: path, cause });
  }
  return parseJournal(path, bytes);
}

/** @throws GatewayError `key.ca-damaged` */
export function parseJournal(path: string, bytes: Uint8Array): Journal {
  if (bytes.length > MAX_JOURNAL_BYTES) throw damaged(path, 0);
  const length = bytes.lastIndexOf(LF) + 1;
  const lines = Buffer.from(bytes.subarray(0, length)).toString("utf8").split("\n").slice(0, -1);
  const entries: JournalEntry[] = [];
  const serials = new Set<string>();
  let head = FIRST;
  let number = 0;
  for (const text of lines) {
    const entry = readLine(path, text, entries.length + 1, head);
    if (entry.event === "issued") {
      if (serials.has(entry.serial)) throw damaged(path, entry.line);
      serials.add(entry.serial);
    }
    if (entry.event === "listed") {
      if (entry.number <= number) throw damaged(path, entry.line);
      number = entry.number;
    }
    entries.push(entry);
    head = digestOf(text);
  }
  return { entries, length, head };
}

/**
 * Appends and fsyncs; the caller holds the folder's lock.
 * @returns the journal with the new entry.
 * @throws GatewayError `key.ca-damaged` when it changed meanwhile or is full, `sm.key-file`
 */
export function appendJournal(
  path: string,
  journal: Journal,
  event: JournalEvent,
  atMs: number,
): Journal {
  const entry: JournalEntry = {
    line: journal.entries.length + 1,
    atMs,
    ...event,
    previous: journal.head,
  };
  const text = JSON.stringify(entry);
  const bytes = Buffer.from(`${text}\n`, "utf8");
  if (journal.length + bytes.length > MAX_JOURNAL_BYTES) throw damaged(path, entry.line);
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if (fstatSync(file).size < journal.length) throw damaged(path, entry.line);
      // What lies beyond the last whole line was cut short and never acknowledged.
      ftruncateSync(file, journal.length);
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(file, bytes, at, bytes.length - at, journal.length + at);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("sm.key-file", { detail: path, cause });
  }
  return {
    entries: [...journal.entries, entry],
    length: journal.length + bytes.length,
    head: digestOf(text),
  };
}
