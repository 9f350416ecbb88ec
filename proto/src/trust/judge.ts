/**
 * Guarantee: one item of an import is judged on its own against a store: new,
 * known, stale or refused with its code. Age is no reason to refuse: old bundles
 * and checkpoints are verified years later.
 */
import { asGatewayError, GatewayError } from "../errors/index.ts";
import {
  type Certificate,
  identityUri,
  issuerUri,
  pkiKind,
  type RevocationList,
} from "../pki/index.ts";
import type { SmProvider } from "../sm/index.ts";
import type { Chains } from "./chains.ts";
import type { Judgement } from "./types.ts";
import { readCertificate, readList } from "./verified.ts";

/** A list from further ahead would, once kept, keep out every honest one: the same bound as for bundles. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** What judging needs to know of a store. */
export interface JudgeContext {
  readonly provider: SmProvider;
  readonly chains: Chains;
  hasCertificate(digest: string): boolean;
  /** The list in force of that CA. @param authorityKeyId as in the list. */
  listOf(authorityKeyId: string): RevocationList | undefined;
}

/** Identity URI of a certificate; of a root its name. */
export function subjectOf({ identity, zone, subject }: Certificate): string {
  if (identity !== undefined) return identityUri(identity);
  return zone === undefined ? subject : issuerUri(zone);
}

export function judgeItem(context: JudgeContext, item: Uint8Array, nowMs: number): Judgement {
  const kind = pkiKind(item);
  if (kind === "certificate") {
    return refusing("certificate", () =>
      judgeCertificate(context, readCertificate(context.provider, item)),
    );
  }
  if (kind === "revocation-list") {
    return refusing("revocation-list", () =>
      judgeList(context, readList(context.provider, item), nowMs),
    );
  }
  const code = "certificate.malformed";
  return { kind: "unknown", status: "refused", code, subject: "", number: "" };
}

function refusing(kind: Judgement["kind"], judge: () => Judgement): Judgement {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { kind, status: "refused", code: asGatewayError(error).code, subject: "", number: "" };
  }
}

function judgeCertificate(context: JudgeContext, certificate: Certificate): Judgement {
  const said = {
    kind: "certificate",
    subject: subjectOf(certificate),
    number: certificate.serial,
  } as const;
  if (context.hasCertificate(certificate.digest)) return { ...said, status: "known" };
  try {
    context.chains.issuersOf(certificate);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { ...said, status: "refused", code: error.code };
  }
  return { ...said, status: "new" };
}

function judgeList(context: JudgeContext, list: RevocationList, nowMs: number): Judgement {
  const said = {
    kind: "revocation-list",
    subject: list.issuer,
    number: list.number.toString(16),
  } as const;
  try {
    context.chains.signerOf(list);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { ...said, status: "refused", code: error.code };
  }
  const inForce = context.listOf(list.authorityKeyId);
  if (inForce?.digest === list.digest) return { ...said, status: "known" };
  // Two lists of one number: the first stays, for a CA never makes the second. Whoever did has its key.
  if (inForce?.number === list.number) {
    return { ...said, status: "refused", code: "trust.list-conflict" };
  }
  if (inForce !== undefined && list.number < inForce.number) {
    return { ...said, status: "stale", code: "trust.stale" };
  }
  if (list.thisUpdateMs > nowMs + CLOCK_SKEW_MS) {
    return { ...said, status: "refused", code: "trust.list-from-future" };
  }
  return { ...said, status: "new" };
}
