/**
 * Guarantee: before anything of a batch stands in the log, this file names its
 * exchanges durably; so after a crash between journal and commit it is known
 * whose outcome the log does not tell. A batch is named before the one that
 * takes its place in the file begins, hence one file per run of the drain.
 *
 * file = u32 length, u32 crc32, JSON (all integers big-endian)
 */
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, parseId } from "@lightferry/proto/ids";
import type { EventSubject } from "./events.ts";

/** An exchange whose outcome may be unknown; no content. */
export interface InFlight extends EventSubject {
  readonly submittedMs: number;
}

const HEADER_BYTES = 8;
/** 1,024 items of at most 4 KiB of names each; a longer file is not one of ours. */
const MAX_BYTES = 8 * 1_048_576;

export class InFlightFile {
  readonly #file: FileHandle;
  #named: readonly InFlight[];

  private constructor(file: FileHandle, named: readonly InFlight[]) {
    this.#file = file;
    this.#named = named;
  }

  static async open(path: string): Promise<InFlightFile> {
    await (await open(path, "a", 0o600)).close();
    const file = await open(path, "r+");
    return new InFlightFile(file, await read(file));
  }

  /** What is in flight, or was when the program died. */
  get named(): readonly InFlight[] {
    return this.#named;
  }

  /**
   * Durable when it resolves.
   * @throws GatewayError `spool.disk-full`, `journal.unwritable`: nothing may be journalled.
   */
  async name(batch: readonly InFlight[]): Promise<void> {
    this.#named = batch;
    const rows = batch.map((one) => ({ ...one, exchangeId: formatId(one.exchangeId) }));
    const json = Buffer.from(JSON.stringify(rows));
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + json.length);
    bytes.writeUInt32BE(json.length, 0);
    bytes.writeUInt32BE(crc32(json), 4);
    json.copy(bytes, HEADER_BYTES);
    try {
      await this.#file.write(bytes, 0, bytes.length, 0);
      await this.#file.datasync();
    } catch (error) {
      throw storageFault(error);
    }
  }

  /** The outcome of what was named is known. In memory only: looking once more costs little. */
  settled(): void {
    this.#named = [];
  }

  /** As {@link settled}, for what was not accepted: the next start need not look either. */
  async forget(): Promise<void> {
    this.#named = [];
    await this.#file.write(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  }

  /** Ends in order: what is still named stays so, and is looked at by the next start. */
  async close(): Promise<void> {
    if (this.#named.length === 0) await this.forget();
    await this.#file.close();
  }
}

// Torn = the crash came while naming: nothing of that batch was journalled, and the one before
// had been settled.
async function read(file: FileHandle): Promise<readonly InFlight[]> {
  const { size } = await file.stat();
  if (size < HEADER_BYTES || size > MAX_BYTES) return [];
  const bytes = Buffer.alloc(size);
  await file.read(bytes, 0, size, 0);
  const json = bytes.subarray(HEADER_BYTES, HEADER_BYTES + bytes.readUInt32BE(0));
  if (json.length === 0 || json.length !== bytes.readUInt32BE(0)) return [];
  if (crc32(json) !== bytes.readUInt32BE(4)) return [];
  const rows = JSON.parse(json.toString("utf8")) as (Omit<InFlight, "exchangeId"> & {
    readonly exchangeId: string;
  })[];
  return rows.map((row) => ({ ...row, exchangeId: parseId(row.exchangeId) }));
}

function storageFault(cause: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new GatewayError(full ? "spool.disk-full" : "journal.unwritable", { detail: code, cause });
}
