/**
 * Guarantee: an upload's offset never names a byte that is not durable; a crash
 * at any moment costs at most one segment of re-sending; nothing is held in memory.
 *
 *   create ─▶ append (encrypted segments, offset after each) ─▶ complete: exchange `received`
 */
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId, parseId } from "@lightferry/proto/ids";
import type { Sm3Hash } from "@lightferry/proto/sm";
import type pg from "pg";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction, query } from "../database.ts";
import { findClaims, writeClaims } from "./idempotency.ts";
import type { SendingRoom } from "./room.ts";
import type { SegmentStore } from "./segments.ts";
import { SplitSource } from "./split-source.ts";
import {
  contentLimit,
  type IdempotencyClaim,
  policySubmission,
  type Receipt,
  registryRefusal,
  type SubmissionHead,
} from "./submission.ts";
import { completeUpload, refuseFile } from "./upload-complete.ts";
import {
  deleteUpload,
  findUpload,
  forgetClaim,
  insertUpload,
  LEAST_WEIGHT,
  type UploadRow,
  weighUploads,
} from "./upload-rows.ts";

const { Submission } = lightferry.policy.v1;

/** What a crash may cost of re-sending; small enough, yet one commit per 16 MiB is nothing. */
const SEGMENT_BYTES = 16 * 1_048_576;

export interface NewFile extends SubmissionHead {
  readonly file: { readonly name: string; readonly contentType: string };
  /** Announced bytes; undefined = until the one request body ends. */
  readonly length: number | undefined;
  readonly expectedDigest: Uint8Array | undefined;
  readonly idempotency: IdempotencyClaim | undefined;
}

export interface Progress {
  readonly uploadId: Uint8Array;
  readonly offset: number;
  readonly length: number | undefined;
}

/** Either there is something to upload to, or everything is said already. */
export type Created = { readonly progress: Progress } | { readonly receipt: Receipt };

export class Uploads {
  readonly #context: FrontProxyContext;
  readonly #room: SendingRoom;
  readonly #segments: SegmentStore;
  readonly #complete: () => void;
  /** Uploads that a request is writing to. */
  readonly #busy = new Set<string>();
  /** Running SM3 of uploads whose digest is wanted; lost in a crash, then read again. */
  readonly #hashes = new Map<string, { readonly hash: Sm3Hash; upTo: number }>();

  /** @param complete called whenever an upload has become an exchange. */
  constructor(
    context: FrontProxyContext,
    room: SendingRoom,
    segments: SegmentStore,
    complete: () => void,
  ) {
    this.#context = context;
    this.#room = room;
    this.#segments = segments;
    this.#complete = complete;
  }

  /**
   * Begins an upload, or answers with what the same key began before.
   * @throws GatewayError `upload.over-share`, `upload.share-used`, `spool.full`, `spool.disk-full`,
   *   `idempotency.conflict`, `database.unavailable`.
   */
  async create(file: NewFile): Promise<Created> {
    const known = await this.#known(file);
    if (known !== undefined) return known;
    const { zone } = this.#context.config;
    const barred = registryRefusal(this.#context.registry(), zone, "file", file, file.length ?? 0);
    if (barred !== undefined) return { receipt: await refuseFile(this.#context, file, barred) };
    const { uploadShareBytes } = this.#context.config.limits;
    if ((file.length ?? 0) > uploadShareBytes) {
      throw new GatewayError("upload.over-share", { detail: `share ${uploadShareBytes} bytes` });
    }
    await this.#room.assertRoom(file.length ?? 0);

    const id = newId();
    const nowMs = Date.now();
    const { key, wrapped } = this.#context.vault.newKey(id);
    const submission = policySubmission(id, "file", file, {
      file: { name: file.file.name, contentType: file.file.contentType },
      submittedMs: nowMs,
      size: file.length ?? 0,
    });
    const { idempotency } = file;
    await inTransaction(this.#context.pool, async (client) => {
      await this.#assertShare(
        client,
        file.caller,
        Math.max(file.length ?? SEGMENT_BYTES, LEAST_WEIGHT),
      );
      if (idempotency !== undefined) {
        const claim = { ...idempotency, caller: file.caller, exchangeId: id };
        const taken = await writeClaims(client, [claim], nowMs);
        if (taken.size > 0) throw new GatewayError("upload.busy", { detail: "same key" });
      }
      await insertUpload(client, {
        id,
        caller: file.caller,
        lane: file.lane,
        service: file.service,
        clientAddress: file.clientAddress,
        length: file.length ?? null,
        nowMs,
        wrappedKey: wrapped,
        submission: key.sealBytes(Submission.encode(submission).finish()),
        expectedDigest: file.expectedDigest,
        keyDigest: idempotency?.keyDigest,
      });
    });
    key.destroy();
    return { progress: { uploadId: id, offset: 0, length: file.length } };
  }

  /** One caller must not take the room of all others by beginning what it does not finish. */
  async #assertShare(client: pg.PoolClient, caller: string, more: number): Promise<void> {
    const { uploadShareBytes } = this.#context.config.limits;
    const taken = await weighUploads(client, caller, SEGMENT_BYTES);
    if (taken + more > uploadShareBytes) {
      const detail = `${taken} of ${uploadShareBytes} bytes are taken by unfinished uploads`;
      throw new GatewayError("upload.share-used", { detail });
    }
  }

