/**
 * Guarantee: what can be detected and what can be done about it, in one order
 * of strictness; every detector of a compiled rule set has exactly one action.
 */

/** What the inspectors look for. `undecodable` = an inspector could not look. */
export const DETECTORS = [
  "secrecy-mark-head",
  "secrecy-mark-name",
  "secrecy-mark-text",
  "resident-id",
  "resident-id-15",
  "mobile-number",
  "undecodable",
] as const;
export type Detector = (typeof DETECTORS)[number];

/** From mild to strict: the strictest rule that speaks of a detector wins. */
export const ACTIONS = ["note", "mask", "hold", "refuse", "seal-away"] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * Which actions make sense: masking needs a pattern with a masked form; sealing
 * away needs a certain mark; what could not be looked at is never let pass.
 */
export const ALLOWED_ACTIONS: Readonly<Record<Detector, readonly Action[]>> = {
  "secrecy-mark-head": ["refuse", "seal-away"],
  "secrecy-mark-name": ["hold", "refuse", "seal-away"],
  "secrecy-mark-text": ["note", "hold", "refuse"],
  "resident-id": ["note", "mask", "hold", "refuse"],
  "resident-id-15": ["note", "mask", "hold", "refuse"],
  "mobile-number": ["note", "mask", "hold", "refuse"],
  undecodable: ["hold", "refuse"],
};

export interface ContentRule {
  readonly id: string;
  readonly action: Action;
}

export type ContentRules = Readonly<Record<Detector, ContentRule>>;

export function stricter(a: Action, b: Action): boolean {
  return ACTIONS.indexOf(a) > ACTIONS.indexOf(b);
}
