/**
 * Guarantee checked: whatever the names, times and serials, what is written is
 * read as it was meant and written again byte for byte; and no changed bytes are
 * ever accepted or end in another error than the gateway's own.
 */
import {
  CERTIFICATE_USES,
  type Certificate,
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
import { codeOf } from "./pki-forger.ts";

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

/** Changes that a careless or hostile hand makes: bits, bytes put in, taken out, repeated, cut. */
const change = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("bit" as const), at: fc.nat(), bit: fc.nat(7) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("byte" as const), at: fc.nat(), to: fc.nat(255) }),
  },
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant("remove" as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant("repeat" as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function apply(bytes: Uint8Array, one: Change): Uint8Array {
  const at = one.at % bytes.length;
  const before = bytes.subarray(0, at);
  switch (one.kind) {
    case "bit": {
      const copy = Uint8Array.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ (1 << one.bit);
      return copy;
    }
    case "byte": {
      const copy = Uint8Array.from(bytes);
      copy[at] = one.to;
      return copy;
    }
    case "insert":
      return Buffer.concat([before, one.bytes, bytes.subarray(at)]);
    case "remove":
      return Buffer.concat([before, bytes.subarray(at + one.length)]);
    case "repeat":
      return Buffer.concat([before, bytes.subarray(at, at + one.length), bytes.subarray(at)]);
    default:
      return before;
  }
}

describe("what is changed", () => {
  const subject = { identity: { zone: "alpha", node: "gw-a", use: "sign" }, demo: false } as const;
  const request = createRequest(provider, nodeKey, { ...subject, organisation: "某单位" });
  const certificate = issueCertificate(provider, ca, request, always);
  const list = issueRevocationList(provider, ca, {
    number: 3,
    thisUpdateMs: 1_700_000_000_000,
    nextUpdateMs: 1_800_000_000_000,
    entries: [
      { serial: "4a4b", revokedMs: 1_600_000_000_000, reason: "keyCompromise" },
      { serial: "5a5b5c", revokedMs: 1_600_000_000_000, reason: "unspecified" },
    ],
  });
  const verifies = (read: () => Certificate) =>
    verifyCertificateSignature(provider, read(), ca.certificate);
  const readers: [string, Uint8Array, (bytes: Uint8Array) => boolean][] = [
    ["certificate", certificate, (bytes) => verifies(() => parseCertificate(bytes))],
    [
      "list",
      list,
      (bytes) => verifyRevocationList(provider, parseRevocationList(bytes), ca.certificate),
    ],
    ["request", request, (bytes) => parseRequest(provider, bytes).der.length > 0],
  ];

  it.each(readers)("in a %s is never accepted, by chance", (_, bytes, accept) => {
    expect(accept(bytes)).toBe(true);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = changes.reduce(
          (all, one) => (all.length > 0 ? apply(all, one) : all),
          bytes,
        );
        fc.pre(Buffer.compare(changed, bytes) !== 0);
        let accepted = false;
        const code = codeOf(() => {
          accepted = accept(changed);
        });
        expect(accepted).toBe(false);
        expect([undefined, "certificate.malformed", "request.invalid"]).toContain(code);
        expect(() => pkiKind(changed)).not.toThrow();
      }),
      { numRuns: 1500 },
    );
  });

  it.each(readers)("in a %s is never accepted, byte by byte", (_, bytes, accept) => {
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = apply(bytes, { kind: "bit", at, bit: at % 8 });
      let accepted = false;
      const code = codeOf(() => {
        accepted = accept(changed);
      });
      expect(accepted).toBe(false);
      expect([undefined, "certificate.malformed", "request.invalid"]).toContain(code);
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
