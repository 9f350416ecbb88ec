/** Guarantee: tests of refusals ask one way for the code of what was thrown, and no other error passes for a refusal. */
import { GatewayError } from "@lightferry/proto/errors";

/** Code of the GatewayError that `run` throws; undefined when it throws none. Other errors go through. */
export function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}
