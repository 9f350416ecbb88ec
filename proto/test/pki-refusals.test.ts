/**
 * Guarantee checked: what is signed rightly and lies outside the profile in one
 * place is refused as malformed, so a CA's slip or malice gains no new meaning.
 */
import { parseCertificate, parseRequest, parseRevocationList } from "@lightferry/proto/pki";
import forge from "node-forge";
import { describe, expect, it } from "vitest";
import {
  type Asn1,
  bitString,
  boolean,
  context,
  extension,
  integer,
  octets,
  oid,
  primitive,
  printable,
  rdn,
  seq,
  set,
  time,
  utf8,
  wholeNumber,
} from "../src/pki/asn1-write.ts";
import { keyUsage, OID, publicKeyInfo, subjectAltName } from "../src/pki/profile.ts";
import { codeOf } from "./code-of.ts";
import {
  BEGIN,
  ca,
  certificateWith,
  END,
  hex,
  key,
  keyOnP256,
  type NodeParts,
  name,
  nodeParts,
  provider,
  put,
  signAnything,
  tbsOf,
} from "./pki-forger.ts";

const raw = (type: number, text: string): Asn1 =>
  forge.asn1.create(forge.asn1.Class.UNIVERSAL, type as forge.asn1.Type, false, text);
const latin1 = (text: string): string => hex(text).toString("latin1");
const UTC = 23;
const GENERALIZED = 24;

