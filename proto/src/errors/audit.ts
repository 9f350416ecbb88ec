/** Guarantee: the codes of the audit service; see table.ts for what a row must say. */
import type { ErrorTable } from "./table.ts";

export const AUDIT_ERRORS = {} as const satisfies ErrorTable;
