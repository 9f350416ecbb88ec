/** Guarantee: one readable row for each group of exchanges, the same width in Chinese and English terminals. */
import type { Ended } from "./follow.ts";
import type { Scenario } from "./scenarios.ts";

export interface RowView {
  readonly scenario: Scenario;
  readonly ok: boolean;
  readonly count: number;
  readonly good: number;
  readonly worst: Ended | undefined;
  readonly content: string;
  readonly seconds: number;
  readonly exchangeId: string;
}

const STATES: Readonly<Record<string, string>> = {
  emitted: "已发出·对端未知",
  refused: "已拒绝",
  delivered: "已送达",
  held: "待审",
  failed: "失败",
  quarantined: "已隔离",
  "in-doubt": "存疑",
};

/** East Asian wide characters take two columns. */
function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    columns += code >= 0x2e80 && code <= 0xffef ? 2 : 1;
  }
  return columns;
}

const pad = (text: string, columns: number) =>
  text + " ".repeat(Math.max(1, columns - width(text)));

const COLUMNS = [4, 44, 14, 18, 12] as const;

function line(cells: readonly string[]): string {
  return cells.map((cell, i) => pad(cell, COLUMNS[i] ?? 0)).join("");
}

export function printHead(): void {
  console.log(line(["", "交换 / exchange", "方向", "发送侧", "接收侧", "结果"]));
  console.log("─".repeat(118));
}

export function printEnd(row: RowView): void {
  const { scenario, worst } = row;
  const direction = scenario.from === "extranet" ? "外网→业务网" : "业务网→外网";
  const sent = worst?.sent.state ?? "?";
  const received = worst?.received?.state;
  const code = worst?.sent.refusal?.code ?? "";
  console.log(
    line([
      row.ok ? " ✔" : " ✘",
      scenario.zh,
      direction,
      STATES[sent] ?? sent,
      received === undefined ? "—" : (STATES[received] ?? received),
      [`${row.good}/${row.count}`, code, row.content, `${row.seconds.toFixed(1)} s`]
        .filter((part) => part !== "")
        .join("  "),
    ]),
  );
  console.log(line(["", scenario.en]));
}
