import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Format } from "../src/content/format.ts";
import { isResidentId } from "../src/detect/resident-id.ts";
import { hasMarkInHead, hasMarkInName } from "../src/detect/secrecy-marks.ts";
import { residentId } from "./numbers.ts";
import { DECLARED, inspectPieces, inspectText, planOf, provider } from "./plan.ts";

const VALID = "510104199003077217";
const MASKED = "510104********7217";

function detectors(text: string, format: Format): string[] {
  return inspectText(text, format).report.findings.map((finding) => finding.detector);
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

describe("secrecy marks", () => {
  test.each([
    "机密",
    "机 密",
    "机\u3000密 ",
    "【机密】",
    "机\u200b密★5年",
    "机密★",
    "绝密★启用前",
    "秘密☆长期",
    "機密＊10年",
    "㊙密★",
    "密级：机密",
    "密 级 : 秘 密",
    "密級：絕密",
    "机密：关于某事项的报告",
    "某某厅文件　　机密",
    "机 密   第001号",
    "\n\n第一行\n第二行\n机密10年\n",
    "姓名,密级\n张三,机密\n",
  ])("certain at the head: %j", (text) => {
    expect(hasMarkInHead(text)).toBe(true);
    expect(detectors(text, "text")).toContain("secrecy-mark-head");
  });

  test.each([
    "关于加强机密文件管理的通知",
    "手机 密码",
    "保守商业秘密",
    "一\n二\n三\n四\n五\n机密★5年",
  ])("not certain: %j", (text) => {
    expect(hasMarkInHead(text)).toBe(false);
  });

  test.each([
    "关于加强机密文件管理的通知",
    "本件属机 密，勿传",
    "内有絕\u200b密材料",
    "一\n二\n三\n四\n五\n机密★5年",
    "含有机密文件",
    "机密切勿外传",
  ])("a suspicion in running text: %j", (text) => {
    expect(detectors(text, "text")).toEqual(["secrecy-mark-text"]);
  });

  test.each(["手机密码", "手机 密码", "司机密切关注", "数据的机密性", "属商业秘密。", "森林茂密"])(
    "ordinary: %j",
    (text) => {
      expect(detectors(text, "text")).toEqual([]);
    },
  );

  test.each([
    ["机密-规划.txt", true],
    ["规划（机 密）.txt", true],
    ["jihua_机_密★.csv", true],
    ["绝密.csv", true],
    ["手机密码.txt", false],
    ["商业秘密保护办法.txt", false],
    ["名录.csv", false],
  ])("file name %j", (name, expected) => {
    expect(hasMarkInName(name, ["商业秘密"])).toBe(expected);
  });

  test("is seen across every split point", () => {
    const text = `${"文".repeat(60)}机\u200b 密材料${"字".repeat(60)}`;
    const bytes = Buffer.from(`${"x".repeat(65_500)}\n\n\n\n\n\n${text}`);
    for (let at = 65_500; at < bytes.length; at += 1) {
      const { report } = inspectPieces([bytes.subarray(0, at), bytes.subarray(at)], DECLARED.text);
      expect(report.findings.map((f) => [f.detector, f.count])).toEqual([["secrecy-mark-text", 1]]);
    }
  });

  test("in JSON: a field of its own is certain, prose is a suspicion", () => {
    expect(detectors('{"密级":"机\\u5bc6"}', "json")).toContain("secrecy-mark-head");
    expect(detectors('{"密级":"机\\u0001密"}', "json")).toContain("secrecy-mark-head");
    expect(detectors('{"标题":"机密★5年 某规划"}', "json")).toContain("secrecy-mark-head");
    expect(detectors('{"备注":"关于机密文件管理"}', "json")).toEqual(["secrecy-mark-text"]);
  });
});

describe("JSON", () => {
  test("values, keys and numbers are masked and JSON stays JSON", () => {
    const text = `{"id":"${VALID}","n":${VALID},"e":5.10104199003077217e17,"${VALID}":1,"x":{"tel":13800138000,"t":[" 138-0013-8000 "]},"${VALID}":[true,null,-1.5e3]}`;
    const { out, report } = inspectText(text, "json");
    expect(JSON.parse(out.toString())).toEqual({
      id: MASKED,
      n: MASKED,
      e: MASKED,
      [`${MASKED}#1`]: 1,
      x: { tel: "138****8000", t: [" 138****8000 "] },
      [`${MASKED}#2`]: [true, null, -1500],
    });
    expect(report.changed).toBe(true);
    expect(report.findings.find((f) => f.detector === "mobile-number")?.where).toBe("tel, t");
    expect(report.findings.find((f) => f.detector === "resident-id")?.where).not.toContain("1990");
  });

  test.each([
    ["51010419900307009e1", "510104********0090"],
    ["5.10104199003077217e17", MASKED],
    ["510104199003077217000E-3", `${MASKED}.000`],
    ["1380013800e1", "138****8000"],
    ["0.13800138e+11", "138****8000"],
  ])("a number written as %s is looked at as it reads", (number, expected) => {
    expect(inspectText(`[${number}]`, "json").out.toString()).toBe(`["${expected}"]`);
  });

  test.each(["1e999999999", "1E-999999999", "-2.5e3", "0e0", "104.13800138000e0"])(
    "the number %s leaves as it is",
    (number) => {
      expect(inspectText(`[${number}]`, "json").out.toString()).toBe(`[${number}]`);
    },
  );

  test("escapes are read in their decoded form", () => {
    const escaped = [...VALID].map((d) => `\\u003${d}`).join("");
    expect(inspectText(`["${escaped}"]`, "json").out.toString()).toBe(`["${MASKED}"]`);
  });

  test("what needs no change leaves byte for byte", () => {
    const text = '\ufeff { "a" : [ 1 , 2.50 , -0 , "\\u4e2d\\n" ] ,\r\n "b":{} }\n';
    const { out, report } = inspectText(text, "json");
    expect(out.toString()).toBe(text);
    expect(report.changed).toBe(false);
    expect(report.findings).toEqual([]);
  });

  test.each([
    "",
    "{",
    '{"a"}',
    '{"a":1,}',
    "[1 2]",
    "[1]]",
    '["a',
    '"\u0001"',
    "NaN",
    "01",
    "{'a':1}",
    '{"a":1}{',
    "[}",
    "tru",
    "1 2",
    "[".repeat(70) + "]".repeat(70),
    '["\\x"]',
  ])("not JSON: %j", (text) => {
    const blind = inspectText(text, "json").report.findings.map((f) => f.detector);
    expect(blind).toEqual(text === "" ? [] : ["undecodable"]);
  });

  test("agrees with JSON.parse on what is JSON, in whatever pieces it comes", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom("", ",", "}", "x", '"'),
        (json, at, junk) => {
          const place = at % (json.length + 1);
          const text = json.slice(0, place) + junk + json.slice(place);
          let valid = true;
          try {
            JSON.parse(text);
          } catch {
            valid = false;
          }
          const { report, out } = inspectText(text, "json");
          const blind = report.findings.some((f) => f.detector === "undecodable");
          expect(blind).toBe(!valid);
          if (!report.changed) expect(out.toString()).toBe(text);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("large JSON in odd pieces gives the same as in one", () => {
    const rows = Array.from({ length: 4000 }, (_, i) => ({
      i,
      id: VALID,
      名: `甲${i}`,
      电话: "13800138000",
    }));
    const bytes = Buffer.from(JSON.stringify(rows));
    const whole = inspectPieces([bytes], DECLARED.json);
    for (const size of [777, 65_536, 65_537, 100_003]) {
      const pieces = inspectPieces(cut(bytes, size), DECLARED.json);
      expect(Buffer.compare(pieces.out, whole.out)).toBe(0);
      expect(pieces.report).toEqual(whole.report);
    }
    expect(whole.out.toString()).not.toContain(VALID);
    expect(JSON.parse(whole.out.toString())).toHaveLength(4000);
  });
});

describe("CSV", () => {
  test("cells are masked in place, columns are named by number", () => {
    const text = `姓名,身份证号,电话\r\n"张,三","${VALID}",13800138000\r\n`;
    const { out, report } = inspectText(text, "csv");
    expect(out.toString()).toBe(`姓名,身份证号,电话\r\n"张,三","${MASKED}",138****8000\r\n`);
    expect(report.findings.map((f) => [f.detector, f.where, f.count])).toEqual([
      ["resident-id", "column 2", 1],
      ["mobile-number", "column 3", 1],
    ]);
  });

  test("random tables in random pieces: no number stays, all else stays", () => {
    const cell = fc.oneof(residentId, fc.stringMatching(/^[a-z0-9 ]{0,12}$/), fc.constant("甲"));
    const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 20 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 97 }), (rows, size) => {
        const text = rows
          .map((row) => row.join(","))
          .join("\n")
          .repeat(40);
        const { out } = inspectPieces(cut(Buffer.from(text), size * 700), DECLARED.csv);
        const whole = inspectText(text, "csv").out;
        expect(Buffer.compare(out, whole)).toBe(0);
        for (const [run] of out.toString().matchAll(/[0-9]{17}[0-9X]/g)) {
          expect(isResidentId([...run].map((c) => (c === "X" ? 10 : Number(c))))).toBe(false);
        }
        expect(out.toString().split("\n").length).toBe(text.split("\n").length);
      }),
      { numRuns: 60 },
    );
  });

  test("the table of villages crosses untouched", () => {
    const bytes = readFileSync(
      new URL("../../deploy/samples/sichuan-villages.csv", import.meta.url),
    );
    const { out, report } = inspectPieces(cut(bytes, 65_536), DECLARED.csv);
    expect(report.findings).toEqual([]);
    expect(Buffer.compare(out, bytes)).toBe(0);
    expect(Buffer.from(report.digest)).toEqual(Buffer.from(provider.sm3(bytes)));
  });
});

