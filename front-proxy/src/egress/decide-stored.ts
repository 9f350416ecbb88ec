/**
 * Guarantee: content that already rests here is decided in one pass: it goes to
 * policy once, and what comes back is what is kept; the original is removed
 * only after that is committed. Of content that cannot be altered nothing comes
 * back: then the original is what is kept, and sealing holds it to its verdict.
 *
 *   stored ─decrypt─▶ DecideStream ┬encrypt─▶ spool draft ─▶ journal ─▶ commit ─▶ original removed
 *                                  └unaltered────────────▶ journal ─▶ commit
 */
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { parseId } from "@lightferry/proto/ids";
import type { PayloadKey } from "@lightferry/proto/keystore";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { openContent } from "../payload/keep.ts";
import type { Part } from "../payload/parts.ts";
import type { Spool, SpoolDraft } from "../payload/spool.ts";
import { packTrail, permittedEvent, stoppedEvent, subjectOf, unpackTrail } from "./events.ts";
import { type Moved, moveExchanges, storeParts } from "./exchange-rows.ts";
import { batchBytes, type Decided, readOutcome } from "./outcome.ts";
import type { SegmentStore } from "./segments.ts";
import { loadStored, type StoredRow } from "./stored-rows.ts";

const { Direction, Submission } = lightferry.policy.v1;
const { ManifestEntry } = lightferry.bundle.v1;
const { SealMaterial } = lightferry.seal.v1;
type Request = lightferry.policy.v1.DecideStreamRequest.$Properties;
type Response = InstanceType<typeof lightferry.policy.v1.DecideStreamResponse>;

/** policy.proto: content chunks of a stream. */
const CHUNK_BYTES = 256 * 1_024;

/**
 * Parts are named in the sealed material, some 150 bytes each, which holds at most 256 KiB with
 * entry and verdict. An upload in more pieces than this is written anew, in one.
 */
const MAX_KEPT_PARTS = 1_024;

export interface StoredStores {
  readonly spool: Spool;
  readonly segments: SegmentStore;
}

/**
 * Decides one exchange in state received.
 * @returns its new state, or undefined when it was no longer there to decide.
 * @throws GatewayError `rpc.*`, `journal.full`, `database.unavailable`, `spool.disk-full`: it stays
 *   received; `spool.payload-damaged`, `sm.decrypt-failed`: it can never be decided.
 */
export async function decideStored(
  context: FrontProxyContext,
  stores: StoredStores,
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const row = await loadStored(context.pool, id);
  if (row === undefined) return undefined;
  if (row.wrapped_key === null) throw new GatewayError("spool.payload-damaged", { detail: id });
  const key = context.vault.unwrap(row.wrapped_key, parseId(id));
  const draft = await stores.spool.draft();
  try {
    const passed = await passThroughPolicy(context, stores, row, key, draft, signal);
    return await keep(context, stores, row, key, draft, passed);
  } finally {
    await draft.discard();
    key.destroy();
  }
}

interface Passed {
  readonly decided: Decided;
  readonly size: number;
  /** What is kept instead of the draft. */
  readonly original: Original | undefined;
  readonly policyVersion: string;
}

/** Content that rests in a form that sealing can read: an exchange's file, or an upload's parts. */
type Original = { readonly file: string } | { readonly parts: readonly Part[] };

interface Returned {
  size: number;
  unaltered: boolean;
  result?: lightferry.policy.v1.DecideResponse.$Properties;
}

async function passThroughPolicy(
  context: FrontProxyContext,
  stores: StoredStores,
  row: StoredRow,
  key: PayloadKey,
  draft: SpoolDraft,
  signal: AbortSignal,
): Promise<Passed> {
  const parts = await stores.segments.parts(parseId(row.id));
  const original = originalOf(row, parts);
  const content = contentOf(stores, row, key, parts);
  const item = {
    direction: Direction.DIRECTION_EXPORT,
    submission: submissionOf(row, key),
    keepsOriginal: original !== undefined,
  };
  const responses = context.policy.decideStream(requests(item, content), { signal });
  const end: Returned = { size: 0, unaltered: false };
  for await (const sealed of key.encryptStream(returned(responses, end), { reuse: true }))
    await draft.append(sealed);
  const { result, unaltered } = end;
  if (result?.outcomes?.length !== 1) {
    throw new GatewayError("policy.answer-invalid", { detail: "stream without one outcome" });
  }
  const [outcome] = result.outcomes;
  if (unaltered && (original === undefined || outcome?.contentChanged === true)) {
    throw new GatewayError("policy.answer-invalid", { detail: "the original cannot be kept" });
  }
  return {
    decided: readOutcome(outcome, batchBytes(result.batch)),
    size: unaltered ? row.size : end.size,
    original: unaltered ? original : undefined,
    policyVersion: result.policyVersion ?? "",
  };
}

