/** Guarantee: the codes of the policy service; see table.ts for what a row must say. */
import type { ErrorTable } from "./table.ts";

export const POLICY_ERRORS = {} as const satisfies ErrorTable;
