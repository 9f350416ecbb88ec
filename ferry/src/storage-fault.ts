/** Guarantee: a full disk is told by its own code, whatever call met it. */
import { GatewayError } from "@lightferry/proto/errors";

/** No space, quota reached, file larger than the file system takes. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** @returns `spool.disk-full` for a full disk; anything else as it came. */
export function asStorageFault(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && FULL.has(code)
    ? new GatewayError("spool.disk-full", { detail: code, cause: error })
    : error;
}
