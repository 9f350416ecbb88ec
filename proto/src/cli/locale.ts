/** Guarantee: the language of a command follows the terminal; Chinese where it says nothing. */
import type { Locale } from "./types.ts";

/** LIGHTFERRY_LANG first, then LC_ALL, LC_MESSAGES and LANG, the first that is set. */
export function localeOf(environment: Readonly<Record<string, string | undefined>>): Locale {
  const names = ["LIGHTFERRY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
  const value = names.map((name) => environment[name]).find((text) => (text ?? "") !== "") ?? "";
  if (value === "" || /^zh/i.test(value)) return "zh";
  // C.UTF-8 names no language, only that Chinese can be shown; plain C cannot show it.
  return /^(C|POSIX)\.(utf-?8)$/i.test(value) ? "zh" : "en";
}
