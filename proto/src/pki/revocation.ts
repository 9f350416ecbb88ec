/**
 * Guarantee: a revocation list (X.509 CRL v2, RFC 5280 §5) is numbered, names
 * its CA by key, holds each serial once with its time and reason, and has no
 * other extension. Being parsed proves form only; see verify.ts.
 */
import { GatewayError } from "../errors/index.ts";
import { DEFAULT_USER_ID, loadProvider, type SmProvider } from "../sm/index.ts";
import { type Element, malformed } from "./asn1-read.ts";
import {
  type Asn1,
  context,
  enumerated,
  extension,
  fromBytes,
  integer,
  primitive,
  seq,
  time,
  wholeNumber,
} from "./asn1-write.ts";
import { checkIssuerKey, wholeSecond } from "./issue.ts";
import { REVOCATION_LIST_MAX_BYTES, SERIAL_MAX_BYTES } from "./limits.ts";
import {
  extensionValue,
  readAuthorityKeyId,
  readExtensions,
  readName,
  readSigned,
  readSm2WithSm3,
} from "./parts.ts";
import { keyIdentifier, OID, signatureAlgorithm, signed } from "./profile.ts";
import {
  type Issuer,
  REVOCATION_REASONS,
  type RevocationList,
  type RevocationReason,
  type RevokedEntry,
} from "./types.ts";

/** Version 2 is written as 1. */
const VERSION_2 = 1;

export interface RevocationPlan {
  /** Above every number this CA has used before. */
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  readonly entries: readonly RevokedEntry[];
}

/**
 * Signs a list. Entries are written in order of their serials, so one content has one encoding.
 * @returns DER, about 40 bytes an entry.
 * @throws GatewayError `request.invalid` for numbers, times or serials out of form, or over 256 KiB.
 */
export function issueRevocationList(
  provider: SmProvider,
  issuer: Issuer,
  plan: RevocationPlan,
): Uint8Array {
  checkIssuerKey(issuer);
  const thisUpdate = wholeSecond(plan.thisUpdateMs);
  const nextUpdate = wholeSecond(plan.nextUpdateMs);
  if (!Number.isSafeInteger(plan.number) || plan.number < 1) {
    throw new GatewayError("request.invalid", { detail: `list number ${plan.number}` });
  }
  if (nextUpdate <= thisUpdate) {
    throw new GatewayError("request.invalid", { detail: "the next list is due before this one" });
  }
  const entries = [...plan.entries].sort((a, b) => compareSerials(a.serial, b.serial));
  entries.forEach((entry, i) => {
    if (
      !/^(?!00)([0-9a-f]{2}){1,20}$/.test(entry.serial) ||
      entry.serial === entries[i - 1]?.serial
    ) {
      throw new GatewayError("request.invalid", { detail: `serial ${entry.serial}` });
    }
  });
  const tbs = seq(
    wholeNumber(VERSION_2),
    signatureAlgorithm(),
    fromBytes(issuer.certificate.subjectName),
    time(thisUpdate),
    time(nextUpdate),
    // An empty list is left out altogether, RFC 5280 §5.1.2.6.
    ...(entries.length === 0 ? [] : [seq(...entries.map(entryOf))]),
    context(
      0,
      seq(
        extension(
          OID.authorityKeyIdentifier,
          seq(primitive(0, keyIdentifier(provider, issuer.certificate.publicKey))),
        ),
        extension(OID.crlNumber, wholeNumber(plan.number)),
      ),
    ),
  );
  const der = signed(tbs, (message) => provider.sm2Sign(issuer.key, message, DEFAULT_USER_ID));
  if (der.length > REVOCATION_LIST_MAX_BYTES) {
    throw new GatewayError("request.invalid", { detail: `${entries.length} entries are too many` });
  }
  return der;
}

/**
 * Reads a list. Its signature is not checked here.
 * @param bytes DER, at most 256 KiB; copied.
 * @throws GatewayError `certificate.malformed`
 */
export function parseRevocationList(bytes: Uint8Array): RevocationList {
  const { body, tbs, signature } = readSigned(bytes, REVOCATION_LIST_MAX_BYTES, "revocation list");
  const fields = body.sequence("revocation list");
  if (fields.next().wholeNumber("version") !== VERSION_2) {
    throw malformed("revocation list: version");
  }
  readSm2WithSm3(fields.next());
  const issuer = readName(fields.next());
  const thisUpdateMs = fields.next().time("this update");
  const nextUpdateMs = fields.next().time("next update");
  if (nextUpdateMs <= thisUpdateMs) throw malformed("revocation list: due before it was made");
  const list = fields.left === 2 ? fields.next().sequence("entries") : undefined;
  if (list?.left === 0) throw malformed("revocation list: an empty list of entries");
  const entries: RevokedEntry[] = [];
  while (list !== undefined && list.left > 0) {
    const entry = readEntry(list.next());
    const before = entries.at(-1);
    if (before !== undefined && compareSerials(before.serial, entry.serial) >= 0) {
      throw malformed("revocation list: serials are not in order");
    }
    entries.push(entry);
  }
  const explicit = fields.next().context(0, "extensions");
  const extensions = readExtensions(explicit.next(), {
    [OID.authorityKeyIdentifier]: "plain",
    [OID.crlNumber]: "plain",
  });
  explicit.end();
  fields.end();
  const number = extensionValue(extensions, OID.crlNumber, "list number").wholeNumber("number");
  return Object.freeze({
    der: Uint8Array.from(bytes),
    digest: Buffer.from(loadProvider().sm3(bytes)).toString("hex"),
    issuer: issuer.text,
    issuerName: issuer.der,
    authorityKeyId: readAuthorityKeyId(extensions),
    number,
    thisUpdateMs,
    nextUpdateMs,
    entries,
    tbs,
    signature,
  });
}

function entryOf({ serial, revokedMs, reason }: RevokedEntry): Asn1 {
  const code = REVOCATION_REASONS[reason];
  const bytes = Buffer.from(serial, "hex");
  const number = (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return seq(
    integer(number),
    time(wholeSecond(revokedMs)),
    // The reason "unspecified" is left out, RFC 5280 §5.3.1.
    ...(code === 0 ? [] : [seq(extension(OID.crlReason, enumerated(code)))]),
  );
}

function readEntry(element: Element): RevokedEntry {
  const members = element.sequence("entry");
  const serial = members.next().unsigned(SERIAL_MAX_BYTES, "serial number").toString("hex");
  const revokedMs = members.next().time("revocation time");
  if (members.left === 0) return { serial, revokedMs, reason: "unspecified" };
  const extensions = readExtensions(members.next(), { [OID.crlReason]: "plain" });
  members.end();
  const code = extensionValue(extensions, OID.crlReason, "reason").enumerated("reason");
  const reason = reasonOf(code);
  if (reason === undefined || reason === "unspecified") throw malformed("entry: reason");
  return { serial, revokedMs, reason };
}

function reasonOf(code: number): RevocationReason | undefined {
  const names = Object.keys(REVOCATION_REASONS) as RevocationReason[];
  return names.find((name) => REVOCATION_REASONS[name] === code);
}

/** Serials as numbers: the longer hex is the larger, as neither has leading zeros. */
function compareSerials(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
