/** Guarantee: a short object is a synced file, or the disk had no room and nothing is left of it. */
import { open, unlink } from "node:fs/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { asStorageFault } from "../storage-fault.ts";
import { ARRIVAL_MODE } from "./partial.ts";

/** Of what is in memory: held until there is room, it would keep the gate from whatever else comes. */
export const SPACELESS = "ferry.space-full";

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

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "w", ARRIVAL_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
