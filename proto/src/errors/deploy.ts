/** Guarantee: the codes of setting up and running; see table.ts for what a row must say. */
import type { ErrorTable } from "./table.ts";

export const DEPLOY_ERRORS = {} as const satisfies ErrorTable;
