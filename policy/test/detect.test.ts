import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Tally } from "../src/content/tally.ts";
import { DigitRuns } from "../src/detect/digit-runs.ts";
import { isMobileNumber } from "../src/detect/mobile-number.ts";
import { isOldResidentId, isResidentId } from "../src/detect/resident-id.ts";
import { checkCharacter, residentId } from "./numbers.ts";
import { rulesOf } from "./plan.ts";

const VALID = "510104199003077217";
const values = (text: string) => [...text].map((c) => (c === "X" ? 10 : Number(c)));

function mask(text: string, cuts: readonly number[] = [], actions = {}): [string, Tally] {
  const tally = new Tally(rulesOf(actions));
  const runs = new DigitRuns(tally, () => "");
  const places = [0, ...cuts.map((c) => c % (text.length + 1)).sort((a, b) => a - b), text.length];
  let out = "";
  for (let i = 1; i < places.length; i += 1) out += runs.push(text.slice(places[i - 1], places[i]));
  return [out + runs.end(), tally];
}
const masked = (text: string) => mask(text)[0];

describe("resident identity number", () => {
  test("accepts what the independent computation builds, and only with its check character", () => {
    fc.assert(
      fc.property(residentId, fc.integer({ min: 1, max: 10 }), (id, shift) => {
        expect(isResidentId(values(id))).toBe(true);
        const wrong = [...values(id).slice(0, 17), ((values(id)[17] ?? 0) + shift) % 11];
        expect(isResidentId(wrong)).toBe(false);
      }),
    );
  });

  test.each([
    ["510104199002307217", "no 30 February"],
    ["990104199003077217", "no such province"],
    ["510104169003077217", "seventeenth century"],
    ["51010419900307721", "too short"],
  ])("refuses %s: %s", (id) => {
    expect(isResidentId(values(id))).toBe(false);
  });

  test("old form has a province and a date", () => {
    expect(isOldResidentId(values("510104900307721"))).toBe(true);
    expect(isOldResidentId(values("510104901307721"))).toBe(false);
  });
});

test("mobile numbers follow the number plan", () => {
  for (const number of ["13800138000", "15412345678", "17912345678", "19912345678"]) {
    expect(isMobileNumber(values(number), 0)).toBe(true);
  }
  for (const number of ["12800138000", "10012345678", "23800138000"]) {
    expect(isMobileNumber(values(number), 0)).toBe(false);
  }
});

