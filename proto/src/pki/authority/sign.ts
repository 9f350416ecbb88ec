/**
 * Guarantee: a CA signs only with its folder to itself; what it signed is in
 * the journal, fsynced, before anyone gets it. One key gets one certificate, a
 * serial is never used twice, a list number never goes back.
 */
import { join } from "node:path";
import { GatewayError } from "../../errors/index.ts";
import { createSecretFile, loadKeyFile, type UnlockSource } from "../../keystore/index.ts";
import { loadProvider, type SmProvider } from "../../sm/index.ts";
import { parseCertificate } from "../certificate.ts";
import { issueCertificate } from "../issue.ts";
import { parseRequest } from "../request.ts";
import { issueRevocationList, parseRevocationList } from "../revocation.ts";
import type { Certificate, Issuer, RevocationList, RevocationReason, Validity } from "../types.ts";
import { verifyCertificateSignature } from "../verify.ts";
import { exclusively, JOURNAL_FILE, KEY_FILE, listFile } from "./folder.ts";
import { appendJournal, type JournalEvent } from "./journal.ts";
import { type AuthorityState, readAuthority } from "./read.ts";
import { LIST_VALIDITY_MS } from "./terms.ts";

/** A CA folder and what opens its key. */
export interface CaAccess {
  readonly dir: string;
  readonly unlock: UnlockSource;
  /** What the key is used through, for counting its uses; the loaded one by default. */
  readonly provider?: SmProvider;
}

export const providerOf = ({ provider }: Pick<CaAccess, "provider">): SmProvider =>
  provider ?? loadProvider();

/** Which certificate is meant: by serial, by key, or itself when the journal was restored without it. */
export type CertificateChoice =
  | { readonly serial: string }
  | { readonly keyId: string }
  | { readonly certificate: Uint8Array };

export interface ListTimes {
  /** Unix milliseconds; now by default. */
  readonly nowMs?: number;
  /** When the next list is due; see {@link LIST_VALIDITY_MS}. */
  readonly nextUpdateMs?: number;
}

/** Compromise says that a revoked key may have been used by others; nothing undoes that. */
const COMPROMISE: readonly RevocationReason[] = ["keyCompromise", "cACompromise"];

class Signer {
  readonly issuer: Issuer;
  readonly provider: SmProvider;
  state: AuthorityState;

  constructor(issuer: Issuer, state: AuthorityState, provider: SmProvider) {
    this.issuer = issuer;
    this.state = state;
    this.provider = provider;
  }

  note(event: JournalEvent, atMs: number): void {
    const journal = appendJournal(
      join(this.state.dir, JOURNAL_FILE),
      this.state.journal,
      event,
      atMs,
    );
    this.state = { ...this.state, journal };
  }
}

/** Opens a CA that has its certificate, alone, and wipes its key afterwards. */
async function signing<T>(ca: CaAccess, body: (signer: Signer) => T): Promise<T> {
  return exclusively(ca.dir, () => {
    const state = readAuthority(ca.dir);
    const { certificate } = state;
    if (certificate === undefined) {
      throw new GatewayError("key.ca-missing", {
        detail: `${ca.dir}: the root has not answered its request yet`,
      });
    }
    const { key } = loadKeyFile(join(ca.dir, KEY_FILE), ca.unlock, "ca-sign");
    try {
      return body(new Signer({ certificate, key }, state, providerOf(ca)));
    } finally {
      key.destroy();
    }
  });
}

/**
 * Issues what a request asks for.
 * @param request PKCS#10 DER.
 * @throws GatewayError `request.invalid`, `certificate.wrong-zone`, `key.ca-issuance-refused` when that
 * key has a certificate already, `key.ca-missing|busy|damaged`, `sm.key-locked`
 */
export async function issueTo(
  ca: CaAccess,
  request: Uint8Array,
  validity: Validity,
  nowMs: number = Date.now(),
): Promise<Certificate> {
  return signing(ca, (signer) => {
    const { provider } = signer;
    const vouchers = vouchersAt(signer.state, nowMs);
    const { keyId } = parseRequest(provider, request, vouchers);
    if (signer.state.issued.some(({ certificate }) => certificate.keyId === keyId)) {
      throw new GatewayError("key.ca-issuance-refused", {
        detail: `${keyId} has a certificate already; a new certificate goes with a new key`,
      });
    }
    const der = issueCertificate(provider, signer.issuer, request, validity, vouchers);
    const certificate = parseCertificate(der);
    const { serial } = certificate;
    assertUnusedSerial(signer.state, serial);
    signer.note(
      { event: "issued", serial, keyId, der: Buffer.from(der).toString("base64") },
      nowMs,
    );
    return certificate;
  });
}

