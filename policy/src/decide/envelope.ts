/**
 * Guarantee: what stands around the content (method, path, headers, file name,
 * purpose, ordering key) is well formed and allowed by the service, and is
 * inspected like content, since it travels too. It cannot be masked, so what
 * content would have masked is refused here.
 */
import type { LaneEntry, ServiceEntry } from "@lightferry/proto/registry";
import type { ContentPlan } from "../content/inspection.ts";
import { type ContentRules, DETECTORS, type Detector } from "../content/rules.ts";
import { type Finding, Tally } from "../content/tally.ts";
import { DigitRuns } from "../detect/digit-runs.ts";
import { hasMarkInName } from "../detect/secrecy-marks.ts";
import { mayHoldNumber } from "../text/char-class.ts";
import { canonicalSegments, matchesTemplate } from "./path.ts";
import { type DecisionRequest, type Objection, objection } from "./request.ts";

/** As in the bundle format (proto/SPEC.md §9). */
const TEXT_MAX = 512;
const FILE_NAME_MAX_BYTES = 255;
const HEADERS_MAX = 128;
/** Common servers refuse more; leaves half of a manifest entry for the rest. */
const HEADERS_TOTAL_MAX = 32 * 1024;
const METHOD = /^[A-Z]{3,10}$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const CONTROL = /\p{Cc}/u;
/** Format characters in a name make it read otherwise than it is. */
const UNSEEN = /[\p{Cc}\p{Cf}/\\]/u;

/** Form: says which field is wrong. */
export function formObjection(request: DecisionRequest): Objection | undefined {
  const field = badText(request) ?? badTarget(request);
  return field === undefined ? undefined : objection("policy.request-invalid", "form", field);
}

function badTarget(request: DecisionRequest): string | undefined {
  if (request.kind === "file") return badFile(request);
  if (request.kind === "request") return badRequest(request);
  return request.http === undefined && request.file === undefined ? undefined : "receipt";
}

function badText(request: DecisionRequest): string | undefined {
  for (const name of ["purpose", "orderingKey"] as const) {
    if (request[name].length > TEXT_MAX || CONTROL.test(request[name])) return name;
  }
  return undefined;
}

function badFile({ file, http }: DecisionRequest): string | undefined {
  if (file === undefined || http !== undefined) return "file";
  const name = file.name ?? "";
  const type = file.contentType ?? "";
  if (name === "" || name === "." || name === ".." || UNSEEN.test(name)) return "file.name";
  if (Buffer.byteLength(name) > FILE_NAME_MAX_BYTES) return "file.name";
  return type.length > TEXT_MAX || CONTROL.test(type) ? "file.contentType" : undefined;
}

function badRequest({ file, http }: DecisionRequest): string | undefined {
  if (http === undefined || file !== undefined) return "http";
  if (!METHOD.test(http.method ?? "")) return "http.method";
  const headers = http.headers ?? [];
  if (headers.length > HEADERS_MAX) return "http.headers";
  let total = 0;
  for (const { name, value } of headers) {
    total += (name ?? "").length + Buffer.byteLength(value ?? "");
    if (!HEADER_NAME.test(name ?? "") || CONTROL.test(value ?? "")) return "http.headers";
  }
  // Of two types the inspectors could go by one and the target by the other.
  if (headers.filter(({ name }) => name === "content-type").length > 1) return "http.headers";
  return total > HEADERS_TOTAL_MAX ? "http.headers" : undefined;
}

/** Method, path and size as the service and the lane allow them. */
export function targetObjection(
  request: DecisionRequest,
  lane: LaneEntry,
  service: ServiceEntry,
): Objection | undefined {
  if (request.kind === "request") {
    const method = request.http?.method ?? "";
    if (!service.methods.includes(method)) {
      return objection(
        "policy.method-not-allowed",
        "service.methods",
        `${service.id}: ${service.methods.join(", ")}`,
      );
    }
    const segments = canonicalSegments(request.http?.path ?? "");
    if (segments === undefined) return objection("policy.path-not-canonical", "service.paths");
    if (!service.paths.some((template) => matchesTemplate(segments, template))) {
      return objection(
        "policy.path-not-allowed",
        "service.paths",
        `${service.id}: ${service.paths.join(", ")}`,
      );
    }
  }
  const byLane = request.kind === "file" ? lane.maxFileBytes : lane.maxRequestBytes;
  const limit = Math.min(byLane, service.maxBytes);
  if (request.size > limit)
    return objection("policy.body-too-large", "service.maxBytes", `${limit}`);
  return undefined;
}

/** Every text of the envelope that crosses, decoded as its reader will. */
function envelopeTexts(request: DecisionRequest): string[] {
  const headers = (request.http?.headers ?? []).map((header) => header.value ?? "");
  const path = request.http?.path ?? "";
  const texts = [...headers, request.file?.name ?? "", request.purpose, request.orderingKey];
  texts.push(canonicalSegments(path)?.join("\n") ?? path);
  return texts.filter((text) => text !== "");
}

const COUNT_ONLY = Object.fromEntries(
  DETECTORS.map((detector) => [detector, { id: detector, action: "note" }]),
) as ContentRules;

/** What the inspectors see in the envelope, with actions that fit it. */
export function envelopeFindings(request: DecisionRequest, plan: ContentPlan): Finding[] {
  const texts = envelopeTexts(request);
  const tally = new Tally(COUNT_ONLY);
  const joined = texts.join("\n");
  if (mayHoldNumber(joined)) {
    const digits = new DigitRuns(tally, () => "envelope");
    digits.push(joined);
    digits.end();
  }
  const marked = texts.filter((text) => hasMarkInName(text, plan.ordinaryPhrases));
  if (marked.length > 0) tally.found("secrecy-mark-name", "envelope", marked.length);
  return tally.findings().map((finding) => {
    const { id, action } = plan.rules[finding.detector];
    return { ...finding, ruleId: id, action: action === "mask" ? "refuse" : action };
  });
}

/** Findings about persons, as against marks and blindness. */
export function isPersonal(detector: Detector): boolean {
  return (
    detector === "resident-id" || detector === "resident-id-15" || detector === "mobile-number"
  );
}
