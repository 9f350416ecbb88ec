/** Guarantee: what a command says of one thing stands in one table, a named fact a line. */
import type { CliContext } from "../src/cli/index.ts";

/** Columns of a digest in hexadecimal with its name beside it. */
export const WIDE = 120;

export type AddFact = (zh: string, en: string, value: string | number) => void;

/** Prints what `tell` adds, in its order. */
export function printFacts(context: CliContext, tell: (add: AddFact) => void): void {
  const rows: { name: string; value: string }[] = [];
  tell((zh, en, value) => {
    rows.push({ name: context.say({ zh, en }), value: String(value) });
  });
  context.table(rows, [
    { title: { zh: "项目", en: "FIELD" }, value: "name" },
    { title: { zh: "值", en: "VALUE" }, value: "value", max: WIDE },
  ]);
}
