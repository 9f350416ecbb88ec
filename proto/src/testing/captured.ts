/** Guarantee: a command of a noun runs in this process, and what it says is kept instead of shown. */
import { type CliNoun, runNoun } from "../cli/index.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly problem: string;
  /** Both, in the order in which they were said. */
  readonly text: string;
}

/** @param language as in `LANG`. */
export async function runCaptured(
  noun: CliNoun,
  words: readonly string[],
  language = "zh_CN.UTF-8",
): Promise<Said> {
  const said = { out: "", problem: "", text: "" };
  const keep = (where: "out" | "problem") => (text: string) => {
    said[where] += text;
    said.text += text;
  };
  const code = await runNoun(noun, words, {
    ...{ environment: { LANG: language }, stdout: keep("out"), stderr: keep("problem") },
  });
  return { code, ...said };
}
