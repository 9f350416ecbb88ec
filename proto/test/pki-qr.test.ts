/** Guarantee checked: an item shown as QR codes is read back by a decoder, and no set mixes with another. */
import { stripVTControlCharacters } from "node:util";
import {
  parseCertificate,
  QR_MAX_BYTES,
  QR_PARTS_MAX,
  QrCollector,
  qrParts,
  qrSvg,
  qrTerminal,
} from "@lightferry/proto/pki";
import { type TestPki, testPki } from "@lightferry/proto/testing";
import fc from "fast-check";
import decodeQR from "qr/decode.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBase45, toBase45 } from "../src/pki/base45.ts";
import { codeOf } from "./code-of.ts";

/** Pixels of a picture of `size` modules, four pixels each. */
function photograph(size: number, isDark: (x: number, y: number) => boolean) {
  const width = size * 4;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (let at = 0; at < width * width; at += 1) {
    const x = Math.floor((at % width) / 4);
    const y = Math.floor(at / width / 4);
    if (isDark(x, y)) data.fill(0, at * 4, at * 4 + 3);
  }
  return { width, height: width, data };
}

function scanSvg(svg: string): string {
  const size = Number(/viewBox="0 0 (\d+) \d+"/.exec(svg)?.[1]);
  const dark = new Set<string>();
  for (const [, x, y, run, back] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) {
    expect(run).toBe(back);
    for (let i = 0; i < Number(run); i += 1) dark.add(`${Number(x) + i}/${y}`);
  }
  return decodeQR(photograph(size, (x, y) => dark.has(`${x}/${y}`)));
}

function scanTerminal(text: string): string {
  const lines = text.trimEnd().split("\n");
  const rows = lines.map((line) => [...stripVTControlCharacters(line)]);
  const size = rows[0]?.length ?? 0;
  return decodeQR(
    photograph(size, (x, y) => {
      const cell = rows[Math.floor(y / 2)]?.[x] ?? " ";
      return y % 2 === 0 ? cell === " " || cell === "▄" : cell === " " || cell === "▀";
    }),
  );
}

