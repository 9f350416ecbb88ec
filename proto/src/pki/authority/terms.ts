/** Guarantee: how long what a CA signs is good for unless said otherwise, with the reason. */
import type { CertificateUse } from "../types.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Encryption keys are replaced monthly with two weeks of overlap; the others yearly. */
export const CERTIFICATE_VALIDITY_MS: Readonly<Record<CertificateUse, number>> = {
  sign: 365 * DAY_MS,
  encrypt: 45 * DAY_MS,
  policy: 365 * DAY_MS,
  audit: 365 * DAY_MS,
  ferry: 365 * DAY_MS,
};

/** Years of an authority, each of 366 days so that none falls short. */
export const AUTHORITY_VALIDITY_MS = {
  root: 20 * 366 * DAY_MS,
  issuer: 5 * 366 * DAY_MS,
} as const;

/** An issuing CA signs a list every month even when nothing was revoked; the offline root once a year. */
export const LIST_VALIDITY_MS = { root: 366 * DAY_MS, issuer: 31 * DAY_MS } as const;
