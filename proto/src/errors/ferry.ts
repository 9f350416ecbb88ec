/** Guarantee: the codes of the ferry; see table.ts for what a row must say. */
import type { ErrorTable } from "./table.ts";

export const FERRY_ERRORS = {} as const satisfies ErrorTable;