describe("certificates", () => {
  const with_ =
    (id: string, value: Asn1 | undefined) =>
    (parts: NodeParts): void => {
      parts.extensions[id] = value;
    };

  it("are read when nothing is wrong with them", () => {
    expect(parseCertificate(certificateWith()).identity?.node).toBe("gw-a");
  });

  const cases: [string, (parts: NodeParts) => void][] = [
    ["no version", put("version", [])],
    ["version 1", put("version", [context(0, wholeNumber(0))])],
    ["version 2", put("version", [context(0, wholeNumber(1))])],
    ["serial zero", put("serial", wholeNumber(0))],
    ["a negative serial", put("serial", integer(hex("ff01")))],
    ["a serial of 21 bytes", put("serial", integer(hex("4a".repeat(21))))],
    ["ECDSA", put("algorithm", seq(oid("1.2.840.10045.4.3.2")))],
    ["algorithm parameters", put("algorithm", seq(oid(OID.sm2WithSm3), raw(5, "")))],
    ["no country", put("subject", seq(rdn(OID.organisation, utf8("o"))))],
    [
      "another country",
      put(
        "subject",
        seq(
          rdn(OID.country, printable("US")),
          rdn(OID.organisation, utf8("o")),
          rdn(OID.commonName, utf8("c")),
        ),
      ),
    ],
    [
      "another unit than 演示",
      put(
        "subject",
        seq(
          rdn(OID.country, printable("CN")),
          rdn(OID.organisation, utf8("o")),
          rdn(OID.organisationalUnit, utf8("demo")),
          rdn(OID.commonName, utf8("c")),
        ),
      ),
    ],
    [
      "two attributes in one name part",
      put(
        "subject",
        seq(
          set(seq(oid(OID.country), printable("CN")), seq(oid(OID.organisation), utf8("o"))),
          rdn(OID.commonName, utf8("c")),
        ),
      ),
    ],
    ["a control character in a name", put("subject", name("gw-a\u0000sign"))],
    ["a name turning its text round", put("subject", name("gw\u202ea-sign"))],
    ["a name of 65 characters", put("subject", name("x".repeat(65)))],
    ["an empty name", put("subject", name(""))],
    [
      "broken UTF-8",
      put(
        "subject",
        seq(
          rdn(OID.country, printable("CN")),
          rdn(OID.organisation, raw(12, "\xff\xfe")),
          rdn(OID.commonName, utf8("c")),
        ),
      ),
    ],
    ["an end before the beginning", put("validity", seq(time(END), time(BEGIN)))],
    ["an end at the beginning", put("validity", seq(time(BEGIN), time(BEGIN)))],
    ["a time without seconds", put("validity", seq(raw(UTC, "2601010000Z"), time(END)))],
    ["a time with a zone", put("validity", seq(raw(UTC, "260101000000+0800"), time(END)))],
    ["30 February", put("validity", seq(raw(UTC, "260230000000Z"), time(END)))],
    ["24 o'clock", put("validity", seq(raw(UTC, "260101240000Z"), time(END)))],
    ["a leap second", put("validity", seq(raw(UTC, "260101000060Z"), time(END)))],
    [
      "the long form before 2050",
      put("validity", seq(raw(GENERALIZED, "20260101000000Z"), time(END))),
    ],
    [
      "fractions of a second",
      put("validity", seq(time(BEGIN), raw(GENERALIZED, "20510101000000.5Z"))),
    ],
    ["a P-256 key", put("publicKey", keyOnP256())],
    [
      "an RSA key",
      put("publicKey", seq(seq(oid("1.2.840.113549.1.1.1"), raw(5, "")), bitString(key.publicKey))),
    ],
    [
      "a compressed point",
      put("publicKey", publicKeyInfo(Buffer.concat([Buffer.of(2), key.publicKey.subarray(1, 33)]))),
    ],
    [
      "a point beside the curve",
      (p) => {
        const point = Uint8Array.from(key.publicKey);
        point[64] = (point[64] ?? 0) ^ 1;
        p.publicKey = publicKeyInfo(point);
      },
    ],
    ["the point at infinity", put("publicKey", publicKeyInfo(Buffer.of(0)))],
    [
      "unused bits in the key",
      put(
        "publicKey",
        seq(seq(oid(OID.ecPublicKey), oid(OID.sm2Curve)), bitString(key.publicKey, 1)),
      ),
    ],
    ["an unknown critical extension", with_("more", extension("1.2.3.4", seq(), true))],
    ["an unknown extension", with_("more", extension("1.2.3.4", seq()))],
    ["name constraints", with_("more", extension("2.5.29.30", seq(), true))],
    ["an extension twice", with_("more", keyUsage(["digitalSignature", "nonRepudiation"]))],
    ["no subject key identifier", with_("ski", undefined)],
    [
      "the subject key identifier of another key",
      with_("ski", extension(OID.subjectKeyIdentifier, octets(Buffer.alloc(20, 7)))),
    ],
    ["no authority key identifier", with_("aki", undefined)],
    [
      "a long authority key identifier",
      with_("aki", extension(OID.authorityKeyIdentifier, seq(primitive(0, Buffer.alloc(32))))),
    ],
    [
      "an authority named by serial",
      with_(
        "aki",
        extension(
          OID.authorityKeyIdentifier,
          seq(primitive(0, Buffer.alloc(20)), primitive(2, Buffer.of(1))),
        ),
      ),
    ],
    ["no basic constraints", with_("constraints", undefined)],
    [
      "basic constraints that are not critical",
      with_("constraints", extension(OID.basicConstraints, seq())),
    ],
    [
      "a node that is a CA",
      with_(
        "constraints",
        extension(OID.basicConstraints, seq(boolean(true), wholeNumber(0)), true),
      ),
    ],
    [
      "cA FALSE written out",
      with_("constraints", extension(OID.basicConstraints, seq(boolean(false)), true)),
    ],
    ["no key usage", with_("usage", undefined)],
    [
      "a key usage that is not critical",
      with_("usage", extension(OID.keyUsage, bitString(Buffer.of(0xc0), 6))),
    ],
    [
      "key usage of an encryption key",
      with_("usage", keyUsage(["keyEncipherment", "dataEncipherment", "keyAgreement"])),
    ],
    [
      "key usage of both kinds",
      with_("usage", keyUsage(["digitalSignature", "nonRepudiation", "keyEncipherment"])),
    ],
    [
      "certificate signing",
      with_("usage", keyUsage(["digitalSignature", "nonRepudiation", "keyCertSign"])),
    ],
    [
      "trailing zero bits in key usage",
      with_("usage", extension(OID.keyUsage, bitString(Buffer.of(0xc0), 0), true)),
    ],
    [
      "an empty key usage",
      with_("usage", extension(OID.keyUsage, bitString(Buffer.alloc(0)), true)),
    ],
    ["no identity", with_("san", undefined)],
    [
      "a critical identity",
      with_(
        "san",
        extension(
          OID.subjectAltName,
          seq(primitive(6, Buffer.from("lightferry://alpha/gw-a/sign"))),
          true,
        ),
      ),
    ],
    [
      "two identities",
      with_(
        "san",
        extension(
          OID.subjectAltName,
          seq(
            primitive(6, Buffer.from("lightferry://alpha/gw-a/sign")),
            primitive(6, Buffer.from("lightferry://alpha/gw-a/policy")),
          ),
        ),
      ),
    ],
    [
      "a DNS name",
      with_("san", extension(OID.subjectAltName, seq(primitive(2, Buffer.from("gw-a"))))),
    ],
    ...[
      "lightferry://alpha/gw-a",
      "lightferry://alpha/gw-a/",
      "lightferry://alpha/gw-a/sign/",
      "lightferry://alpha/gw-a/signs",
      "lightferry://Alpha/gw-a/sign",
      "lightferry://alpha//sign",
      "lightferry://alpha/gw_a/sign",
      "lightferry://alpha/gw-a/sign\n",
      "lightferry://alpha/gw-a/sign?x",
      "https://alpha/gw-a/sign",
      `lightferry://alpha/${"a".repeat(64)}/sign`,
      `lightferry://${"a".repeat(200)}/gw-a/sign`,
    ].map((uri): [string, (parts: NodeParts) => void] => [
      `the identity ${JSON.stringify(uri)}`,
      with_("san", subjectAltName(uri)),
    ]),
    [
      "the identity of a CA with a node's key usage",
      with_("san", subjectAltName("lightferry://alpha/ca")),
    ],
    ["a unique identifier", put("rest", [primitive(1, Buffer.of(0, 1))])],
    ["its own name as issuer", put("issuer", name("gw-a-sign"))],
  ];
  it.each(cases)("with %s are refused", (_, change) => {
    expect(codeOf(() => parseCertificate(certificateWith(change)))).toBe("certificate.malformed");
  });

  it("are refused when their unsigned algorithm is padded, which would give one content many digests", () => {
    const tbs = tbsOf(nodeParts(ca, key));
    const content = "2a811ccf55018375";
    expect(
      codeOf(() => parseCertificate(signAnything(ca, tbs, seq(raw(6, latin1(content)))))),
    ).toBe(undefined);
    for (const padded of ["802a811ccf55018375", "2a80811ccf55018375", "2a811ccf5501808375"]) {
      const der = signAnything(ca, tbs, seq(raw(6, latin1(padded))));
      expect(codeOf(() => parseCertificate(der))).toBe("certificate.malformed");
    }
    // An arc that does not end was passed over before.
    const open = signAnything(ca, tbs, seq(raw(6, latin1(`${content}81`))));
    expect(codeOf(() => parseCertificate(open))).toBe("certificate.malformed");
  });

  it("with another outer algorithm are refused", () => {
    const other = seq(oid("1.2.840.10045.4.3.2"));
    expect(codeOf(() => parseCertificate(certificateWith(undefined, other)))).toBe(
      "certificate.malformed",
    );
  });
});

