/**
 * Guarantee: the conformance kit always uses the same certificates and lists,
 * made once, with fixed dates, for the keys of keys.json and for CAs whose keys
 * are published too: for tests only, never to be pinned anywhere.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  type Certificate,
  type CertificateUse,
  createRequest,
  type Issuer,
  issueCertificate,
  issueRevocationList,
  type PemLabel,
  parseCertificate,
  type RevocationReason,
  type RevokedEntry,
  readPkiItems,
  selfSignRoot,
  toPem,
} from "../../src/pki/index.ts";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "../../src/sm/index.ts";
import { type PartyName, readKeys } from "../keys.ts";

const provider = loadProvider();
const at = (name: string) => new URL(`${name}.pem`, import.meta.url);
const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
const ORGANISATION = "conformance kit";
const WARNING = "TEST ONLY, PUBLISHED / 仅供测试，已公开: never pin these roots anywhere";

const YEARS = { notBeforeMs: day("2025-01-01"), notAfterMs: day("2045-01-01") };
const FIVE_YEARS = { notBeforeMs: day("2025-01-01"), notAfterMs: day("2030-01-01") };
const IN_FORCE = { notBeforeMs: day("2025-06-01"), notAfterMs: day("2026-06-01") };
const ENDED = { notBeforeMs: day("2025-01-01"), notAfterMs: day("2026-01-01") };
const LATER = { notBeforeMs: day("2026-02-01"), notAfterMs: day("2027-02-01") };
/** Bundles of the kit were made on 2026-01-15. */
const DAY_BEFORE_USE = day("2026-01-14");
const DAY_AFTER_USE = day("2026-01-16");

/** DER of an item by its name. */
export function pkiItem(name: string): Uint8Array {
  const [item] = readPkiItems(readFileSync(at(name)));
  return item?.der ?? Buffer.of();
}

const AUTHORITIES = new URL("authorities.json", import.meta.url);

interface StoredAuthorities {
  readonly warning: string;
  readonly authorities: Record<string, { keyId: string; publicKey: string; privateKey: string }>;
}

