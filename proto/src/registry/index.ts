/**
 * Guarantee: who takes part (nodes, lanes, services, callers, grants) is read
 * from one signed document that every service verifies for itself.
 */
export { readAnchor } from "./anchor.ts";
export * from "./document.ts";
export { fetchRegistry, type RegistrySource } from "./fetch.ts";
export {
  compareGrades,
  GRADES,
  type Grade,
  highestGrade,
  isGrade,
  isSecrecyMark,
} from "./grades.ts";
export { isRegistryId } from "./id-form.ts";
export { MAX_REGISTRY_BYTES, parseRegistryDocument } from "./parse.ts";
export { isPriority, PRIORITIES, type Priority, priorityOf } from "./priority.ts";
export { isReceiptLane, recipientsOf } from "./receipt-lane.ts";
export { loadRegistry, type Mode, Registry } from "./registry.ts";
