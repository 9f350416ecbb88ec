/**
 * Guarantee: grades are ordered as GB/T 43697-2024 orders data (general levels
 * 1–4, important, core); a secrecy mark is recognised only so that it can be refused.
 */

export const GRADES = ["G1", "G2", "G3", "G4", "IMPORTANT", "CORE"] as const;
export type Grade = (typeof GRADES)[number];

export function isGrade(value: string): value is Grade {
  return (GRADES as readonly string[]).includes(value);
}

/** Negative when a is lower than b, 0 when equal, positive when higher. */
export function compareGrades(a: Grade, b: Grade): number {
  return GRADES.indexOf(a) - GRADES.indexOf(b);
}

/** The highest of the grades; `G1` for none. */
export function highestGrade(grades: readonly Grade[]): Grade {
  return grades.reduce<Grade>((top, grade) => (compareGrades(grade, top) > 0 ? grade : top), "G1");
}

const SECRECY_MARK = /^(?:SECRET_.*|TOP[ _-]?SECRET|SECRET|CONFIDENTIAL|绝密|机密|秘密).*$/iu;

/** True for marks of state secrecy in the place of a grade (invariant 5). */
export function isSecrecyMark(value: string): boolean {
  return SECRECY_MARK.test(value.normalize("NFKC").trim());
}