  async #known(file: NewFile): Promise<Created | undefined> {
    if (file.idempotency === undefined) return undefined;
    const claim = { ...file.idempotency, caller: file.caller };
    const [known] = await findClaims(this.#context.pool, [claim]);
    if (known === undefined) return undefined;
    if (known instanceof GatewayError) throw known;
    const row = await findUpload(this.#context.pool, formatId(known.exchangeId), file.caller);
    return row === undefined ? { receipt: known } : { progress: progressOf(row) };
  }

  /** @throws GatewayError `upload.not-found`. */
  async progress(uploadId: Uint8Array, caller: string): Promise<Progress> {
    const row = await findUpload(this.#context.pool, formatId(uploadId), caller);
    if (row !== undefined) return progressOf(row);
    const size = await this.#completedSize(uploadId, caller);
    if (size === undefined) throw new GatewayError("upload.not-found");
    return { uploadId, offset: size, length: size };
  }

  /**
   * Appends at `offset`; with `last` (or when the announced length is reached) completes.
   * @throws GatewayError `upload.not-found`, `upload.offset-mismatch`, `upload.busy`,
   *   `upload.incomplete` (what arrived is kept), `upload.length-exceeded`, `submit.too-large`,
   *   `upload.digest-mismatch`, `spool.disk-full`.
   */
  async append(
    uploadId: Uint8Array,
    caller: string,
    offset: number,
    content: AsyncIterable<Uint8Array>,
    last = false,
  ): Promise<Created> {
    const id = formatId(uploadId);
    if (this.#busy.has(id)) throw new GatewayError("upload.busy");
    this.#busy.add(id);
    try {
      const row = await findUpload(this.#context.pool, id, caller);
      if (row === undefined) return await this.#alreadyComplete(uploadId, caller, offset);
      if (offset !== row.durable) {
        throw new GatewayError("upload.offset-mismatch", { detail: `durable ${row.durable}` });
      }
      const durable = await this.#store(row, content);
      if (last && row.length !== null && durable < row.length) {
        throw new GatewayError("upload.incomplete", { detail: `durable ${durable}` });
      }
      if (!last && durable !== row.length) {
        return { progress: { uploadId, offset: durable, length: row.length ?? undefined } };
      }
      return { receipt: await this.#finish(row, durable) };
    } finally {
      this.#busy.delete(id);
    }
  }

  /** Gives an upload up and forgets its content and key. */
  async abandon(uploadId: string): Promise<void> {
    this.#hashes.delete(uploadId);
    if (!(await deleteUpload(this.#context.pool, uploadId))) return;
    await forgetClaim(this.#context.pool, uploadId);
    await this.#segments.drop(uploadId);
  }

  async #store(row: UploadRow, content: AsyncIterable<Uint8Array>): Promise<number> {
    const limit = contentLimit(this.#context.registry(), "file", headOf(row));
    const end = row.length ?? limit;
    const running = this.#resumeHash(row);
    const source = new SplitSource(hashing(content, running?.hash));
    this.#hashes.delete(row.id);
    let durable = row.durable;
    while (await source.more()) {
      if (durable >= end) {
        // Whatever was announced, this is not it: nothing of it may ever be sent.
        await this.abandon(row.id);
        throw row.length === null
          ? new GatewayError("submit.too-large", { detail: `limit ${limit} bytes` })
          : new GatewayError("upload.length-exceeded", { detail: `announced ${row.length}` });
      }
      await this.#room.assertFloor();
      if (row.length === null && durable > row.durable) await this.#assertStreamShare(row);
      const part = source.part(Math.min(SEGMENT_BYTES, end - durable));
      durable += await this.#segments.append(parseId(row.id), durable, part);
    }
    if (running !== undefined) this.#hashes.set(row.id, { hash: running.hash, upTo: durable });
    if (source.fault !== undefined) {
      // Neither by its id nor by a key can anybody go on with it: it would only take up the share.
      if (row.length === null && row.key_digest === null) await this.abandon(row.id);
      throw new GatewayError("upload.incomplete", {
        detail: `durable ${durable}`,
        cause: source.fault,
      });
    }
    return durable;
  }

  /** A stream of unknown length: weighed as it grows, and forgotten when it grows too far. */
  async #assertStreamShare(row: UploadRow): Promise<void> {
    try {
      await inTransaction(this.#context.pool, (client) => this.#assertShare(client, row.caller, 0));
    } catch (error) {
      if (error instanceof GatewayError && error.code.startsWith("upload.")) {
        await this.abandon(row.id);
      }
      throw error;
    }
  }

  #resumeHash(row: UploadRow): { hash: Sm3Hash } | undefined {
    if (row.expected_digest === null && row.key_digest === null) return undefined;
    const known = this.#hashes.get(row.id);
    if (known?.upTo === row.durable) return known;
    return row.durable === 0 ? { hash: this.#context.shell.provider.createSm3() } : undefined;
  }

  async #finish(row: UploadRow, size: number): Promise<Receipt> {
    const digest = await this.#digestOf(row, size);
    if (
      row.expected_digest !== null &&
      digest !== undefined &&
      !row.expected_digest.equals(digest)
    ) {
      await this.abandon(row.id);
      throw new GatewayError("upload.digest-mismatch");
    }
    const receipt = await completeUpload(this.#context, row, size, digest);
    this.#hashes.delete(row.id);
    this.#complete();
    return receipt;
  }

  async #digestOf(row: UploadRow, size: number): Promise<Buffer | undefined> {
    if (row.expected_digest === null && row.key_digest === null) return undefined;
    const running = this.#hashes.get(row.id);
    if (running?.upTo === size) return Buffer.from(running.hash.digest());
    const hash = this.#context.shell.provider.createSm3();
    for await (const chunk of this.#segments.read(parseId(row.id))) hash.update(chunk);
    return Buffer.from(hash.digest());
  }

  // The answer to the last part was lost and the caller sends it again.
  async #alreadyComplete(uploadId: Uint8Array, caller: string, offset: number): Promise<Created> {
    const size = await this.#completedSize(uploadId, caller);
    if (size === undefined) throw new GatewayError("upload.not-found");
    if (offset > size)
      throw new GatewayError("upload.offset-mismatch", { detail: `durable ${size}` });
    return { receipt: { exchangeId: uploadId, state: "received", repeated: true } };
  }

  async #completedSize(uploadId: Uint8Array, caller: string): Promise<number | undefined> {
    const found = await query<{ size: number }>(
      this.#context.pool,
      "upload-completed",
      "SELECT size FROM exchange WHERE id = $1 AND caller = $2 AND kind = 'file'",
      [formatId(uploadId), caller],
    );
    return found.rows[0]?.size;
  }

  /** Checks a repeated body against what was accepted under the key. */
  async sameContent(exchangeId: Uint8Array, content: AsyncIterable<Uint8Array>): Promise<boolean> {
    const hash = this.#context.shell.provider.createSm3();
    for await (const chunk of content) hash.update(chunk);
    const found = await query<{ digest: Buffer | null }>(
      this.#context.pool,
      "upload-digest",
      "SELECT digest FROM exchange WHERE id = $1",
      [formatId(exchangeId)],
    );
    const digest = found.rows[0]?.digest ?? null;
    return digest === null || digest.equals(hash.digest());
  }
}

function headOf(row: UploadRow): SubmissionHead {
  return {
    caller: row.caller,
    clientAddress: row.client_address,
    lane: row.lane,
    service: row.service,
    grade: "",
    purpose: "",
    orderingKey: "",
  };
}

function progressOf(row: UploadRow): Progress {
  return { uploadId: parseId(row.id), offset: row.durable, length: row.length ?? undefined };
}

async function* hashing(
  content: AsyncIterable<Uint8Array>,
  hash: Sm3Hash | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    hash?.update(chunk);
    yield chunk;
  }
}