describe("QR codes", () => {
  let pki: TestPki;
  beforeAll(async () => {
    pki = await testPki({ zones: { alpha: "gw-a" } });
  });
  afterAll(() => pki.cleanup());

  it("shows a certificate that a decoder reads from the SVG and from the terminal", () => {
    const der = parseCertificate(pki.store.chain(pki.keyId("gw-a", "sign"))[0] ?? pki.root).der;
    const fromSvg = new QrCollector();
    const fromTerminal = new QrCollector();
    for (const part of qrParts(der).reverse()) {
      fromSvg.add(scanSvg(qrSvg(part)));
      fromTerminal.add(scanTerminal(qrTerminal(part)));
    }
    expect(fromSvg.result()).toEqual(der);
    expect(fromTerminal.result()).toEqual(der);
  });

  it("fits a terminal of 80 columns, with the margin scanners need", () => {
    const full = qrParts(new Uint8Array(QR_MAX_BYTES).fill(0xff));
    expect(full).toHaveLength(QR_PARTS_MAX);
    for (const part of [full[0] ?? "", full.at(-1) ?? ""]) {
      const [line = ""] = stripVTControlCharacters(qrTerminal(part)).split("\n");
      expect(line.length).toBeLessThanOrEqual(80);
      expect(line).toBe("█".repeat(line.length));
    }
  });

  it("puts parts together in any order, with duplicates, and says which are missing", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 3000 }),
        fc.infiniteStream(fc.nat()),
        (der, order) => {
          const parts = qrParts(der);
          const shuffled = parts
            .concat(parts)
            .map((part) => [order.next().value ?? 0, part] as const)
            .sort(([a], [b]) => a - b);
          const collector = new QrCollector();
          const seen = new Set<string>();
          for (const [, part] of shuffled) {
            if (seen.size < parts.length) expect(collector.result()).toBeUndefined();
            seen.add(part);
            expect(collector.add(part)).toEqual({ have: seen.size, count: parts.length });
            expect(collector.missing()).toHaveLength(parts.length - seen.size);
          }
          expect(collector.result()).toEqual(der);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("refuses parts of another set and keeps what it has", () => {
    const one = new Uint8Array(700).fill(1);
    const [first = "", ...rest] = qrParts(one);
    const collector = new QrCollector();
    collector.add(first);
    const other = qrParts(new Uint8Array(700).fill(2));
    expect(codeOf(() => collector.add(other[1] ?? ""))).toBe("trust.qr-mixed");
    // The digest of the set over other bytes, and the place taken twice.
    const forged = first.slice(0, 50) + (first[50] === "0" ? "1" : "0") + first.slice(51);
    expect(codeOf(() => collector.add(forged))).toBe("trust.qr-mixed");
    expect(codeOf(() => collector.add(first.replace("1/3", "1/2")))).toBe("trust.qr-mixed");
    for (const part of rest) collector.add(part);
    expect(collector.result()).toEqual(one);
  });

  it("refuses a whole whose bytes were changed", () => {
    const [part = ""] = qrParts(Uint8Array.of(1, 2, 3, 4));
    const collector = new QrCollector();
    collector.add(`${part.slice(0, -6)}${toBase45(Uint8Array.of(9, 2, 3, 4))}`);
    expect(codeOf(() => collector.result())).toBe("trust.qr-invalid");
  });

  it("never takes a changed part for the item, and throws nothing of its own", () => {
    const der = new Uint8Array(250).map((_, i) => i);
    const [part = ""] = qrParts(der);
    fc.assert(
      fc.property(fc.nat(part.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
        const changed = part.slice(0, at) + put + part.slice(at + 1);
        fc.pre(changed !== part);
        const collector = new QrCollector();
        const code = codeOf(() => {
          collector.add(changed);
          expect(collector.missing().length > 0 || collector.result() === undefined).toBe(true);
        });
        expect([undefined, "trust.qr-invalid"]).toContain(code);
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["no part", "HELLO"],
    ["a place beyond the end", `LF1:2/1:${"0".repeat(32)}:00`],
    ["place 0", `LF1:0/1:${"0".repeat(32)}:00`],
    ["more parts than there may be", `LF1:1/65:${"0".repeat(32)}:00`],
    ["a short part before the last", `LF1:1/2:${"0".repeat(32)}:00`],
    ["small letters", `lf1:1/1:${"0".repeat(32)}:00`],
    ["overlong", `LF1:1/1:${"0".repeat(32)}:${"0".repeat(500)}`],
    ["not base 45", `LF1:1/1:${"0".repeat(32)}::::`],
  ])("refuses %s", (_, text) => {
    expect(codeOf(() => new QrCollector().add(text))).toBe("trust.qr-invalid");
  });

  it("refuses what takes more codes than anybody scans", () => {
    expect(codeOf(() => qrParts(new Uint8Array(QR_MAX_BYTES + 1)))).toBe("trust.too-large");
    expect(codeOf(() => qrParts(new Uint8Array()))).toBe("trust.too-large");
    expect(codeOf(() => qrSvg("0".repeat(9000)))).toBe("trust.too-large");
  });
});

describe("base 45", () => {
  it.each([
    ["AB", "BB8"],
    ["Hello!!", "%69 VD92EX0"],
    ["base-45", "UJCLQE7W581"],
    ["ietf!", "QED8WEX0"],
  ])("writes the examples of RFC 9285 (%s)", (text, encoded) => {
    expect(toBase45(Buffer.from(text))).toBe(encoded);
    expect(Buffer.from(fromBase45(encoded)).toString()).toBe(text);
  });

  it.each(["GGW", "ZZ", "A", ":::", "ab", "É00"])("refuses %s", (text) => {
    expect(codeOf(() => fromBase45(text))).toBe("trust.qr-invalid");
  });

  it("has one text for some bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromBase45(toBase45(bytes))).toEqual(bytes);
      }),
    );
  });
});