describe("encodings", () => {
  const good = certificateWith();
  const body = good.subarray(4);
  const cases: [string, Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.of(0x30)],
    ["a byte after the end", Buffer.concat([good, Buffer.of(0)])],
    ["indefinite length", Buffer.concat([hex("3080"), body, hex("0000")])],
    ["a length with a leading zero", Buffer.concat([hex("308300"), good.subarray(2)])],
    ["a length of 4 GiB", Buffer.concat([hex("3084ffffffff"), body])],
    ["a length of 127 bytes", Buffer.concat([hex("30ff"), body])],
    ["a high tag number", Buffer.concat([hex("3f10"), good.subarray(1)])],
    ["nesting without end", Buffer.concat(Array.from({ length: 500 }, () => hex("3080")))],
    ["deep nesting", deep(40)],
    ["more than 2 KiB", Buffer.concat([hex("30820900"), Buffer.alloc(0x900)])],
  ];
  it.each(cases)("of %s are refused", (_, bytes) => {
    expect(codeOf(() => parseCertificate(bytes))).toBe("certificate.malformed");
    expect(codeOf(() => parseRevocationList(bytes))).toBe("certificate.malformed");
    expect(codeOf(() => parseRequest(provider, bytes))).toBe("certificate.malformed");
  });

  it("of every truncation are refused", () => {
    for (let end = 0; end < good.length; end += 1) {
      expect(codeOf(() => parseCertificate(good.subarray(0, end)))).toBe("certificate.malformed");
    }
  });

  it("of TRUE other than 0xff are refused", () => {
    const at = good.indexOf(hex("0101ff"));
    const changed = Buffer.from(good);
    changed[at + 2] = 1;
    expect(at).toBeGreaterThan(0);
    expect(codeOf(() => parseCertificate(changed))).toBe("certificate.malformed");
  });

  it("leave no view into the caller's bytes", () => {
    const bytes = Buffer.from(good);
    const certificate = parseCertificate(bytes);
    const before = structuredClone({ der: certificate.der, tbs: Buffer.from(certificate.tbs) });
    bytes.fill(0);
    expect(certificate.der).toEqual(before.der);
    expect(Buffer.from(certificate.tbs)).toEqual(Buffer.from(before.tbs));
  });

  function deep(levels: number): Buffer {
    let bytes = hex("0500");
    for (let i = 0; i < levels; i += 1)
      bytes = Buffer.concat([Buffer.of(0x30, bytes.length), bytes]);
    return bytes;
  }
});
