/**
 * Guarantee checked: lists and requests that are signed rightly and lie outside
 * the profile in one place are refused.
 */
import { parseRequest, parseRevocationList } from "@lightferry/proto/pki";
import { describe, expect, it } from "vitest";
import {
  type Asn1,
  boolean,
  enumerated,
  extension,
  integer,
  oid,
  seq,
  set,
  time,
  utf8,
  wholeNumber,
} from "../src/pki/asn1-write.ts";
import { OID, subjectAltName } from "../src/pki/profile.ts";
import { codeOf } from "./code-of.ts";
import {
  BEGIN,
  ca,
  END,
  entry,
  hex,
  keyOnP256,
  type ListParts,
  listParts,
  listWith,
  name,
  provider,
  put,
  type RequestParts,
  requestWith,
} from "./pki-forger.ts";

describe("lists", () => {
  const reason = (code: number, critical = false) =>
    seq(extension(OID.crlReason, enumerated(code), critical));
  const entries = (...list: Asn1[]) => [seq(...list)];

  it("are read when nothing is wrong with them", () => {
    expect(parseRevocationList(listWith())).toMatchObject({
      number: 5,
      entries: [{ serial: "11" }, { serial: "22" }],
    });
  });

  const [aki = seq(), number = seq()] = listParts(ca).crlExtensions;
  const numbered = (value: Asn1) =>
    put<ListParts, "crlExtensions">("crlExtensions", [aki, extension(OID.crlNumber, value)]);
  const cases: [string, (parts: ListParts) => void][] = [
    ["no version", put("version", [])],
    ["version 1", put("version", [wholeNumber(0)])],
    ["no next update", put("times", [time(BEGIN)])],
    ["a next update before this one", put("times", [time(END), time(BEGIN)])],
    ["an empty list of entries", put("entries", entries())],
    ["entries out of order", put("entries", entries(entry("22", BEGIN), entry("11", BEGIN)))],
    [
      "a longer serial before a shorter",
      put("entries", entries(entry("1111", BEGIN), entry("22", BEGIN))),
    ],
    ["a serial twice", put("entries", entries(entry("11", BEGIN), entry("11", BEGIN)))],
    ["a negative serial", put("entries", entries(entry("ff", BEGIN)))],
    ["a hold", put("entries", entries(entry("11", BEGIN, reason(6))))],
    ["a removal", put("entries", entries(entry("11", BEGIN, reason(8))))],
    ["an unknown reason", put("entries", entries(entry("11", BEGIN, reason(42))))],
    ["reason unspecified written out", put("entries", entries(entry("11", BEGIN, reason(0))))],
    ["a critical reason", put("entries", entries(entry("11", BEGIN, reason(1, true))))],
    [
      "an unknown extension of an entry",
      put("entries", entries(entry("11", BEGIN, seq(extension("2.5.29.29", seq(), true))))),
    ],
    ["something after an entry", put("entries", entries(entry("11", BEGIN, reason(1), seq())))],
    ["no extensions", put("crlExtensions", [])],
    ["no number", put("crlExtensions", [aki])],
    ["no authority key identifier", put("crlExtensions", [number])],
    ["a number past 2^53", numbered(integer(hex("40000000000000")))],
    ["a number of twenty bytes", numbered(integer(hex("4a".repeat(20))))],
    ["a negative number", numbered(integer(hex("ff")))],
    ["a delta", put("crlExtensions", [aki, number, extension("2.5.29.27", wholeNumber(1), true)])],
    [
      "a distribution point",
      put("crlExtensions", [aki, number, extension("2.5.29.28", seq(), true)]),
    ],
    ["something after the extensions", put("rest", [seq()])],
  ];
  it.each(cases)("with %s are refused", (_, change) => {
    expect(codeOf(() => parseRevocationList(listWith(change)))).toBe("certificate.malformed");
  });
});

describe("requests", () => {
  const attribute = (...extensions: Asn1[]) =>
    seq(oid(OID.extensionRequest), set(seq(...extensions)));
  const san = subjectAltName("lightferry://alpha/gw-a/sign");

  it("are read when nothing is wrong with them", () => {
    expect(parseRequest(provider, requestWith()).identity?.use).toBe("sign");
  });

  const cases: [string, (parts: RequestParts) => void][] = [
    ["another version", put("version", wholeNumber(1))],
    ["no identity", put("attributes", [])],
    ["an empty extension request", put("attributes", [attribute()])],
    [
      "a challenge password",
      put("attributes", [seq(oid("1.2.840.113549.1.9.7"), set(utf8("secret")))]),
    ],
    ["two attributes", put("attributes", [attribute(san), attribute(san)])],
    [
      "basic constraints of a CA",
      put("attributes", [
        attribute(san, extension(OID.basicConstraints, seq(boolean(true)), true)),
      ]),
    ],
    ["a P-256 key", put("publicKey", keyOnP256())],
  ];
  it.each(cases)("with %s are refused", (_, change) => {
    expect(codeOf(() => parseRequest(provider, requestWith(change)))).toBe("certificate.malformed");
  });

  it("signed by another key are refused: no proof of possession", () => {
    const bytes = requestWith(undefined, ca);
    expect(codeOf(() => parseRequest(provider, bytes))).toBe("request.invalid");
  });

  it("whose name is not that of their identity are refused", () => {
    const bytes = requestWith(put("subject", name("gw-b-sign")));
    expect(codeOf(() => parseRequest(provider, bytes))).toBe("request.invalid");
  });
});