/** Each message is encoded, and so copied, before the next piece is asked for. */
async function* requests(
  item: lightferry.policy.v1.DecideItem.$Properties,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Request> {
  yield { item };
  for await (const piece of content) {
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
      yield { chunk: piece.subarray(at, at + CHUNK_BYTES) };
    }
  }
}

async function* returned(
  responses: AsyncIterable<Response>,
  end: Returned,
): AsyncGenerator<Uint8Array> {
  for await (const { part, chunk, result, unaltered } of responses) {
    if (end.result !== undefined)
      throw new GatewayError("policy.answer-invalid", { detail: "after the end" });
    if (part === "unaltered" && unaltered && end.size === 0) end.unaltered = true;
    else if (part === "chunk" && chunk && !end.unaltered) {
      end.size += chunk.length;
      yield chunk;
    } else if (part === "result" && result) end.result = result;
    else throw new GatewayError("policy.answer-invalid", { detail: "empty message" });
  }
}

function originalOf(row: StoredRow, parts: readonly Part[]): Original | undefined {
  if (parts.length > MAX_KEPT_PARTS) return undefined;
  if (parts.length > 0) return { parts };
  return row.file === null ? undefined : { file: row.file };
}

function contentOf(
  stores: StoredStores,
  row: StoredRow,
  key: PayloadKey,
  parts: readonly Part[],
): AsyncIterable<Uint8Array> {
  if (parts.length > 0) return stores.segments.read(parseId(row.id));
  if (row.file !== null || row.content !== null) {
    return openContent(stores.spool, key, row, { reuse: true });
  }
  if (row.material !== null) return inMemory(materialOf(row, key).content);
  if (row.size === 0) return inMemory(new Uint8Array());
  throw new GatewayError("spool.payload-damaged", { detail: row.id });
}

function materialOf(row: StoredRow, key: PayloadKey) {
  if (row.material === null) throw new GatewayError("spool.payload-damaged", { detail: row.id });
  return SealMaterial.decode(key.openBytes(row.material));
}

/** As submitted; for what was already permitted once, as policy wrote it into the entry. */
function submissionOf(
  row: StoredRow,
  key: PayloadKey,
): lightferry.policy.v1.Submission.$Properties {
  if (row.submission !== null) return Submission.decode(key.openBytes(row.submission));
  const entry = ManifestEntry.decode(materialOf(row, key).entry);
  return {
    exchangeId: entry.exchangeId,
    kind: entry.kind,
    lane: row.lane,
    service: entry.service,
    caller: entry.caller,
    declaredGrade: entry.grade,
    purpose: entry.purpose,
    ...(entry.http ? { http: entry.http } : {}),
    ...(entry.file ? { file: entry.file } : {}),
    submittedMs: entry.submittedMs,
    orderingKey: entry.orderingKey,
    clientAddress: row.client_address,
    size: entry.size,
  };
}

async function keep(
  context: FrontProxyContext,
  stores: StoredStores,
  row: StoredRow,
  key: PayloadKey,
  draft: SpoolDraft,
  { decided, size, original, policyVersion }: Passed,
): Promise<string | undefined> {
  const subject = subjectOf({ ...row, size } as Moved);
  const [event] = await context.shell.journal.record([
    decided.state === "permitted"
      ? permittedEvent(subject, { ruleIds: decided.ruleIds, policyVersion })
      : stoppedEvent(subject, `exchange.${decided.state}`, decided.refusal, policyVersion),
  ]);
  const trail = packTrail([...unpackTrail(row.trail), ...(event === undefined ? [] : [event])]);
  const permitted = decided.state === "permitted";
  // A name per decision: an earlier file stays whole until its successor is committed.
  const stays = permitted ? original : undefined;
  const written =
    permitted && stays === undefined ? `${row.id}.${row.decided + 1}.payload` : undefined;
  if (written !== undefined) await draft.keepAs(written);
  const file = stays !== undefined && "file" in stays ? stays.file : written;
  const parts = stays !== undefined && "parts" in stays ? [...stays.parts] : [];

  const moved = await inTransaction(context.pool, async (client) => {
    const [gone] = await moveExchanges(client, [row.id], {
      steps: [decided.state],
      nowMs: Date.now(),
      ...(permitted ? { expiresMs: decided.expiresMs } : { refusal: decided.refusal }),
    });
    if (gone !== undefined && permitted) {
      await storeParts(client, row.id, {
        material: key.sealBytes(SealMaterial.encode({ ...decided.material, parts }).finish()),
        headerBytes: decided.headerBytes,
        batch: decided.batch,
        trail,
        ...(file === undefined ? {} : { file }),
        size,
        policyVersion,
      });
    }
    return gone;
  });
  if (moved === undefined) {
    if (written !== undefined) await stores.spool.remove(written);
    return undefined;
  }
  // Held content stays as it was submitted, for the person who will decide.
  if (decided.state === "held") return decided.state;
  if (parts.length === 0) await stores.segments.drop(row.id);
  if (row.file !== null && row.file !== file) await stores.spool.remove(row.file);
  return decided.state;
}

async function* inMemory(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
