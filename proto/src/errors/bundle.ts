/** Guarantee: the codes of the bundle format; proto/SPEC.md names the check of each; see table.ts for what a row must say. */
import type { ErrorTable } from "./table.ts";

export const BUNDLE_ERRORS = {} as const satisfies ErrorTable;
