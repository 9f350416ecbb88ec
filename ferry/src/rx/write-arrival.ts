/** Guarantee: a short object is a synced file, or the disk had no room and nothing is left of it. */
import { closeSync, fdatasync, openSync, writeFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { promisify } from "node:util";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { asStorageFault } from "../storage-fault.ts";
import { ARRIVAL_MODE } from "./partial.ts";

/** Of what is in memory: held until there is room, it would keep the gate from whatever else comes. */
export const SPACELESS = "ferry.space-full";

const synced = promisify(fdatasync);

/** @throws GatewayError {@link SPACELESS}, or another fault of the disk */
export async function writeArrival(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await write(path, bytes);
  } catch (error) {
    const { code, detail } = asGatewayError(asStorageFault(error));
    if (code !== "spool.disk-full") throw error;
    await unlink(path).catch(() => undefined);
    throw new GatewayError(SPACELESS, { detail, cause: error });
  }
}

/**
 * All but the sync on the spot: a megabyte goes to the kernel's memory in a third of a millisecond, and to ask another
 * thread for it, at a moment when all of them have something to do, costs an urgent bundle more at every step.
 */
async function write(path: string, bytes: Uint8Array): Promise<void> {
  const file = openSync(path, "w", ARRIVAL_MODE);
  try {
    writeFileSync(file, bytes);
    await synced(file);
  } finally {
    closeSync(file);
  }
}