/** Writes what is not there; what is stays as it is. */
export function makePkiOnce(): void {
  const keys = readKeys();
  const stored: StoredAuthorities = existsSync(AUTHORITIES)
    ? (JSON.parse(readFileSync(AUTHORITIES, "utf8")) as StoredAuthorities)
    : { warning: WARNING, authorities: {} };
  const { authorities } = stored;
  const keep = (name: string, label: PemLabel, make: () => Uint8Array): Uint8Array => {
    if (!existsSync(at(name))) writeFileSync(at(name), toPem(label, make()));
    return pkiItem(name);
  };
  const write = (name: string, make: () => Uint8Array) =>
    parseCertificate(keep(name, "CERTIFICATE", make));
  const authorityKey = (name: string): Sm2PrivateKey => {
    const known = authorities[name];
    if (known !== undefined) return provider.importSm2(Buffer.from(known.privateKey, "hex"));
    const key = provider.generateSm2();
    authorities[name] = {
      keyId: formatKeyId(key.publicKey),
      publicKey: Buffer.from(key.publicKey).toString("hex"),
      privateKey: Buffer.from(provider.exportSm2(key)).toString("hex"),
    };
    return key;
  };
  const root = (name: string, demo = false): Issuer => {
    const key = authorityKey(name);
    const subject = { organisation: ORGANISATION, commonName: name, demo, ...YEARS };
    return { certificate: write(name, () => selfSignRoot(provider, key, subject)), key };
  };
  const ca = (name: string, issuer: Issuer, zone: string, renewed?: Sm2PrivateKey): Issuer => {
    const key = renewed ?? authorityKey(name);
    const demo = issuer.certificate.demo;
    const request = createRequest(provider, key, {
      zone,
      ca: true,
      organisation: ORGANISATION,
      demo,
    });
    const validity = renewed === undefined ? FIVE_YEARS : ENDED;
    const make = () => issueCertificate(provider, issuer, request, validity);
    return { certificate: write(name, make), key };
  };
  const node = (
    name: string,
    issuer: Issuer,
    party: PartyName,
    use: CertificateUse,
    told: { readonly validity?: typeof IN_FORCE; readonly node?: string } = {},
  ): Certificate => {
    const { certificate } = issuer;
    const identity = { zone: certificate.zone ?? "", node: told.node ?? keys[party].nodeId, use };
    const subject = { identity, organisation: ORGANISATION, demo: certificate.demo };
    const request = createRequest(provider, keys[party].key, subject);
    const validity = told.validity ?? IN_FORCE;
    return write(name, () => issueCertificate(provider, issuer, request, validity));
  };
  const list = (name: string, issuer: Issuer, number: number, entries: RevokedEntry[] = []) => {
    const times = { thisUpdateMs: day("2026-01-10"), nextUpdateMs: day("2026-02-10") };
    const plan = { number, ...times, entries };
    return keep(name, "X509 CRL", () => issueRevocationList(provider, issuer, plan));
  };

  const top = root("root");
  const extranet = ca("extranet-ca", top, "extranet");
  ca("extranet-ca-ended", top, "extranet", extranet.key);
  const business = ca("business-ca", top, "business");
  const senderSign = node("sender-sign", extranet, "sender", "sign");
  node("sender-sign-ended", extranet, "sender", "sign", { validity: ENDED });
  node("sender-sign-later", extranet, "sender", "sign", { validity: LATER });
  node("sender-key-for-policy", extranet, "sender", "policy");
  node("sender-key-of-another-node", extranet, "sender", "sign", { node: "node-other" });
  node("sender-in-business", business, "sender", "sign");
  // What the issuing code refuses: the CA of one zone speaks for the other, a real one for demonstrations.
  const beyond = { ...business, certificate: { ...business.certificate, zone: "extranet" } };
  node("sender-of-extranet-by-business-ca", beyond, "sender", "sign");
  const policy = node("policy-policy", extranet, "policy", "policy");
  node("policy-policy-ended", extranet, "policy", "policy", { validity: ENDED });
  node("policy-key-for-sign", extranet, "policy", "sign");
  node("recipient-encrypt", business, "recipient", "encrypt");
  node("releaser-encrypt", business, "releaser", "encrypt");
  const unmarked = { ...extranet, certificate: { ...extranet.certificate, demo: true } };
  node("sender-demo-by-extranet-ca", unmarked, "sender", "sign");
  keep("sender-sign-altered", "CERTIFICATE", () => lastBitTurned(senderSign.der));

  const otherExtranet = ca("other-extranet-ca", root("other-root"), "extranet");
  node("other-sender-sign", otherExtranet, "sender", "sign");
  node("other-policy-policy", otherExtranet, "policy", "policy");
  const demoExtranet = ca("demo-extranet-ca", root("demo-root", true), "extranet");
  node("demo-sender-sign", demoExtranet, "sender", "sign");
  node("demo-policy-policy", demoExtranet, "policy", "policy");

  const of = (certificate: Certificate, revokedMs: number, reason: RevocationReason) => [
    { serial: certificate.serial, revokedMs, reason },
  ];
  list("root-list-1", top, 1);
  list(
    "root-list-2-ca-compromised",
    top,
    2,
    of(extranet.certificate, DAY_AFTER_USE, "cACompromise"),
  );
  list(
    "root-list-2-ca-superseded-before",
    top,
    2,
    of(extranet.certificate, DAY_BEFORE_USE, "superseded"),
  );
  list(
    "root-list-2-ca-superseded-after",
    top,
    2,
    of(extranet.certificate, DAY_AFTER_USE, "superseded"),
  );
  list("extranet-list-1", extranet, 1);
  const before = list(
    "extranet-list-2-superseded-before",
    extranet,
    2,
    of(senderSign, DAY_BEFORE_USE, "superseded"),
  );
  list(
    "extranet-list-2-superseded-after",
    extranet,
    2,
    of(senderSign, DAY_AFTER_USE, "superseded"),
  );
  list(
    "extranet-list-2-compromised-after",
    extranet,
    2,
    of(senderSign, DAY_AFTER_USE, "keyCompromise"),
  );
  list(
    "extranet-list-2-policy-superseded-before",
    extranet,
    2,
    of(policy, DAY_BEFORE_USE, "superseded"),
  );
  list(
    "business-list-1-of-extranet-serial",
    business,
    1,
    of(senderSign, DAY_BEFORE_USE, "keyCompromise"),
  );
  keep("extranet-list-2-altered", "X509 CRL", () => lastBitTurned(before));
  writeFileSync(AUTHORITIES, `${JSON.stringify(stored, null, 2)}\n`);
}

/** The last bytes of a certificate or list are those of its signature. */
function lastBitTurned(der: Uint8Array): Uint8Array {
  const out = Buffer.from(der);
  out[out.length - 1] = (out.at(-1) ?? 0) ^ 1;
  return out;
}
