/**
 * Guarantee: every exchange bears a grade of GB/T 43697-2024 that no ceiling
 * forbids; marks of state secrecy are recognised only to be refused.
 */
import {
  compareGrades,
  type Grade,
  type GrantEntry,
  isGrade,
  isSecrecyMark,
  type LaneEntry,
  type LicenceEntry,
} from "@lightferry/proto/registry";
import { fold } from "../text/fold.ts";
import { type DecisionRequest, type Objection, objection } from "./request.ts";

/** True when what was declared as a grade is a secrecy mark, however it is written. */
export function declaresSecret(declared: string): boolean {
  const compact = fold(declared).replace(/[\s_\-.·]+/gu, "");
  return isSecrecyMark(declared) || isSecrecyMark(compact) || /(?:绝密|机密|秘密)/u.test(compact);
}

/** @returns the grade, or why it may not cross. */
export function checkLabel(
  request: DecisionRequest,
  ceilings: {
    readonly lane: LaneEntry;
    readonly grant: GrantEntry;
    readonly licence: LicenceEntry;
  },
): Grade | Objection {
  const declared = request.grade.trim();
  if (declared === "") return objection("policy.grade-missing", "label");
  if (!isGrade(declared)) return objection("policy.grade-unknown", "label");
  if (declared === "CORE") return objection("policy.grade-core", "label.core");
  if (declared === "IMPORTANT") return objection("policy.grade-important", "label.important");
  const { lane, grant, licence } = ceilings;
  if (compareGrades(declared, lane.gradeCeiling) > 0) {
    return objection(
      "policy.grade-over-lane",
      "label.lane-ceiling",
      `${declared} > ${lane.gradeCeiling}`,
    );
  }
  if (compareGrades(declared, grant.gradeCeiling) > 0) {
    return objection(
      "policy.grade-over-grant",
      "label.grant-ceiling",
      `${declared} > ${grant.gradeCeiling}`,
    );
  }
  if (compareGrades(declared, licence.gradeCeiling) > 0) {
    return objection(
      "policy.grade-over-licence",
      "label.licence-ceiling",
      `${declared} > ${licence.gradeCeiling}`,
    );
  }
  return declared;
}
