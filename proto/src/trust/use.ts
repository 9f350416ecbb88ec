/**
 * Guarantee: one place decides whether a certificate may be used at a time: its
 * own revocation and validity and those of every CA above it.
 */
import { type ErrorCode, GatewayError } from "../errors/index.ts";
import type { Certificate } from "../pki/index.ts";
import type { Chains } from "./chains.ts";
import type { Revocations } from "./revoked.ts";

/** The later beginning first; the serial decides between equals, so that every service picks the same. */
export function newestFirst(a: Certificate, b: Certificate): number {
  if (a.notBeforeMs !== b.notBeforeMs) return b.notBeforeMs - a.notBeforeMs;
  return a.serial < b.serial ? 1 : a.serial > b.serial ? -1 : 0;
}

/** From the gravest on: what is told when more than one thing is wrong. */
const GRAVITY: readonly ErrorCode[] = [
  "certificate.denied",
  "certificate.revoked",
  "certificate.wrong-zone",
  "certificate.wrong-use",
  "certificate.untrusted",
  "certificate.demo-in-production",
  "certificate.expired",
  "certificate.not-yet-valid",
];

/** The graver of two faults. */
export function graver(a: ErrorCode | undefined, b: ErrorCode | undefined): ErrorCode | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return GRAVITY.indexOf(a) <= GRAVITY.indexOf(b) ? a : b;
}

/**
 * Why the certificate must not be used at `usedMs`; undefined when it may.
 * Of several CA certificates under one key the one that allows it counts.
 */
export function useFault(
  chains: Chains,
  revocations: Revocations,
  certificate: Certificate,
  usedMs: number,
): ErrorCode | undefined {
  const own = graver(revocations.fault(certificate, usedMs), periodFault(certificate, usedMs));
  if (certificate.role === "root") return own;
  let issuers: readonly Certificate[];
  try {
    issuers = chains.issuersOf(certificate);
  } catch (error) {
    if (error instanceof GatewayError) return graver(own, error.code);
    throw error;
  }
  const above = issuers.map((issuer) => useFault(chains, revocations, issuer, usedMs));
  return above.includes(undefined) ? own : above.reduce(graver, own);
}

function periodFault(certificate: Certificate, usedMs: number): ErrorCode | undefined {
  // A time that is none (NaN) is inside no period.
  if (!(usedMs >= certificate.notBeforeMs)) return "certificate.not-yet-valid";
  return usedMs < certificate.notAfterMs ? undefined : "certificate.expired";
}
