/** Guarantee: the shape of a policy pack once its text has been checked; packs/demo.yaml shows one. */
import type { ContentPlan } from "../content/inspection.ts";

export const PACK_FORMAT = "lightferry-policy-pack/1";

export interface ServicePolicy {
  /** Rules, formats and the opaque rule that apply to content for the service. */
  readonly plan: ContentPlan;
  /** "required": nothing goes without a person's approval. */
  readonly approval: "none" | "required";
}

/** Compiled; a service it does not name is refused. */
export interface Pack {
  readonly number: number;
  readonly demo: boolean;
  readonly title: { readonly zh: string; readonly en: string };
  readonly services: ReadonlyMap<string, ServicePolicy>;
  /** Rules for content of which no service policy is known: envelope of refused items. */
  readonly baseline: ContentPlan;
  /** `<number>-<first 16 hex digits of the SM3 of the document>`; stands in every verdict. */
  readonly version: string;
}
