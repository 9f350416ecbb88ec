/**
 * Guarantee checked: a CA signs nothing beyond its own certificate, whatever it
 * is asked for; files of certificates are read whole or refused.
 */
import {
  createRequest,
  type Issuer,
  issueCertificate,
  issueRevocationList,
  PKI_FILE_MAX_BYTES,
  parseCertificate,
  parseRevocationList,
  pemLabel,
  type RequestSubject,
  readPkiItems,
  selfSignRoot,
  toPem,
  type Validity,
  verifyCertificateSignature,
  verifyRevocationList,
} from "@lightferry/proto/pki";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";
import { provider } from "./pki-forger.ts";
import { DAY, T0, TrustWorld, YEAR } from "./trust-world.ts";

const world = new TrustWorld();
const alpha = world.ca("alpha");
const node = world.node(alpha, "gw-a", "sign");
const key = provider.generateSm2();
const inside = { notBeforeMs: T0, notAfterMs: T0 + YEAR };
const ask = (subject: RequestSubject): Uint8Array => createRequest(provider, key, subject);
const identity = { zone: "alpha", node: "gw-a", use: "sign" } as const;
const right = { identity, organisation: "org", demo: false };

describe("issuing", () => {
  const cases: [string, Issuer, Uint8Array, Validity, string | undefined][] = [
    ["a node of its zone", alpha, ask(right), inside, undefined],
    [
      "a node of another zone",
      alpha,
      ask({ ...right, identity: { ...identity, zone: "beta" } }),
      inside,
      "certificate.wrong-zone",
    ],
    [
      "a CA, by an issuing CA",
      alpha,
      ask({ zone: "alpha", ca: true, organisation: "org", demo: false }),
      inside,
      "request.invalid",
    ],
    ["a node, by the root", world.root, ask(right), inside, "request.invalid"],
    [
      "a CA, by the root",
      world.root,
      ask({ zone: "beta", ca: true, organisation: "org", demo: false }),
      inside,
      undefined,
    ],
    ["anything, by a node", { certificate: node, key }, ask(right), inside, "request.invalid"],
    ["with a key that is not the CA's", { ...alpha, key }, ask(right), inside, "request.invalid"],
    [
      "a demonstration node under a real CA",
      alpha,
      ask({ ...right, demo: true }),
      inside,
      "request.invalid",
    ],
    [
      "the CA's own key",
      alpha,
      createRequest(provider, alpha.key, right),
      inside,
      "request.invalid",
    ],
    [
      "before the CA begins",
      alpha,
      ask(right),
      { ...inside, notBeforeMs: T0 - 1000 },
      "request.invalid",
    ],
    [
      "past the end of the CA",
      alpha,
      ask(right),
      { ...inside, notAfterMs: T0 + 5 * YEAR + 1000 },
      "request.invalid",
    ],
    [
      "up to the end of the CA",
      alpha,
      ask(right),
      { ...inside, notAfterMs: T0 + 5 * YEAR },
      undefined,
    ],
    [
      "for no time",
      alpha,
      ask(right),
      { notBeforeMs: T0 + DAY, notAfterMs: T0 + DAY + 999 },
      "request.invalid",
    ],
    [
      "from no time on",
      alpha,
      ask(right),
      { ...inside, notBeforeMs: Number.NaN },
      "request.invalid",
    ],
    ["for no request", alpha, node.der, inside, "certificate.malformed"],
  ];
  it.each(cases)("%s", (_, issuer, request, validity, expected) => {
    expect(codeOf(() => issueCertificate(provider, issuer, request, validity))).toBe(expected);
  });

  it("gives a new serial each time", () => {
    const serials = Array.from({ length: 20 }, () =>
      parseCertificate(issueCertificate(provider, alpha, ask(right), inside)),
    ).map(({ serial }) => serial);
    expect(new Set(serials).size).toBe(20);
  });

  it.each([
    ["an empty organisation", { ...right, organisation: "" }],
    ["an overlong organisation", { ...right, organisation: "长".repeat(65) }],
    ["a line end in a name", { ...right, organisation: "a\nb" }],
    ["a node out of form", { ...right, identity: { ...identity, node: "GW/A" } }],
    ["a zone out of form", { ...right, identity: { ...identity, zone: "" } }],
    [
      "a node too long for its common name",
      { ...right, identity: { ...identity, node: "n".repeat(60) } },
    ],
  ])("no request for %s", (_, subject) => {
    expect(codeOf(() => ask(subject))).toBe("request.invalid");
  });

  it("no root without a name or a time", () => {
    const root = { organisation: "o", commonName: "r", demo: false, ...inside };
    const made = (change: Partial<typeof root>) =>
      codeOf(() => selfSignRoot(provider, key, { ...root, ...change }));
    expect(made({})).toBeUndefined();
    expect(made({ commonName: "" })).toBe("request.invalid");
    expect(made({ notAfterMs: T0 })).toBe("request.invalid");
    expect(made({ notBeforeMs: -1 })).toBe("request.invalid");
    expect(made({ notAfterMs: Date.UTC(10000, 0, 1) })).toBe("request.invalid");
  });
});

