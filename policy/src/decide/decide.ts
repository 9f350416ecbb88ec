/**
 * Guarantee: `decide` is a pure function of (policy document, request, facts).
 * Order: licence → grant → label → content → approval → quota. Default deny;
 * the strictest finding wins; without facts about the content there is no permit.
 */
import { ERRORS, type ErrorCode } from "@lightferry/proto/errors";
import type { ContentReport } from "../content/inspection.ts";
import { type Action, stricter } from "../content/rules.ts";
import type { Finding } from "../content/tally.ts";
import { type Admission, admit, isObjection } from "./admit.ts";
import { envelopeFindings, isPersonal } from "./envelope.ts";
import type { PolicyDocument } from "./policy-document.ts";
import { type DecisionRequest, type Objection, objection } from "./request.ts";

export interface Facts {
  /** Unix milliseconds by this node's clock. */
  readonly nowMs: number;
  /** Absent when the content was not looked at. */
  readonly report: ContentReport | undefined;
  /** Import: what is wrong with entry, verdict or time, if anything. */
  readonly arrival: ArrivalFault | undefined;
  /** What the grant has left today; "within" also when nothing was asked. */
  readonly quota: "within" | "exchanges" | "bytes";
}

export type ArrivalFault = "policy.import-entry" | "policy.import-verdict" | "policy.import-time";

export interface Decided {
  readonly decision: "permit" | "hold" | "deny";
  /** Empty when permitted. */
  readonly code: ErrorCode | "";
  /** The deciding rule; the grant when permitted. */
  readonly ruleId: string;
  /** For people, zh-CN. */
  readonly reason: string;
  /** Every rule that spoke, the deciding one first. */
  readonly ruleIds: readonly string[];
  /** Carried out on the content, e.g. "mask:resident-id:3". */
  readonly obligations: readonly string[];
  readonly findings: readonly Finding[];
  /** The content must be sealed away. */
  readonly sealAway: boolean;
  readonly admission: Admission | undefined;
}

export function decide(policy: PolicyDocument, request: DecisionRequest, facts: Facts): Decided {
  const admission = admit(policy, request, facts.nowMs);
  return isObjection(admission) ? refuse(admission) : decideAdmitted(request, admission, facts);
}

/** The denial for an objection that comes before content. */
export function refuse(why: Objection): Decided {
  return refusal("deny", why, undefined, []);
}

/** The steps from content on, for a request that `admit` let through. */
export function decideAdmitted(
  request: DecisionRequest,
  admission: Admission,
  facts: Facts,
): Decided {
  const { report, arrival } = facts;
  const envelope = envelopeFindings(request, admission.plan);
  const findings = [...envelope, ...(report?.findings ?? [])];
  const worst = strictest(findings);
  if (worst?.action === "seal-away")
    return refuseFinding(request, admission, findings, worst, false);
  if (report === undefined) {
    return refusal("deny", objection("policy.content-undecodable", "content"), admission, findings);
  }
  if (arrival === "policy.import-time") {
    return refusal("hold", objection(arrival, "arrival.time"), admission, findings);
  }
  if (arrival !== undefined)
    return refusal("deny", objection(arrival, "arrival"), admission, findings);
  const mismatch = contentObjection(request, admission, report);
  if (mismatch !== undefined) return refusal("deny", mismatch, admission, findings);
  if (worst !== undefined && (worst.action === "refuse" || worst.action === "hold")) {
    return refuseFinding(request, admission, findings, worst, envelope.includes(worst));
  }
  if (admission.approval === "required") {
    return refusal("hold", objection("policy.approval-required", "approval"), admission, findings);
  }
  if (facts.quota !== "within") {
    const code = facts.quota === "bytes" ? "policy.quota-bytes" : "policy.quota-exchanges";
    return refusal("deny", objection(code, `quota:${admission.grant.id}`), admission, findings);
  }
  return permit(admission, findings, report);
}

/** True when the envelope alone already says that the content must be sealed away. */
export function sealsByEnvelope(request: DecisionRequest, admission: Admission): boolean {
  return strictest(envelopeFindings(request, admission.plan))?.action === "seal-away";
}

function strictest(findings: readonly Finding[]): Finding | undefined {
  return findings.reduce<Finding | undefined>(
    (top, finding) => (top === undefined || stricter(finding.action, top.action) ? finding : top),
    undefined,
  );
}

function contentObjection(
  request: DecisionRequest,
  admission: Admission,
  report: ContentReport,
): Objection | undefined {
  if (report.submittedSize !== request.size) {
    return objection(
      "policy.content-size",
      "content.size",
      `${report.submittedSize}/${request.size}`,
    );
  }
  if (report.formatRefused) {
    const taken = admission.plan.formats.join(", ");
    return objection("policy.content-format", "content.format", taken);
  }
  return undefined;
}

function refuseFinding(
  request: DecisionRequest,
  admission: Admission,
  findings: readonly Finding[],
  worst: Finding,
  inEnvelope: boolean,
): Decided {
  const code = findingCode(request, worst, inEnvelope);
  const decision = worst.action === "hold" ? "hold" : "deny";
  const sealAway = worst.action === "seal-away";
  // Of a suspected secret not even a field name is told: it may be a part of the secret.
  const detail = sealAway ? "" : worst.where;
  return {
    ...refusal(decision, { code, ruleId: worst.ruleId, detail }, admission, findings),
    sealAway,
  };
}

function findingCode(request: DecisionRequest, worst: Finding, inEnvelope: boolean): ErrorCode {
  const { detector, action } = worst;
  if (detector === "undecodable") return "policy.content-undecodable";
  if (!isPersonal(detector)) return secrecyCode(detector === "secrecy-mark-text", action);
  if (action === "hold") return "policy.content-held";
  if (inEnvelope) return "policy.content-in-envelope";
  return request.direction === "import"
    ? "policy.content-not-desensitised"
    : "policy.content-refused";
}

function secrecyCode(isProse: boolean, action: Action): ErrorCode {
  if (action === "hold") return "policy.secret-mark-held";
  return isProse ? "policy.secret-mark-refused" : "policy.secret-suspected";
}

function permit(
  admission: Admission,
  findings: readonly Finding[],
  report: ContentReport,
): Decided {
  const ruleId = `grant:${admission.grant.id}`;
  const opaque = report.opaqueRuleId === undefined ? [] : [report.opaqueRuleId];
  const fired = findings.map((finding) => finding.ruleId);
  return {
    decision: "permit",
    code: "",
    ruleId,
    reason: "",
    ruleIds: [...new Set([ruleId, ...opaque, ...fired])],
    obligations: findings
      .filter((finding) => finding.action === "mask")
      .map((finding) => `mask:${finding.detector}:${finding.count}`),
    findings,
    sealAway: false,
    admission,
  };
}

function refusal(
  decision: "hold" | "deny",
  why: Objection,
  admission: Admission | undefined,
  findings: readonly Finding[],
): Decided {
  const { zh, doZh } = ERRORS[why.code];
  const detail = why.detail === undefined || why.detail === "" ? "" : `（${why.detail}）`;
  return {
    decision,
    code: why.code,
    ruleId: why.ruleId,
    reason: `${zh}${detail}。${doZh}。`,
    ruleIds: [...new Set([why.ruleId, ...findings.map((finding) => finding.ruleId)])],
    obligations: [],
    findings,
    sealAway: why.code === "policy.grade-secret",
    admission,
  };
}
