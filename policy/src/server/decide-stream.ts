/**
 * Guarantee: one item's content flows through once, in bounded memory, and back
 * as it may leave; the result comes last. What flowed back before a refusal is
 * worthless: only a permit with the digest of exactly those bytes gives it a
 * meaning. An import is not sent back: its bytes are signed and stay as they are.
 * Nor is an export whose sender keeps the original, once it is certain that
 * nothing of it can be changed: one `unaltered` stands for all of it.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { ContentInspection, type ContentReport } from "../content/inspection.ts";
import { type Admission, admit, isObjection } from "../decide/admit.ts";
import { sealsByEnvelope } from "../decide/decide.ts";
import { Retention } from "../sealed-away/retention.ts";
import type { SealedAway } from "../sealed-away/store.ts";
import { type Case, type Desk, settle } from "./desk.ts";
import { type Item, readItem } from "./intake.ts";

/** policy.proto: content bytes in one message. */
export const STREAM_CHUNK_MAX = 256 * 1024;

type Part = lightferry.policy.v1.DecideStreamRequest.$Properties;
type Answer = lightferry.policy.v1.DecideStreamResponse.$Properties;

/** @throws GatewayError `rpc.bad-message` and those of {@link settle}. */
export async function* decideStream(
  desk: Desk,
  parts: AsyncIterable<Part>,
): AsyncGenerator<Answer> {
  const iterator = parts[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    const wire = first.done === true ? undefined : first.value.item;
    if (wire === null || wire === undefined) {
      throw new GatewayError("rpc.bad-message", { detail: "a stream begins with its item" });
    }
    const item = readItem(desk.policy, desk.provider, wire);
    const keepsOriginal = item.arrived === undefined && wire.keepsOriginal === true;
    const admission = admit(desk.policy, item.request, desk.now());
    const chunks = { [Symbol.asyncIterator]: () => contentOf(iterator, item.request.size) };
    yield* isObjection(admission)
      ? refuse(desk, { item, admission }, chunks)
      : examine(desk, { item, admission }, chunks, keepsOriginal);
  } finally {
    await iterator.return?.();
  }
}

/** The content, up to one chunk beyond the declared size: the rest of a longer one is not read. */
async function* contentOf(iterator: AsyncIterator<Part>, size: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  while (seen <= size) {
    const next = await iterator.next();
    if (next.done === true) return;
    const chunk = next.value.chunk;
    if (chunk === null || chunk === undefined || chunk.length > STREAM_CHUNK_MAX) {
      throw new GatewayError("rpc.bad-message", { detail: "a chunk of at most 256 KiB" });
    }
    seen += chunk.length;
    yield chunk;
  }
}

/** Refused before content: nothing more is read, unless it must be sealed away. */
async function* refuse(
  desk: Desk,
  refused: Pick<Case, "item" | "admission">,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Answer> {
  const { item, admission } = refused;
  const secret = isObjection(admission) && admission.code === "policy.grade-secret";
  const sealed = secret ? await sealRest(desk, item, chunks) : undefined;
  yield { result: await settle(desk, [caseOf(item, admission, undefined, sealed)]) };
}

async function* examine(
  desk: Desk,
  admitted: { readonly item: Item; readonly admission: Admission },
  chunks: AsyncIterable<Uint8Array>,
  keepsOriginal: boolean,
): AsyncGenerator<Answer> {
  const { item, admission } = admitted;
  if (sealsByEnvelope(item.request, admission)) {
    const sealed = await sealRest(desk, item, chunks);
    yield { result: await settle(desk, [caseOf(item, admission, undefined, sealed)]) };
    return;
  }
  let echo = item.arrived === undefined;
  let mayStop = keepsOriginal;
  const { declared, arrived } = item;
  const receipts = arrived === undefined ? desk.ownReceipts : undefined;
  const inspection = new ContentInspection(desk.provider, admission.plan, declared, receipts);
  const retention = new Retention(desk.sealedAway, item.request.exchangeId);
  try {
    for await (const chunk of chunks) {
      // Once sealing is certain the rest is only kept: it is not read further and not sent back.
      if (inspection.sealsAway) {
        await retention.keep(chunk, true);
        continue;
      }
      // Chunks that wait in the transport would otherwise be read without a break.
      await nextTurn();
      const settled = inspection.push(chunk);
      if (mayStop && inspection.altersNothing && !inspection.sealsAway) {
        yield { unaltered: true };
        echo = false;
      }
      // Said once; and once some of the content is on its way back, all of it goes.
      if (!echo || settled.length > 0) mayStop = false;
      await retention.keep(chunk, inspection.sealsAway || inspection.marksMayComeLate);
      if (echo && !inspection.sealsAway) yield* inChunks(settled);
    }
    const { rest, report } = inspection.end();
    const sealed = inspection.sealsAway ? await retention.seal() : undefined;
    if (echo && sealed === undefined) yield* inChunks(rest);
    yield { result: await settle(desk, [caseOf(item, admission, report, sealed)]) };
  } finally {
    await retention.discard();
  }
}

async function sealRest(
  desk: Desk,
  item: Item,
  chunks: AsyncIterable<Uint8Array>,
): Promise<SealedAway> {
  const retention = new Retention(desk.sealedAway, item.request.exchangeId);
  try {
    for await (const chunk of chunks) await retention.keep(chunk, true);
    return await retention.seal();
  } finally {
    await retention.discard();
  }
}

function caseOf(
  item: Item,
  admission: Case["admission"],
  report: ContentReport | undefined,
  sealed: SealedAway | undefined,
): Case {
  // Of a content that was sealed away the whole counts, not the part that was read.
  const whole =
    report === undefined || sealed === undefined
      ? report
      : { ...report, size: sealed.size, digest: sealed.digest };
  return { item, admission, report: whole, changed: undefined, sealed };
}

function* inChunks(bytes: Uint8Array): Generator<Answer> {
  for (let at = 0; at < bytes.length; at += STREAM_CHUNK_MAX) {
    yield { chunk: bytes.subarray(at, at + STREAM_CHUNK_MAX) };
  }
}
