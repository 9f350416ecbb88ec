/**
 * Guarantee: what a CA is and did, read from its folder without its key; every
 * certificate and list read is the one its journal names.
 */
import { join } from "node:path";
import { GatewayError } from "../../errors/index.ts";
import { readKeyInfo } from "../../keystore/index.ts";
import { parseCertificate } from "../certificate.ts";
import { parseRevocationList } from "../revocation.ts";
import type { Certificate, RevocationList, RevokedEntry } from "../types.ts";
import {
  CERTIFICATE_FILE,
  JOURNAL_FILE,
  KEY_FILE,
  listFile,
  listNumbers,
  ROOT_FILE,
  readPublicFile,
} from "./folder.ts";
import { type Journal, readJournal } from "./journal.ts";

/** A certificate this CA issued. */
export interface Issued {
  readonly certificate: Certificate;
  /** Unix milliseconds. */
  readonly issuedMs: number;
  readonly revoked: RevokedEntry | undefined;
}

export interface AuthorityState {
  readonly dir: string;
  readonly keyId: string;
  readonly demo: boolean;
  /** Undefined for an issuing CA whose request the root has not answered yet. */
  readonly certificate: Certificate | undefined;
  readonly root: Certificate | undefined;
  readonly issued: readonly Issued[];
  readonly revoked: readonly RevokedEntry[];
  /** The newest list; undefined before the first. */
  readonly list: RevocationList | undefined;
  /** The number of the next list. */
  readonly nextNumber: number;
  readonly journal: Journal;
}

function parsed(dir: string, name: string): Certificate | undefined {
  const der = readPublicFile(dir, name);
  return der === undefined ? undefined : parseCertificate(der);
}

function revokedIn(journal: Journal): RevokedEntry[] {
  const found = new Map<string, RevokedEntry>();
  for (const entry of journal.entries) {
    if (entry.event !== "revoked") continue;
    const { serial, reason, revokedMs } = entry;
    found.set(serial, { serial, reason, revokedMs });
  }
  return [...found.values()];
}

/** Above every number that was ever used: in the journal, in a file, or possibly after a backup. */
function nextNumber(dir: string, journal: Journal): number {
  const told = journal.entries.map((entry) =>
    entry.event === "listed" ? entry.number : entry.event === "restored" ? entry.floor : 0,
  );
  return Math.max(0, ...told, ...listNumbers(dir)) + 1;
}

function newestList(dir: string, journal: Journal): RevocationList | undefined {
  const last = journal.entries.findLast((entry) => entry.event === "listed");
  if (last === undefined) return undefined;
  const der = readPublicFile(dir, listFile(last.number));
  const list = der === undefined ? undefined : parseRevocationList(der);
  if (list?.digest !== last.digest) {
    throw new GatewayError("key.ca-damaged", { detail: `${dir}: ${listFile(last.number)}` });
  }
  return list;
}

/**
 * A journal cut at the end of a line is whole, and so is an older copy of it: the lists that were signed since
 * then remember what it no longer says. Signing on would take a revocation back.
 */
function assertNothingForgotten(dir: string, revoked: readonly RevokedEntry[]): void {
  const known = new Set(revoked.map(({ serial }) => serial));
  for (const number of listNumbers(dir).reverse()) {
    const list = readList(dir, number);
    // A file that is no list keeps its number from being used, and says nothing else.
    if (list === undefined) continue;
    const lost = list.entries.find(({ serial }) => !known.has(serial));
    if (lost === undefined) return;
    throw new GatewayError("key.ca-damaged", {
      detail: `${dir}: list ${number} revokes ${lost.serial}, the journal does not`,
    });
  }
}

function readList(dir: string, number: number): RevocationList | undefined {
  const der = readPublicFile(dir, listFile(number));
  try {
    return der === undefined ? undefined : parseRevocationList(der);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** @throws GatewayError `key.ca-missing`, `key.ca-damaged`, `certificate.malformed` */
export function readAuthority(dir: string): AuthorityState {
  const journal = readJournal(join(dir, JOURNAL_FILE));
  const { keyId, demo } = readKeyInfo(join(dir, KEY_FILE));
  const revoked = revokedIn(journal);
  assertNothingForgotten(dir, revoked);
  const bySerial = new Map(revoked.map((entry) => [entry.serial, entry]));
  const issued = journal.entries.flatMap((entry) => {
    if (entry.event !== "issued") return [];
    const certificate = parseCertificate(Buffer.from(entry.der, "base64"));
    return [{ certificate, issuedMs: entry.atMs, revoked: bySerial.get(entry.serial) }];
  });
  return {
    dir,
    keyId,
    demo,
    certificate: parsed(dir, CERTIFICATE_FILE),
    root: parsed(dir, ROOT_FILE),
    issued,
    revoked,
    list: newestList(dir, journal),
    nextNumber: nextNumber(dir, journal),
    journal,
  };
}
