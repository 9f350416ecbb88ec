/** Guarantee: content plans for tests, and the inspection of one content in given pieces. */
import { loadProvider } from "@lightferry/proto/sm";
import type { DeclaredContent, Format } from "../src/content/format.ts";
import {
  ContentInspection,
  type ContentPlan,
  type ContentReport,
} from "../src/content/inspection.ts";
import { type Action, type ContentRules, DETECTORS, type Detector } from "../src/content/rules.ts";

export const provider = loadProvider();

const BASE: Record<Detector, Action> = {
  "secrecy-mark-head": "seal-away",
  "secrecy-mark-name": "seal-away",
  "secrecy-mark-text": "hold",
  "resident-id": "mask",
  "resident-id-15": "note",
  "mobile-number": "mask",
  undecodable: "hold",
};

export function rulesOf(actions: Partial<Record<Detector, Action>> = {}): ContentRules {
  const merged = { ...BASE, ...actions };
  return Object.fromEntries(
    DETECTORS.map((detector) => [detector, { id: detector, action: merged[detector] }]),
  ) as ContentRules;
}

export function planOf(
  actions: Partial<Record<Detector, Action>> = {},
  extra: Partial<ContentPlan> = {},
): ContentPlan {
  return {
    rules: rulesOf(actions),
    formats: ["json", "csv", "text"],
    opaque: undefined,
    ordinaryPhrases: ["商业秘密"],
    ...extra,
  };
}

export const DECLARED: Readonly<Record<Format, DeclaredContent>> = {
  json: { contentType: "application/json", fileName: "" },
  csv: { contentType: "text/csv", fileName: "" },
  text: { contentType: "text/plain", fileName: "" },
};

export interface Inspected {
  readonly out: Buffer;
  readonly report: ContentReport;
}

export function inspectPieces(
  pieces: readonly Uint8Array[],
  declared: DeclaredContent,
  plan: ContentPlan = planOf(),
): Inspected {
  const inspection = new ContentInspection(provider, plan, declared);
  const parts = pieces.map((piece) => inspection.push(piece));
  const { rest, report } = inspection.end();
  return { out: Buffer.concat([...parts, rest]), report };
}

export function inspectText(text: string, format: Format, plan?: ContentPlan): Inspected {
  return inspectPieces([Buffer.from(text)], DECLARED[format], plan);
}