/** Certificates of this CA that may vouch for an encryption key: in force and not revoked. */
export function vouchersAt({ issued }: AuthorityState, nowMs: number): Certificate[] {
  return issued
    .filter(({ revoked }) => revoked === undefined)
    .map(({ certificate }) => certificate)
    .filter(({ notBeforeMs, notAfterMs }) => notBeforeMs <= nowMs && nowMs < notAfterMs);
}

/** @throws GatewayError `key.ca-issuance-refused` when this CA has used the serial before. */
export function assertUnusedSerial(state: AuthorityState, serial: string): void {
  const used = [state.certificate, ...state.issued.map(({ certificate }) => certificate)];
  if (used.some((certificate) => certificate?.serial === serial)) {
    throw new GatewayError("key.ca-issuance-refused", {
      detail: `serial ${serial} was used before`,
    });
  }
}

function listed(signer: Signer, times: ListTimes): RevocationList {
  const { state, issuer, provider } = signer;
  const nowMs = times.nowMs ?? Date.now();
  const role = issuer.certificate.role === "root" ? "root" : "issuer";
  const revoked = new Map(
    state.journal.entries.flatMap((entry) =>
      entry.event === "revoked" ? [[entry.serial, entry] as const] : [],
    ),
  );
  const der = issueRevocationList(provider, issuer, {
    number: state.nextNumber,
    thisUpdateMs: nowMs,
    nextUpdateMs: times.nextUpdateMs ?? nowMs + LIST_VALIDITY_MS[role],
    entries: [...revoked.values()].map(({ serial, reason, revokedMs }) => ({
      serial,
      reason,
      revokedMs,
    })),
  });
  const list = parseRevocationList(der);
  // The file first: should the line be lost, its name still keeps the number from being used again.
  createSecretFile(join(state.dir, listFile(list.number)), der);
  signer.note({ event: "listed", number: list.number, digest: list.digest }, nowMs);
  return list;
}

/** List number 1 of a CA that is being made; its key is in hand already. */
export function firstList(dir: string, issuer: Issuer, nowMs: number, provider: SmProvider): void {
  listed(new Signer(issuer, readAuthority(dir), provider), { nowMs });
}

/**
 * Signs the next numbered list with what is revoked so far, to keep it fresh.
 * @throws GatewayError as {@link issueTo}
 */
export async function renewList(ca: CaAccess, times: ListTimes = {}): Promise<RevocationList> {
  return signing(ca, (signer) => listed(signer, times));
}

function chosen(signer: Signer, choice: CertificateChoice, nowMs: number): string {
  const { issued } = signer.state;
  if ("certificate" in choice) {
    const certificate = parseCertificate(choice.certificate);
    const known = issued.some((entry) => entry.certificate.digest === certificate.digest);
    if (!known) adopt(signer, certificate, nowMs);
    return certificate.serial;
  }
  const wanted = "serial" in choice ? choice.serial : choice.keyId;
  const found = issued.find(({ certificate }) =>
    "serial" in choice ? certificate.serial === wanted : certificate.keyId === wanted,
  );
  if (found === undefined) throw new GatewayError("key.ca-serial-unknown", { detail: wanted });
  return found.certificate.serial;
}

/** Puts into the journal a certificate that this CA signed after the backup it was restored from. */
function adopt(signer: Signer, certificate: Certificate, nowMs: number): void {
  const { serial, keyId, der } = certificate;
  if (
    certificate.role === "root" ||
    !verifyCertificateSignature(signer.provider, certificate, signer.issuer.certificate)
  ) {
    throw new GatewayError("key.ca-serial-unknown", { detail: `${serial} is of another CA` });
  }
  assertUnusedSerial(signer.state, serial);
  signer.note({ event: "issued", serial, keyId, der: Buffer.from(der).toString("base64") }, nowMs);
}

/**
 * Revokes a certificate and signs the next numbered list.
 * @param terms `revokedMs` is now by default; earlier when it is known since when a key was lost.
 * @throws GatewayError `key.ca-serial-unknown`, `key.ca-already-revoked` (unless it is now compromised), and
 * as {@link issueTo}
 */
export async function revokeAt(
  ca: CaAccess,
  choice: CertificateChoice,
  terms: ListTimes & { readonly reason: RevocationReason; readonly revokedMs?: number },
): Promise<RevocationList> {
  const nowMs = terms.nowMs ?? Date.now();
  return signing(ca, (signer) => {
    const serial = chosen(signer, choice, nowMs);
    const before = signer.state.revoked.find((entry) => entry.serial === serial);
    const worse =
      COMPROMISE.includes(terms.reason) && !COMPROMISE.includes(before?.reason ?? terms.reason);
    if (before !== undefined && !worse) {
      throw new GatewayError("key.ca-already-revoked", { detail: `${serial}: ${before.reason}` });
    }
    const revokedMs = Math.min(terms.revokedMs ?? nowMs, before?.revokedMs ?? nowMs);
    signer.note({ event: "revoked", serial, reason: terms.reason, revokedMs }, nowMs);
    return listed(signer, terms);
  });
}
