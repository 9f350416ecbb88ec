/**
 * Guarantee: what inspectors found is counted by rule and place; no piece of
 * the content itself is kept.
 */
import type { Action, ContentRules, Detector } from "./rules.ts";

/** Why an inspector could not look; stable names for rules, logs and tests. */
export type Blindness =
  | "not-text"
  | "broken-utf8"
  | "broken-json"
  | "json-too-deep"
  | "token-too-long"
  | "hidden-characters"
  | "unknown-type"
  | "packed";

export interface Finding {
  readonly detector: Detector;
  readonly ruleId: string;
  readonly action: Action;
  readonly count: number;
  /** Field or column names, never content. */
  readonly where: string;
}

/** Places named per finding; the count says how many there are. */
const PLACES_MAX = 8;

interface Entry {
  count: number;
  readonly places: Set<string>;
}

export class Tally {
  readonly rules: ContentRules;
  readonly #entries = new Map<Detector, Entry>();
  readonly #blind = new Set<Blindness>();

  constructor(rules: ContentRules) {
    this.rules = rules;
  }

  found(detector: Detector, where: string, count = 1): void {
    let entry = this.#entries.get(detector);
    if (entry === undefined) {
      entry = { count: 0, places: new Set() };
      this.#entries.set(detector, entry);
    }
    entry.count += count;
    if (where !== "" && entry.places.size < PLACES_MAX) entry.places.add(where);
  }

  couldNotLook(reason: Blindness): void {
    this.#blind.add(reason);
  }

  /** True as soon as something was found that must be sealed away. */
  get sealsAway(): boolean {
    return [...this.#entries.keys()].some(
      (detector) => this.rules[detector].action === "seal-away",
    );
  }

  get blind(): boolean {
    return this.#blind.size > 0;
  }

  /** In the order of the detectors' discovery; `undecodable` last. */
  findings(): Finding[] {
    const findings = [...this.#entries].map(([detector, { count, places }]) => ({
      detector,
      ruleId: this.rules[detector].id,
      action: this.rules[detector].action,
      count,
      where: [...places].join(", "),
    }));
    if (this.#blind.size > 0) {
      const { id, action } = this.rules.undecodable;
      const where = [...this.#blind].join(", ");
      findings.push({ detector: "undecodable", ruleId: id, action, count: 1, where });
    }
    return findings;
  }
}
