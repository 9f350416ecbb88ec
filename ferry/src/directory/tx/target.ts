/**
 * Guarantee: the sender knows its appliance by this alone: it can put a new file there and count what lies
 * there, and never reads what anybody wrote.
 */
import type { FileName } from "../profile.ts";

/** What is put: its length is known, its bytes come piece by piece. */
export interface FileSource {
  readonly size: number;
  pieces(): AsyncIterable<Uint8Array>;
}

/** What the appliance has not taken away yet. */
export interface Waiting {
  readonly files: number;
  readonly bytes: number;
}

export interface Target {
  /** For the status: kind and where. */
  readonly where: string;
  /**
   * Makes a file. Whole and durable, as far as the other side can say so, when it resolves.
   * @returns "exists" when a file has this name: nothing was written
   * @throws GatewayError `directory.*`; whether something of the file is there is not known then
   */
  put(at: FileName, file: FileSource): Promise<"written" | "exists">;
  /** @throws GatewayError `directory.*` */
  waiting(): Promise<Waiting>;
  close(): Promise<void>;
}

/** Entries counted in one folder: a folder with more is full by any profile. */
export const MAX_LISTED = 1_000_000;