describe("verifying", () => {
  const beta = world.ca("beta");
  it("a certificate by its own CA alone", () => {
    const pairs = [
      [node, alpha.certificate, true],
      [node, beta.certificate, false],
      [node, world.root.certificate, false],
      [node, node, false],
      [alpha.certificate, world.root.certificate, true],
      [alpha.certificate, beta.certificate, false],
      [world.root.certificate, world.root.certificate, true],
      [world.root.certificate, alpha.certificate, false],
    ] as const;
    for (const [certificate, issuer, expected] of pairs) {
      expect(verifyCertificateSignature(provider, certificate, issuer)).toBe(expected);
    }
  });

  it("a list by its own CA alone", () => {
    const list = parseRevocationList(world.list(alpha));
    expect(verifyRevocationList(provider, list, alpha.certificate)).toBe(true);
    for (const other of [beta.certificate, world.root.certificate, node]) {
      expect(verifyRevocationList(provider, list, other)).toBe(false);
    }
  });

  it("not a list that somebody else signed in the name of the CA", () => {
    const forged = issueRevocationList(
      provider,
      // The key of beta's CA under a certificate that names alpha's CA.
      { certificate: { ...alpha.certificate, publicKey: beta.key.publicKey }, key: beta.key },
      { number: 9, thisUpdateMs: T0, nextUpdateMs: T0 + DAY, entries: [] },
    );
    const list = parseRevocationList(forged);
    const named = { ...list, authorityKeyId: alpha.certificate.subjectKeyId };
    expect(verifyRevocationList(provider, named, alpha.certificate)).toBe(false);
  });
});

describe("lists", () => {
  const plan = { number: 1, thisUpdateMs: T0, nextUpdateMs: T0 + DAY, entries: [] };
  const one = { serial: "4a", revokedMs: T0, reason: "superseded" } as const;
  it.each([
    ["number 0", { ...plan, number: 0 }],
    ["number 1.5", { ...plan, number: 1.5 }],
    ["a number past 2^53", { ...plan, number: 2 ** 53 }],
    ["a next update before this one", { ...plan, nextUpdateMs: T0 }],
    ["a serial twice", { ...plan, entries: [one, one] }],
    ["a serial that is none", { ...plan, entries: [{ ...one, serial: "xyz" }] }],
    ["a serial with a leading zero", { ...plan, entries: [{ ...one, serial: "004a" }] }],
    ["a serial of 21 bytes", { ...plan, entries: [{ ...one, serial: "4a".repeat(21) }] }],
  ])("with %s are not signed", (_, wrong) => {
    expect(codeOf(() => issueRevocationList(provider, alpha, wrong))).toBe("request.invalid");
  });

  it("by a node are not signed", () => {
    const issuer = { certificate: node, key };
    expect(codeOf(() => issueRevocationList(provider, issuer, plan))).toBe("request.invalid");
  });
});

describe("files", () => {
  const certificate = toPem("CERTIFICATE", node.der);
  const list = toPem("X509 CRL", world.list(alpha));
  const request = toPem("CERTIFICATE REQUEST", ask(right));
  const read = (text: string | Uint8Array) => readPkiItems(Buffer.from(text));

  it("give every item, of either form, with text around them", () => {
    const text = `subject=C = CN\r\n${certificate}${list}\n# a note\n${request.replaceAll("\n", "\r\n")}`;
    expect(read(text).map(({ label }) => label)).toEqual([
      ...["CERTIFICATE", "X509 CRL", "CERTIFICATE REQUEST"],
    ]);
    expect(read(node.der)).toEqual([{ label: "CERTIFICATE", der: node.der }]);
    expect(pemLabel("revocation-list")).toBe("X509 CRL");
  });

  it.each([
    ["nothing", ""],
    ["text alone", "hello\n"],
    ["a private key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
    ["a label that lies", certificate.replaceAll("CERTIFICATE", "X509 CRL")],
    ["a cut block", certificate.slice(0, -30)],
    ["a block inside another", `-----BEGIN CERTIFICATE-----\n${certificate}`],
    ["an end without a beginning", "-----END CERTIFICATE-----\n"],
    ["broken base64", certificate.replace("M", "*")],
    [
      "one good block and a bad one",
      `${certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    ],
    ["more than 1 MiB", " ".repeat(PKI_FILE_MAX_BYTES + 1)],
    ["more than 1,024 items", certificate.repeat(1025)],
  ])("with %s are refused", (_, text) => {
    expect(codeOf(() => read(text))).toBe("certificate.malformed");
  });
});
