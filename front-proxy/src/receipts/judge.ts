/**
 * Guarantee: what a receipt may change is a pure function of what was said of
 * its exchange before. It never leads away from an end, whatever comes in
 * whatever order; of two lists the one with the higher number counts.
 */
import { isFinal, type ReceiptState } from "@lightferry/proto/receipt";

/** What a list said of an exchange. */
export interface Said {
  readonly state: ReceiptState;
  /** Of the list. */
  readonly number: number;
}

export type Judgement =
  /** It is news. */
  | "taken"
  /** A later list has said as much or more. */
  | "older"
  /** One of the two lists is false: nothing follows an end. */
  | "contradicts";

/**
 * Of an exchange in a bundle that was refused unopened: `quarantined`, unless anything else was said of the exchange
 * itself, or a later list has said as much.
 */
export function judgeBundle(before: Said | undefined, number: number): "taken" | "older" {
  const free = before === undefined || (before.state === "quarantined" && before.number < number);
  return free ? "taken" : "older";
}

export function judge(before: Said | undefined, now: Said): Judgement {
  if (before === undefined) return "taken";
  if (before.number === now.number) return "contradicts";
  const [earlier, later] = before.number < now.number ? [before, now] : [now, before];
  if (isFinal(earlier.state) && later.state !== earlier.state) return "contradicts";
  return later === now && !isFinal(earlier.state) ? "taken" : "older";
}
