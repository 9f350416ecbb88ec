/**
 * Guarantee checked: whatever the names, times and serials, what is written is
 * read as it was meant and written again byte for byte; and no changed bytes are
 * ever accepted or end in another error than the gateway's own.
 */
import {
  CERTIFICATE_USES,
  createRequest,
  type Issuer,
  issueCertificate,
  issueRevocationList,
  type NodeIdentity,
  parseCertificate,
  parseRequest,
  parseRevocationList,
  pkiKind,
  REVOCATION_REASONS,
  type RevocationReason,
  readPkiItems,
  selfSignRoot,
  toPem,
  verifyCertificateSignature,
  verifyRevocationList,
} from "@lightferry/proto/pki";
import { loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";
import { apply, neverAccepted, readers, refused } from "./pki-changes.ts";

const provider = loadProvider();
const rootKey = provider.generateSm2();
const caKey = provider.generateSm2();
const nodeKey = provider.generateSm2();
const LATEST_S = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;
const always = { notBeforeMs: 0, notAfterMs: LATEST_S * 1000 };

const root: Issuer = {
  certificate: parseCertificate(
    selfSignRoot(provider, rootKey, {
      organisation: "o",
      commonName: "root",
      demo: false,
      ...always,
    }),
  ),
  key: rootKey,
};
const ca = authority("alpha");

function authority(zone: string): Issuer {
  const subject = { zone, ca: true, organisation: "o", demo: false } as const;
  const request = createRequest(provider, caKey, subject);
  const der = issueCertificate(provider, root, request, always);
  return { certificate: parseCertificate(der), key: caKey };
}

const nameText = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 64 })
  .filter((text) => [...text].length <= 64 && !/\p{C}/u.test(text) && text.isWellFormed());
const label = (max: number) =>
  fc.stringMatching(/^[a-z0-9][a-z0-9-]*$/).filter((text) => text.length <= max);
const identity: fc.Arbitrary<NodeIdentity> = fc.record({
  zone: fc.constant("alpha"),
  node: label(56),
  use: fc.constantFrom(...CERTIFICATE_USES),
});
const period = fc
  .tuple(fc.integer({ min: 0, max: LATEST_S }), fc.integer({ min: 0, max: LATEST_S }))
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => ({ notBeforeMs: Math.min(a, b) * 1000, notAfterMs: Math.max(a, b) * 1000 }));
const serial = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .filter(([first]) => first !== 0)
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const entries = fc.uniqueArray(
  fc.record({
    serial,
    revokedMs: fc.integer({ min: 0, max: LATEST_S }).map((s) => s * 1000),
    reason: fc.constantFrom(...(Object.keys(REVOCATION_REASONS) as RevocationReason[])),
  }),
  { selector: (one) => one.serial, maxLength: 20 },
);

describe("what is written", () => {
  it("as a request and a certificate is read as it was meant", () => {
    fc.assert(
      fc.property(identity, nameText, period, (who, organisation, validity) => {
        const subject = { identity: who, organisation, demo: false };
        const request = createRequest(provider, nodeKey, subject);
        expect(parseRequest(provider, request)).toMatchObject({ ...subject, zone: who.zone });
        const der = issueCertificate(provider, ca, request, validity);
        const certificate = parseCertificate(der);
        expect(certificate).toMatchObject({ ...validity, identity: who, organisation });
        expect(certificate.serial).toMatch(/^[4-7][0-9a-f]{31}$/);
        expect(certificate.publicKey).toEqual(nodeKey.publicKey);
        expect(verifyCertificateSignature(provider, certificate, ca.certificate)).toBe(true);
        expect(readPkiItems(Buffer.from(toPem("CERTIFICATE", der)))[0]?.der).toEqual(der);
        expect([pkiKind(request), pkiKind(der)]).toEqual(["request", "certificate"]);
      }),
      { numRuns: 100 },
    );
  });

  it("as a list is read as it was meant, in order of serials", () => {
    fc.assert(
      fc.property(
        entries,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        period,
        (list, number, { notBeforeMs: thisUpdateMs, notAfterMs: nextUpdateMs }) => {
          const plan = { number, thisUpdateMs, nextUpdateMs };
          const der = issueRevocationList(provider, ca, { ...plan, entries: list });
          const parsed = parseRevocationList(der);
          expect(parsed).toMatchObject(plan);
          const byNumber = (a: { serial: string }, b: { serial: string }) =>
            BigInt(`0x${a.serial}`) < BigInt(`0x${b.serial}`) ? -1 : 1;
          expect(parsed.entries).toEqual([...list].sort(byNumber));
          expect(verifyRevocationList(provider, parsed, ca.certificate)).toBe(true);
          expect(pkiKind(der)).toBe("revocation-list");
        },
      ),
      { numRuns: 100 },
    );
  });

  it("drops parts of a second and nothing else", () => {
    const subject = { identity: { zone: "alpha", node: "n", use: "sign" }, demo: false } as const;
    const request = createRequest(provider, nodeKey, { ...subject, organisation: "o" });
    const validity = { notBeforeMs: 1_700_000_000_999, notAfterMs: 1_800_000_000_001 };
    expect(parseCertificate(issueCertificate(provider, ca, request, validity))).toMatchObject({
      notBeforeMs: 1_700_000_000_000,
      notAfterMs: 1_800_000_000_000,
    });
  });
});

describe("what is changed", () => {
  it.each(readers)("in a %s is never accepted, by chance", (_, bytes, accept) => {
    neverAccepted(bytes, accept, 400);
  });

  it.each(readers)("in a %s is never accepted, byte by byte", (_, bytes, accept) => {
    for (let at = 0; at < bytes.length; at += 1) {
      refused(apply(bytes, { kind: "bit", at, bit: at % 8 }), accept);
    }
  });

  it("of any random bytes is nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const [, , accept] of readers) {
          expect(codeOf(() => accept(bytes))).toBe("certificate.malformed");
        }
      }),
    );
  });
});
