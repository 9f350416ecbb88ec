/**
 * Guarantee: a grant found here names this caller, service and lane, is in
 * force, and was given for this purpose. On import the moment of submission
 * counts, not of arrival: what was rightly sent stays rightly sent on the way.
 */
import { compareGrades, type GrantEntry, isGrade } from "@lightferry/proto/registry";
import type { PolicyDocument } from "./policy-document.ts";
import { type DecisionRequest, type Objection, objection } from "./request.ts";

export function findGrant(
  policy: PolicyDocument,
  request: DecisionRequest,
  nowMs: number,
): GrantEntry | Objection {
  const named = policy.grantsFor(request.caller, request.service, request.lane);
  const all = request.direction === "import" ? named.filter((g) => g.id === request.grant) : named;
  if (all.length === 0) return objection("policy.grant-missing", "grant");
  const atMs = request.direction === "import" ? request.submittedMs : nowMs;
  const begun = all.filter((grant) => grant.notBeforeMs <= atMs);
  if (begun.length === 0) return objection("policy.grant-not-yet", `grant:${all[0]?.id}`);
  const inForce = begun.filter((grant) => atMs < grant.notAfterMs);
  if (inForce.length === 0) return objection("policy.grant-expired", `grant:${begun[0]?.id}`);
  const fitting = inForce.filter((g) => request.purpose === "" || request.purpose === g.purpose);
  const [first] = fitting;
  if (first === undefined) return objection("policy.purpose-mismatch", `grant:${inForce[0]?.id}`);
  // Of several, the first that reaches the grade; the label step says so if none does.
  const { grade } = request;
  return (
    fitting.find((grant) => isGrade(grade) && compareGrades(grade, grant.gradeCeiling) <= 0) ??
    first
  );
}
