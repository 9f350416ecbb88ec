/**
 * Guarantee: everything a CA ever signed stands in its journal before anyone
 * gets it: one JSON line each, fsynced, chained by SM3 over the line before. A
 * serial stands there once, a list number never goes back. A line cut short by
 * a power failure was never acknowledged and is cut off; any other damage stops
 * the CA.
 */
import { readFileSync } from "node:fs";
import { GatewayError } from "../../errors/index.ts";
import {
  appendChain,
  type Chain,
  type ChainFields,
  type ChainRules,
  parseChain,
} from "../../keystore/index.ts";
import type { RevocationReason } from "../types.ts";

/** Some 10,000 certificates, and room in a backup of 16 MiB. */
export const MAX_JOURNAL_BYTES = 11 * 1024 * 1024;

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

export type JournalEntry = JournalEvent & ChainFields;
export type Journal = Chain<JournalEvent>;

const EVENTS = ["created", "certified", "issued", "revoked", "listed", "restored"];

/** A serial stands in a journal once, and list numbers rise. */
function rules(path: string): ChainRules<JournalEvent> {
  const serials = new Set<string>();
  let number = 0;
  return {
    maxBytes: MAX_JOURNAL_BYTES,
    damaged: (line) => new GatewayError("key.ca-damaged", { detail: `${path}: line ${line}` }),
    fits: ({ event }) => EVENTS.some((name) => name === event),
    each: (entry) => {
      if (entry.event === "issued") {
        if (serials.has(entry.serial)) return false;
        serials.add(entry.serial);
      }
      if (entry.event === "listed") {
        if (entry.number <= number) return false;
        number = entry.number;
      }
      return true;
    },
  };
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
  return parseChain(bytes, rules(path));
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
  return appendChain(path, journal, event, atMs, rules(path));
}
