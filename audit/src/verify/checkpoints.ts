/** Guarantee: a checkpoint's root counts only when its note is signed by an audit key that the node had then. */
import { GatewayError } from "@lightferry/proto/errors";
import type { Sm2PublicKey, SmProvider } from "@lightferry/proto/sm";
import type { Findings } from "./findings.ts";
import { type Checkpoint, checkNote, originOf, readNote } from "./note.ts";
import type { CheckpointRow, Snapshot } from "./rows.ts";

/**
 * The node's audit key as it counted at a time (ms): certificates are never forgotten, so that what a
 * former key signed verifies years later.
 * @throws GatewayError `certificate.*` for a key that is known and did not count then
 */
export type AuditKey = (keyId: string, usedMs: number) => Sm2PublicKey | undefined;

/** A checkpoint row with what its note says; `signed` is undefined when the note proves nothing. */
export interface CheckedCheckpoint {
  readonly row: CheckpointRow;
  readonly signed: Checkpoint | undefined;
}

export class Checkpoints {
  count = 0;
  readonly #rows: Snapshot["checkpoints"];
  readonly #findings: Findings;
  readonly #provider: SmProvider;
  readonly #origin: string;
  readonly #key: AuditKey;
  #lastSize = 0;
  #lastMs = 0;

  constructor(
    rows: Snapshot["checkpoints"],
    findings: Findings,
    provider: SmProvider,
    node: string,
    key: AuditKey,
  ) {
    this.#rows = rows;
    this.#findings = findings;
    this.#provider = provider;
    this.#origin = originOf(node);
    this.#key = key;
  }

  async next(): Promise<CheckedCheckpoint | undefined> {
    const row = await this.#rows.peek();
    if (row === undefined) return undefined;
    this.#rows.take();
    this.count += 1;
    const read = this.#read(row.note);
    const note = typeof read === "string" ? undefined : read;
    if (typeof read === "string") this.#findings.add("checkpoint.signature", row.size, read);
    if (row.previous_size !== this.#lastSize) {
      this.#findings.add("checkpoint.missing", this.#lastSize, "", row.previous_size);
    }
    const columns = {
      size: note === undefined || note.size === row.size,
      root: note === undefined || row.root.equals(note.root),
      logged_ms:
        (note === undefined || note.loggedMs === row.logged_ms) && row.logged_ms >= this.#lastMs,
    };
    for (const [name, ok] of Object.entries(columns)) {
      if (!ok) this.#findings.add("checkpoint.column", row.size, name);
    }
    this.#lastSize = row.size;
    this.#lastMs = row.logged_ms;
    return { row, signed: note !== undefined && columns.size ? note : undefined };
  }

  /** A note of this node's log with a valid signature. */
  read(text: string): Checkpoint | undefined {
    const read = this.#read(text);
    return typeof read === "string" ? undefined : read;
  }

  /** The note, or why it proves nothing: the code of its key's certificate, else empty. */
  #read(text: string): Checkpoint | string {
    const note = readNote(text);
    if (note === undefined || note.origin !== this.#origin) return "";
    try {
      const key = this.#key(note.keyId, note.loggedMs);
      return key !== undefined && checkNote(this.#provider, note, key) ? note : "";
    } catch (error) {
      if (error instanceof GatewayError) return error.code;
      throw error;
    }
  }
}
