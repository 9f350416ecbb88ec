/**
 * Guarantee: the content of an upload rests in encrypted segments, each durable
 * before the offset that counts it; together they read as one stream.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { formatId } from "@lightferry/proto/ids";
import type { PayloadVault } from "@lightferry/proto/keystore";
import type pg from "pg";
import { inTransaction, query } from "../database.ts";
import { type Part, partContext, readParts } from "../payload/parts.ts";
import type { Spool } from "../payload/spool.ts";
import { asBuffer } from "./exchange-rows.ts";

interface SegmentRow extends pg.QueryResultRow {
  readonly number: number;
  readonly size: number;
  readonly file: string;
  readonly wrapped_key: Buffer;
}

export class SegmentStore {
  readonly #pool: pg.Pool;
  readonly #spool: Spool;
  readonly #vault: PayloadVault;

  constructor(pool: pg.Pool, spool: Spool, vault: PayloadVault) {
    this.#pool = pool;
    this.#spool = spool;
    this.#vault = vault;
  }

  /**
   * Encrypts and keeps one segment at `start`, then moves the durable offset.
   * @returns plaintext bytes kept.
   * @throws GatewayError `spool.disk-full`, `upload.offset-mismatch`; nothing is kept then.
   */
  async append(
    uploadId: Uint8Array,
    start: number,
    content: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    const id = formatId(uploadId);
    const number = await this.#nextNumber(id);
    const { key, wrapped } = this.#vault.newKey(partContext(uploadId, number));
    const file = `${id}.${number}.segment`;
    let size = 0;
    try {
      await this.#spool.write(
        file,
        key.encryptStream(
          tapped(content, (bytes) => {
            size += bytes;
          }),
          { reuse: true },
        ),
      );
    } finally {
      key.destroy();
    }
    try {
      await inTransaction(this.#pool, async (client) => {
        const moved = await query(
          client,
          "upload-advance",
          "UPDATE upload SET durable = $3, updated_ms = $4 WHERE id = $1 AND durable = $2",
          [id, start, start + size, Date.now()],
        );
        if (moved.rowCount !== 1) throw new GatewayError("upload.offset-mismatch");
        await query(
          client,
          "segment-insert",
          `INSERT INTO upload_segment (upload_id, number, start, size, file, wrapped_key)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [id, number, start, size, file, asBuffer(wrapped)],
        );
      });
    } catch (error) {
      // The commit may have happened although its answer was lost: only the orphan sweep knows.
      const lost = error instanceof GatewayError && error.code === "database.unavailable";
      if (!lost) await this.#spool.remove(file);
      throw error;
    }
    return size;
  }

  async #nextNumber(id: string): Promise<number> {
    const result = await query<{ next: number }>(
      this.#pool,
      "segment-next",
      "SELECT coalesce(max(number) + 1, 0) AS next FROM upload_segment WHERE upload_id = $1",
      [id],
    );
    return result.rows[0]?.next ?? 0;
  }

  /** What an upload rests in, in order; empty when there is none of this id. */
  async parts(uploadId: Uint8Array): Promise<readonly Part[]> {
    const rows = await this.#rows(formatId(uploadId));
    return rows.map(({ file, number, size, wrapped_key }) => ({
      file,
      number,
      size,
      wrappedKey: wrapped_key,
    }));
  }

  /** The whole content as plaintext; each piece is valid until the next. @throws GatewayError `spool.payload-damaged`, `sm.decrypt-failed`. */
  async *read(uploadId: Uint8Array): AsyncGenerator<Uint8Array> {
    const read = (file: string) => this.#spool.read(file);
    yield* readParts(this.#vault, read, uploadId, await this.parts(uploadId));
  }

  /** Forgets the segments of an upload: rows first, so a crash leaves files for the orphan sweep. */
  async drop(uploadId: string): Promise<void> {
    for (const file of await forgetSegments(this.#pool, [uploadId])) await this.#spool.remove(file);
  }

  async #rows(id: string): Promise<readonly SegmentRow[]> {
    const result = await query<SegmentRow>(
      this.#pool,
      "segment-list",
      "SELECT number, size, file, wrapped_key FROM upload_segment WHERE upload_id = $1 ORDER BY number",
      [id],
    );
    return result.rows;
  }
}

/**
 * Removes the rows of uploads, and with them the only keys to their segments.
 * @returns the files, for removal after the commit.
 */
export async function forgetSegments(
  on: pg.Pool | pg.PoolClient,
  uploadIds: readonly string[],
): Promise<readonly string[]> {
  const gone = await query<{ file: string }>(
    on,
    "segments-forget",
    "DELETE FROM upload_segment WHERE upload_id = ANY($1::uuid[]) RETURNING file",
    [uploadIds],
  );
  return gone.rows.map(({ file }) => file);
}

async function* tapped(
  content: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    count(chunk.length);
    yield chunk;
  }
}
