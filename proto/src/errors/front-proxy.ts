/** Guarantee: the codes of the front-proxy; see table.ts for what a row must say. */
import { EGRESS_ERRORS } from "./egress.ts";
import { INGRESS_ERRORS } from "./ingress.ts";
import type { ErrorTable } from "./table.ts";

export const FRONT_PROXY_ERRORS = {
  ...EGRESS_ERRORS,
  ...INGRESS_ERRORS,
} as const satisfies ErrorTable;
