/** Guarantee: rows as aligned columns; an empty list says so instead of printing nothing. */
import type { Column, Locale } from "./types.ts";
import { cellWidth, harmlessLine, padTo } from "./width.ts";

const GAP = "  ";
const NOTHING = { zh: "（无）", en: "(none)" } as const;
/** Wide enough for an id, a name or a reason; longer ones belong into --json. */
const DEFAULT_MAX = 60;

/** Lines of the table, without trailing spaces. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  locale: Locale,
): string[] {
  if (rows.length === 0) return [NOTHING[locale]];
  const titles = columns.map((column) => column.title[locale]);
  const cells = rows.map((row) => columns.map((column) => cellText(row, column)));
  const widths = columns.map((column, index) =>
    Math.max(
      cellWidth(titles[index] ?? ""),
      ...cells.map((line) => Math.min(cellWidth(line[index] ?? ""), column.max ?? DEFAULT_MAX)),
    ),
  );
  const rule = widths.map((width) => "─".repeat(width));
  return [titles, rule, ...cells].map((line) =>
    line
      .map((text, index) => padTo(text, widths[index] ?? 0, columns[index]?.align ?? "left"))
      .join(GAP)
      .trimEnd(),
  );
}

function cellText<Row>(row: Row, column: Column<Row>): string {
  const value: unknown =
    typeof column.value === "function" ? column.value(row) : row[column.value as keyof Row];
  if (value === undefined || value === null) return "";
  return harmlessLine(typeof value === "object" ? JSON.stringify(value) : `${value as string}`);
}