describe("what cannot be looked at", () => {
  const random = Buffer.from(provider.sm3(Buffer.from("seed")))
    .toString("latin1")
    .repeat(50);
  const binary = Buffer.from(random, "latin1");
  test.each([
    ["random bytes", binary, { contentType: "", fileName: "a.bin" }, "not-text"],
    ["random bytes called CSV", binary, DECLARED.csv, "broken-utf8"],
    ["a zip called CSV", Buffer.from("PK\x03\x04rest"), DECLARED.csv, "packed"],
    ["a PDF called text", Buffer.from("%PDF-1.7\n"), DECLARED.text, "packed"],
    ["GB18030", Buffer.from([0xd5, 0xc5, 0xc8, 0xfd, 0x2c, 0x31]), DECLARED.csv, "broken-utf8"],
    ["UTF-16", Buffer.from("张三,1", "utf16le"), DECLARED.csv, "not-text"],
    ["NUL in text", Buffer.from("a\0b"), DECLARED.text, "not-text"],
    ["an unfinished character", Buffer.from([0x61, 0xe5, 0xbc]), DECLARED.text, "broken-utf8"],
    [
      "two types",
      Buffer.from("{}"),
      { contentType: "application/json", fileName: "a.csv" },
      "unknown-type",
    ],
    [
      "text that its reader will decode as another charset",
      Buffer.from('{"a":"~{;zC\\~}"}'),
      { contentType: 'application/json; Charset="HZ-GB-2312"', fileName: "" },
      "unknown-type",
    ],
    [
      "text whose reader may go by the second of two charsets",
      Buffer.from('{"a":"+Zzpbxg-"}'),
      { contentType: "application/json; charset=utf-8; charset=utf-7", fileName: "" },
      "unknown-type",
    ],
    [
      "text that its reader will unpack",
      Buffer.from("{}"),
      { contentType: "application/json", contentEncoding: "br", fileName: "" },
      "packed",
    ],
  ])("%s is held", (_name, bytes, declared, reason) => {
    const { out, report } = inspectPieces([bytes], declared);
    expect(report.findings.map((f) => [f.detector, f.action, f.where])).toEqual([
      ["undecodable", "hold", reason],
    ]);
    expect(Buffer.compare(out, bytes)).toBe(0);
  });

  test("passes only under an opaque rule, and says so", () => {
    const opaque = { ruleId: "bulk-data.opaque", reason: "drill" };
    const plan = planOf({}, { formats: [], opaque });
    const { report, out } = inspectPieces(
      cut(binary, 100),
      { contentType: "", fileName: "a.bin" },
      plan,
    );
    expect(report.findings).toEqual([]);
    expect(report.opaqueRuleId).toBe("bulk-data.opaque");
    expect(Buffer.compare(out, binary)).toBe(0);
    const text = inspectPieces(
      [Buffer.from(`号 ${VALID}`)],
      { contentType: "", fileName: "a.bin" },
      plan,
    );
    expect(text.out.toString()).toBe(`号 ${MASKED}`);
    expect(text.report.opaqueRuleId).toBeUndefined();
  });

  test("a format the service does not take is refused, not guessed", () => {
    const plan = planOf({}, { formats: ["csv"] });
    expect(inspectText("{}", "json", plan).report.formatRefused).toBe(true);
    expect(inspectText("a,b", "csv", plan).report.formatRefused).toBe(false);
  });
});
