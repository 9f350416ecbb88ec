/**
 * Guarantee: in production mode a folder of the appliance is one that only this service and its group may write
 * to or read; a demonstration is told.
 */
import { stat } from "node:fs/promises";
import { GatewayError } from "@lightferry/proto/errors";

/** Every right of others. */
const OTHERS = 0o007;

export interface AccessOptions {
  readonly mode: "demo" | "production";
  readonly warn: (reason: string) => void;
}

/** @throws GatewayError `directory.folder-unsafe` in production; the fault of the system when it is not there */
export async function checkAccess(
  folder: string,
  { mode, warn }: AccessOptions,
  missing: "directory.target-unavailable" | "directory.folder-unreadable",
): Promise<void> {
  const found = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new GatewayError(missing, { detail: `${folder}: ${cause.code}`, cause });
  });
  if (!found.isDirectory()) throw new GatewayError(missing, { detail: `${folder}: no folder` });
  if ((found.mode & OTHERS) === 0) return;
  const rights = (found.mode & 0o777).toString(8);
  const detail = `${folder}: ${rights.padStart(4, "0")}`;
  if (mode === "production") throw new GatewayError("directory.folder-unsafe", { detail });
  warn(`others may use the folder ${detail}`);
}
