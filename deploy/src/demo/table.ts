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

const STATES: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  emitted: ["已发出·对端未知", "emitted, unconfirmed"],
  refused: ["已拒绝", "refused"],
  delivered: ["已送达", "delivered"],
  held: ["待审查", "held"],
  failed: ["失败", "failed"],
  quarantined: ["已隔离", "quarantined"],
  "in-doubt": ["结果存疑", "in doubt"],
};

function stateWords(state: string | undefined): readonly [zh: string, en: string] {
  return state === undefined ? ["—", ""] : (STATES[state] ?? [state, ""]);
}

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

const COLUMNS = [4, 46, 21, 22, 17] as const;

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => pad(cell, COLUMNS[i] ?? 0))
    .join("")
    .trimEnd();
}

export function printHead(): void {
  console.log(
    line(["", "交换 exchange", "方向 way", "发送侧 sender", "接收侧 receiver", "结果 result"]),
  );
  console.log("─".repeat(132));
}

export function printEnd(row: RowView): void {
  const { scenario, worst } = row;
  const [from, to] = scenario.from === "extranet" ? ["外网", "业务网"] : ["业务网", "外网"];
  const [fromEn, toEn] =
    scenario.from === "extranet" ? ["extranet", "business"] : ["business", "extranet"];
  const sent = stateWords(worst?.sent.state ?? "?");
  const received = stateWords(worst?.received?.state);
  const code = worst?.sent.refusal?.code ?? "";
  console.log(
    line([
      row.ok ? " ✔" : " ✘",
      scenario.zh,
      `${from} → ${to}`,
      sent[0],
      received[0],
      [`${row.good}/${row.count}`, code, row.content, `${row.seconds.toFixed(1)} s`]
        .filter((part) => part !== "")
        .join("  "),
    ]),
  );
  console.log(line(["", scenario.en, `${fromEn} → ${toEn}`, sent[1], received[1]]));
}