describe("masking", () => {
  test.each([
    ["plain", VALID],
    ["within text", `身份证${VALID}。`],
    ["full-width", "５１０１０４１９９００３０７７２１７"],
    ["mathematical", [...VALID].map((d) => String.fromCodePoint(0x1d7ce + Number(d))).join("")],
    ["Arabic-Indic", [...VALID].map((d) => String.fromCodePoint(0x660 + Number(d))).join("")],
    [
      "circled",
      [...VALID]
        .map((d) => (d === "0" ? "⓪" : String.fromCodePoint(0x2460 + Number(d) - 1)))
        .join(""),
    ],
    ["Chinese numerals", [...VALID].map((d) => "〇一二三四五六七八九"[Number(d)]).join("")],
    ["zero-width", [...VALID].join("\u200b")],
    ["tag characters", [...VALID].join("\u{e0031}")],
    ["combining marks", [...VALID].join("\u0332")],
    ["control characters", [...VALID].join("\u0001")],
    ["C1 controls", [...VALID].join("\u0090")],
    ["Braille blanks", "510104\u280019900307\u28007217"],
    ["behind half a surrogate pair", `\ud800${VALID}`],
    ["spaced", "510104 1990 0307 7217"],
    ["hyphens", "5101 0419-9003 07 7217"],
    ["every digit spaced", [...VALID].join(" ")],
    ["ideographic space", "510104\u300019900307\u30007217"],
    ["after a row number", `1 ${VALID}`],
    ["glued to a mobile number", `${VALID}13800138000`],
    ["glued to digits before", `7${VALID}`],
  ])("resident ID %s", (_name, text) => {
    expect(masked(text)).toContain("510104********7217");
  });

  test("the check character X in its forms", () => {
    const id = "11010119900307109X";
    expect(checkCharacter(id.slice(0, 17))).toBe("X");
    for (const x of ["X", "x", "Ｘ", "Х", "Ⅹ"]) {
      expect(masked(`号${id.slice(0, 17)}${x}，`)).toBe("号110101********109X，");
    }
  });

  test.each([
    ["13800138000", "138****8000"],
    ["电话：138-0013-8000；", "电话：138****8000；"],
    ["+86 138 0013 8000", "+86 138****8000"],
    ["8613800138000", "86138****8000"],
    ["008613800138000", "0086138****8000"],
    ["１３８００１３８０００", "138****8000"],
    ["1\u200b3800138000", "138****8000"],
    ["1.13800138000 张三", "1.138****8000 张三"],
    ["13800138000.0", "138****8000.0"],
  ])("mobile %s", (text, expected) => {
    expect(masked(text)).toBe(expected);
  });

  test.each([
    ["a village code", "510104017001"],
    ["a longer number", "138001380001"],
    ["a coordinate", "104.13800138000,30.57138001380"],
    ["columns of integers", "15698 283571"],
    ["a digest", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c13912345678a08"],
    ["a real-estate unit", "510104001001GB00001F00010001"],
    ["lines", "138001\n38000"],
    ["a wrong check digit", "510104199003077218"],
  ])("leaves %s alone", (_name, text) => {
    expect(masked(text)).toBe(text);
  });

  test("every split point of every form gives the same result", () => {
    const text = `张三 5101 0419-9003 07 7217，${[...VALID].join("\u200b")};138-0013-8000 86 13912345678\u3000x ${VALID} 13800138000 a13700137000`;
    const whole = masked(text);
    for (let i = 0; i <= text.length; i += 1) {
      for (const j of [i, i + 1, i + 7, i + 20]) expect(mask(text, [i, j])[0]).toBe(whole);
    }
  });

  test("long runs are settled piece by piece with the same result", () => {
    const unit = `12345678901234567890${VALID} 13800138000 55 `;
    const text = unit.repeat(80).replaceAll("  ", " ");
    const whole = masked(text);
    expect(whole).not.toContain(VALID);
    expect(whole.split("138****8000").length - 1).toBe(80);
    for (let size = 1; size < 200; size += 13) {
      const cuts = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => i * size);
      expect(mask(text, cuts)[0]).toBe(whole);
    }
    const digits = "9".repeat(100_000);
    expect(masked(digits)).toBe(digits);
  });

  const noise = fc.oneof(
    { weight: 3, arbitrary: residentId },
    { weight: 2, arbitrary: fc.stringMatching(/^1[38][0-9]{9}$/) },
    { weight: 3, arbitrary: fc.stringMatching(/^[0-9]{1,40}$/) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        " ",
        "-",
        "  ",
        "\u200b",
        "\n",
        ",",
        "x",
        "X",
        "　",
        "号",
        "𝟓",
        "",
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
  );

  /** Every window of eighteen adjoining digits, read without invisible characters. */
  function validWindows(text: string): string[] {
    const found: string[] = [];
    for (const [run] of text.matchAll(/[0-9]{17,}[0-9Xx]/g)) {
      for (let i = 0; i + 18 <= run.length; i += 1) {
        const window = run.slice(i, i + 18).toUpperCase();
        if (isResidentId(values(window))) found.push(window);
      }
    }
    return found;
  }

  test("never leaves a valid number, however the text is cut", () => {
    fc.assert(
      fc.property(
        fc.array(noise, { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (parts, cuts) => {
          const text = parts.join("");
          const [out] = mask(
            text,
            cuts.map((c) => adjustToCharacter(text, c)),
          );
          expect(validWindows(out.replace(/[\u200b]/g, ""))).toEqual([]);
          expect(out).toBe(masked(text));
        },
      ),
      { numRuns: 400 },
    );
  });

  test("hiding behind many invisible characters is reported", () => {
    const [, tally] = mask([...VALID].join("\u200b".repeat(80)));
    expect(tally.blind).toBe(true);
  });

  test("a rule that does not mask counts and leaves", () => {
    const [out, tally] = mask(`${VALID} 13800138000`, [], { "resident-id": "refuse" });
    expect(out).toBe(`${VALID} 138****8000`);
    expect(tally.findings().map((f) => [f.detector, f.count])).toEqual([
      ["resident-id", 1],
      ["mobile-number", 1],
    ]);
  });
});

function adjustToCharacter(text: string, cut: number): number {
  const at = cut % (text.length + 1);
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at + 1 : at;
}
