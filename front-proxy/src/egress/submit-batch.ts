/**
 * Guarantee: a batch of requests goes this way and no other; a slot is answered
 * with a receipt only after the commit.
 *
 *   known key? ─▶ registry ─▶ Decide ─▶ journal ─▶ encrypt ─▶ commit ─▶ answer
 */
import { asGatewayError, type GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { INLINE_CONTENT_MAX, keepContent, newPayloadKey } from "../payload/keep.ts";
import type { Spool } from "../payload/spool.ts";
import { packTrail, permittedEvent, receivedEvent, stoppedEvent } from "./events.ts";
import { insertExchanges, type NewExchange } from "./exchange-rows.ts";
import { type Claim, findClaims, writeClaims } from "./idempotency.ts";
import { batchBytes, type Decided, readOutcome } from "./outcome.ts";
import {
  policySubmission,
  REGISTRY_RULE,
  type Receipt,
  type RequestSubmission,
  registryRefusal,
} from "./submission.ts";

const { Direction, Submission } = lightferry.policy.v1;
const { SealMaterial } = lightferry.seal.v1;

/** Decide of a full batch takes well under a second; beyond this the caller is told 503. */
const DECIDE_DEADLINE_MS = 10_000;

/** One submission on its way; what becomes known is filled in as it goes. */
export interface Slot {
  readonly id: Uint8Array;
  readonly submission: RequestSubmission;
  readonly submittedMs: number;
  decided?: Decided;
  /** Content as policy lets it leave, when that differs from what was submitted. */
  changed?: Uint8Array;
  policyVersion?: string;
  answer?: Receipt | GatewayError;
}

type DecidedSlot = Slot & { decided: Decided };

/** Fills in `answer` of every slot. Throws when the whole batch is refused by a fault. */
export async function runBatch(
  context: FrontProxyContext,
  spool: Spool,
  slots: readonly Slot[],
): Promise<void> {
  await answerRepetitions(context, slots);
  await decide(
    context,
    slots.filter((slot) => slot.answer === undefined),
  );
  const decided = slots.filter((slot): slot is DecidedSlot => slot.decided !== undefined);
  if (decided.length > 0) await keep(context, spool, decided);
}

async function answerRepetitions(
  context: FrontProxyContext,
  slots: readonly Slot[],
): Promise<void> {
  const claiming = slots.filter((slot) => slot.submission.idempotency !== undefined);
  if (claiming.length === 0) return;
  const known = await findClaims(context.pool, claiming.flatMap(claimOf));
  for (const [index, slot] of claiming.entries()) {
    const answer = known[index];
    if (answer !== undefined) slot.answer = answer;
  }
}

function claimOf(slot: Slot): Claim[] {
  const { idempotency, caller } = slot.submission;
  return idempotency === undefined ? [] : [{ ...idempotency, caller }];
}

async function decide(context: FrontProxyContext, slots: readonly Slot[]): Promise<void> {
  const registry = context.registry();
  const { zone } = context.config;
  const asked: Slot[] = [];
  for (const slot of slots) {
    const { submission } = slot;
    const size = submission.content.length;
    const barred = registryRefusal(registry, zone, "request", submission, size);
    if (barred === undefined) {
      asked.push(slot);
      continue;
    }
    const refusal = { code: barred.code, rule: REGISTRY_RULE, reason: barred.detail };
    slot.decided = { state: "refused", refusal, sealedAway: false };
  }
  if (asked.length === 0) return;

  const response = await context.policy.decide(
    {
      items: asked.map((slot) => ({
        direction: Direction.DIRECTION_EXPORT,
        submission: describe(slot),
        content: slot.submission.content,
      })),
    },
    { deadlineMs: DECIDE_DEADLINE_MS },
  );
  const batch = batchBytes(response.batch);
  for (const [index, slot] of asked.entries()) {
    const outcome = response.outcomes?.[index];
    if (outcome?.contentChanged === true) slot.changed = outcome.content ?? new Uint8Array();
    slot.policyVersion = response.policyVersion ?? "";
    try {
      slot.decided = readOutcome(outcome, batch);
    } catch (error) {
      slot.answer = asGatewayError(error);
    }
  }
}

function contentOf(slot: Slot): Uint8Array {
  return slot.changed ?? slot.submission.content;
}

function describe(slot: Slot) {
  return policySubmission(slot.id, "request", slot.submission, {
    http: slot.submission.http,
    submittedMs: slot.submittedMs,
    size: slot.submission.content.length,
  });
}

async function keep(
  context: FrontProxyContext,
  spool: Spool,
  slots: readonly DecidedSlot[],
): Promise<void> {
  const events = await context.shell.journal.record(slots.flatMap(eventsOf));
  const rows = await Promise.all(
    slots.map((slot, index) => rowOf(context, spool, slot, events.slice(2 * index, 2 * index + 2))),
  );
  const claiming = slots.filter((slot) => slot.submission.idempotency !== undefined);
  let overtaken: readonly Slot[] = [];
  try {
    if (claiming.length === 0) await insertExchanges(context.pool, rows);
    else overtaken = await insertClaimed(context, slots, rows, claiming);
  } catch (error) {
    await reportLost(context, slots, asGatewayError(error));
    throw error;
  }
  for (const slot of slots) {
    if (!overtaken.includes(slot)) slot.answer = receiptOf(slot);
  }
  if (overtaken.length > 0) await answerRepetitions(context, overtaken);
}

/** @returns slots whose key another front-proxy on this database wrote first. */
async function insertClaimed(
  context: FrontProxyContext,
  slots: readonly DecidedSlot[],
  rows: readonly NewExchange[],
  claiming: readonly DecidedSlot[],
): Promise<readonly Slot[]> {
  return inTransaction(context.pool, async (client) => {
    const claims = claiming.flatMap((slot) =>
      claimOf(slot).map((claim) => ({ ...claim, exchangeId: slot.id })),
    );
    const faster = await writeClaims(client, claims, Date.now());
    const overtaken = claiming.filter((_, index) => faster.has(index));
    await insertExchanges(
      client,
      rows.filter((_, index) => !overtaken.some((slot) => slot === slots[index])),
    );
    return overtaken;
  });
}

function eventsOf(slot: DecidedSlot): EventInput[] {
  const { submission, decided, policyVersion = "" } = slot;
  const subject = {
    exchangeId: slot.id,
    lane: submission.lane,
    service: submission.service,
    caller: submission.caller,
    clientAddress: submission.clientAddress,
    grade: submission.grade,
    size: submission.content.length,
  };
  const outcome =
    decided.state === "permitted"
      ? permittedEvent(subject, { ruleIds: decided.ruleIds, policyVersion })
      : stoppedEvent(subject, `exchange.${decided.state}`, decided.refusal, policyVersion);
  return [receivedEvent(subject), outcome];
}

async function rowOf(
  context: FrontProxyContext,
  spool: Spool,
  slot: DecidedSlot,
  events: readonly Uint8Array[],
): Promise<NewExchange> {
  const { submission, decided } = slot;
  const lane = context.registry().lane(submission.lane);
  const laneExpiryMs = slot.submittedMs + (lane?.expirySeconds ?? 0) * 1_000;
  const permitted = decided.state === "permitted";
  return {
    id: slot.id,
    kind: "request",
    caller: submission.caller,
    lane: submission.lane,
    service: submission.service,
    grade: submission.grade,
    priority: "normal",
    clientAddress: submission.clientAddress,
    size: contentOf(slot).length,
    submittedMs: slot.submittedMs,
    nowMs: Date.now(),
    expiresMs: permitted ? decided.expiresMs : laneExpiryMs,
    decided: slot.policyVersion === undefined ? 0 : 1,
    policyVersion: slot.policyVersion ?? "",
    steps: ["received", decided.state],
    ...(permitted ? {} : { refusal: decided.refusal }),
    stored: { ...(await partsOf(context, spool, slot)), trail: packTrail(events) },
  };
}

async function partsOf(context: FrontProxyContext, spool: Spool, slot: DecidedSlot) {
  const { decided } = slot;
  if (decided.state === "refused") return {};
  const { key, wrapped } = newPayloadKey(context.vault, slot.id);
  const content = contentOf(slot);
  try {
    if (decided.state === "held") {
      const submission = key.sealBytes(Submission.encode(describe(slot)).finish());
      const kept = await keepContent(spool, key, slot.id, content);
      return { wrappedKey: wrapped, submission, ...kept };
    }
    const { material, headerBytes, batch } = decided;
    const small = content.length <= INLINE_CONTENT_MAX;
    const kept = small ? {} : await keepContent(spool, key, slot.id, content);
    const whole = SealMaterial.encode(small ? { ...material, content } : material).finish();
    return { wrappedKey: wrapped, material: key.sealBytes(whole), headerBytes, batch, ...kept };
  } finally {
    key.destroy();
  }
}

function receiptOf(slot: DecidedSlot): Receipt {
  const { decided } = slot;
  return {
    exchangeId: slot.id,
    state: decided.state,
    repeated: false,
    ...(decided.state === "refused" ? { refusal: decided.refusal } : {}),
  };
}

// The log already says "received, permitted": say also that nothing came of it. Spool files are
// left to the orphan sweep, since a commit whose answer was lost may still have happened.
async function reportLost(
  context: FrontProxyContext,
  slots: readonly DecidedSlot[],
  fault: GatewayError,
): Promise<void> {
  const refusal = { code: fault.code, rule: "", reason: "" };
  const events = slots.map((slot) =>
    stoppedEvent(
      { ...slot.submission, exchangeId: slot.id, size: slot.submission.content.length },
      "exchange.failed",
      refusal,
    ),
  );
  try {
    await context.shell.journal.record(events);
  } catch (error) {
    context.shell.log.error({ code: asGatewayError(error).code }, "could not journal a lost batch");
  }
}
