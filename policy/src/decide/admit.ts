/**
 * Guarantee: the steps before content — licence, grant, label — in that order;
 * the first objection is the answer. Pure: the same policy, request and time
 * give the same answer on any host.
 */
import type { Grade, GrantEntry } from "@lightferry/proto/registry";
import type { ContentPlan } from "../content/inspection.ts";
import type { ContentRules } from "../content/rules.ts";
import { formObjection, targetObjection } from "./envelope.ts";
import { findGrant } from "./grant.ts";
import { checkLabel, declaresSecret } from "./label.ts";
import type { PolicyDocument } from "./policy-document.ts";
import { type DecisionRequest, type Objection, objection } from "./request.ts";
import { findRoute, licenceObjection, type Route } from "./route.ts";

/** What may go on to inspection, and by what rules. */
export interface Admission extends Route {
  readonly grant: GrantEntry;
  readonly grade: Grade;
  readonly plan: ContentPlan;
  readonly approval: "none" | "required";
}

export function isObjection(value: object | string): value is Objection {
  return typeof value === "object" && "code" in value;
}

export function admit(
  policy: PolicyDocument,
  request: DecisionRequest,
  nowMs: number,
): Admission | Objection {
  // Before everything else: what is declared secret must be sealed away, whatever else is wrong with it.
  if (declaresSecret(request.grade)) return objection("policy.grade-secret", "label.secret");
  const unlicensed = licenceObjection(policy, request, nowMs);
  if (unlicensed !== undefined) return unlicensed;
  const route = findRoute(policy, request);
  if (isObjection(route)) return route;
  const grant = findGrant(policy, request, nowMs);
  if (isObjection(grant)) return grant;
  const { lane, service } = route;
  const wrong = formObjection(request) ?? targetObjection(request, lane, service);
  if (wrong !== undefined) return wrong;
  const own = policy.registry.node(policy.node);
  if (own === undefined) return objection("policy.licence-missing", "licence", policy.node);
  const grade = checkLabel(request, { lane, grant, licence: own.licence });
  if (isObjection(grade)) return grade;
  const rules = policy.pack.services.get(service.id);
  if (rules === undefined) {
    return objection("policy.service-without-rules", "default-deny", service.id);
  }
  // Receipts are read by their own strict reader, and nothing else is.
  if ((request.kind === "receipt") !== rules.plan.formats.includes("receipts")) {
    return objection("policy.content-format", "content.format", rules.plan.formats.join(", "));
  }
  const plan = request.direction === "import" ? arrivalPlan(rules.plan) : rules.plan;
  return { ...route, grant, grade, plan, approval: rules.approval };
}

/** An arrived item is signed and cannot be changed: what should have been masked is refused. */
function arrivalPlan(plan: ContentPlan): ContentPlan {
  const rules = Object.fromEntries(
    Object.entries(plan.rules).map(([detector, rule]) => [
      detector,
      rule.action === "mask" ? { ...rule, action: "refuse" } : rule,
    ]),
  ) as ContentRules;
  return { ...plan, rules };
}
