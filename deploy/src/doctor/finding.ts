/** Guarantee: one form for everything the doctor says: what was found, whether it will do, what it means, what to do. */
import type { Words } from "@lightferry/proto/cli";

/** warn: it runs, with a loss that is named. fail: it does not run, or must not run like this. */
export type State = "ok" | "warn" | "fail";

export interface Finding {
  /** Stable name for scripts, `area.point`, with the zone or path it is about behind a colon. */
  readonly check: string;
  readonly state: State;
  readonly name: Words;
  /** Facts as the machine gives them: numbers, names, paths. */
  readonly found: string;
  readonly means: Words;
  /** Empty when there is nothing to do. */
  readonly advice: Words;
}

export const NOTHING: Words = { zh: "", en: "" };

/** The same text in both languages: a command to type. */
export const command = (text: string): Words => ({ zh: text, en: text });

/** What a machine offers when it does not say: an absent file is not a fault of its own. */
export const UNKNOWN = "–";
