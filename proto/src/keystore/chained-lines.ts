/**
 * Guarantee: a file of JSON lines that only grows, each fsynced before the call
 * returns and chained by SM3 over the line before: a line that is altered, left
 * out, put in or moved is found on reading. A line cut short by a power failure
 * was never acknowledged and is cut off at the next append. Whoever may write
 * the file can write all of it anew: that is seen by those who kept a later head.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  writeSync,
} from "node:fs";
import { GatewayError } from "../errors/index.ts";
import { loadProvider } from "../sm/index.ts";

/** What stands before the first line. */
const FIRST = "0".repeat(64);
const LF = 0x0a;
const OWNER_ONLY = 0o600;

export interface ChainFields {
  /** From 1, without gaps. */
  readonly line: number;
  readonly atMs: number;
  /** SM3 of the line before, hex. */
  readonly previous: string;
}

export interface Chain<E> {
  readonly entries: readonly (E & ChainFields)[];
  /** Bytes of whole lines. */
  readonly length: number;
  /** SM3 of the last line, hex. */
  readonly head: string;
}

export interface ChainRules<E> {
  /** Checked before a file is parsed and before a line is written. */
  readonly maxBytes: number;
  /** What is thrown for the line of this number; 0 for the whole file. */
  readonly damaged: (line: number) => GatewayError;
  /** Whether this is an entry, whatever its chain says. */
  readonly fits: (value: Readonly<Record<string, unknown>>) => boolean;
  /** A rule that looks at one entry after the other. */
  readonly each?: (entry: E & ChainFields) => boolean;
}

/** SM3 of a line without its line feed, hex. */
function digestOf(line: string): string {
  return Buffer.from(loadProvider().sm3(Buffer.from(line, "utf8"))).toString("hex");
}

function readLine<E>(
  text: string,
  line: number,
  previous: string,
  rules: ChainRules<E>,
): E & ChainFields {
  let entry: (E & ChainFields) | null;
  try {
    entry = JSON.parse(text);
  } catch {
    throw rules.damaged(line);
  }
  const whole =
    typeof entry === "object" &&
    entry !== null &&
    entry.line === line &&
    entry.previous === previous &&
    Number.isSafeInteger(entry.atMs) &&
    rules.fits(entry as Readonly<Record<string, unknown>>) &&
    rules.each?.(entry) !== false;
  if (entry === null || !whole) throw rules.damaged(line);
  return entry;
}

/** Checks every link. @throws what `rules.damaged` makes */
export function parseChain<E>(bytes: Uint8Array, rules: ChainRules<E>): Chain<E> {
  if (bytes.length > rules.maxBytes) throw rules.damaged(0);
  const length = bytes.lastIndexOf(LF) + 1;
  const lines = Buffer.from(bytes.subarray(0, length)).toString("utf8").split("\n").slice(0, -1);
  const entries: (E & ChainFields)[] = [];
  let head = FIRST;
  for (const text of lines) {
    entries.push(readLine(text, entries.length + 1, head, rules));
    head = digestOf(text);
  }
  return { entries, length, head };
}

/**
 * Appends and fsyncs; the caller sees to it that nobody else appends.
 * @returns the chain with the new entry.
 * @throws GatewayError what `rules.damaged` makes when the file changed meanwhile or is full, `sm.key-file`
 */
export function appendChain<E extends object>(
  path: string,
  chain: Chain<E>,
  event: E,
  atMs: number,
  rules: Pick<ChainRules<E>, "maxBytes" | "damaged">,
): Chain<E> {
  const line = chain.entries.length + 1;
  const entry: E & ChainFields = { line, atMs, ...event, previous: chain.head };
  const text = JSON.stringify(entry);
  const bytes = Buffer.from(`${text}\n`, "utf8");
  if (chain.length + bytes.length > rules.maxBytes) throw rules.damaged(line);
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT, OWNER_ONLY);
    try {
      if (fstatSync(file).size < chain.length) throw rules.damaged(line);
      // What lies beyond the last whole line was cut short and never acknowledged.
      ftruncateSync(file, chain.length);
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(file, bytes, at, bytes.length - at, chain.length + at);
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
    entries: [...chain.entries, entry],
    length: chain.length + bytes.length,
    head: digestOf(text),
  };
}
