/**
 * Guarantee: a batch of requests goes this way and no other; a slot is answered
 * with a receipt only after the commit.
 *
 *   known key? ─▶ registry ─▶ Decide ─▶ journal ─▶ encrypt ─▶ commit ─▶ answer
 *             └─▶ named in flight ─────┘        (a crash in between: settle.ts)
 */
import { asGatewayError, type GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { priorityOf } from "@lightferry/proto/registry";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { INLINE_CONTENT_MAX, keepContent, newPayloadKey } from "../payload/keep.ts";
import type { Spool } from "../payload/spool.ts";
import { packTrail, permittedEvent, receivedEvent, stoppedEvent } from "./events.ts";
import { insertExchanges, type NewExchange } from "./exchange-rows.ts";
import { type Claim, findClaims, writeClaims } from "./idempotency.ts";
import type { InFlight, InFlightFile } from "./in-flight.ts";
import { batchBytes, type Decided, readOutcome } from "./outcome.ts";
import { settleInFlight } from "./settle.ts";
import {
  kindOf,
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
  inFlight: InFlightFile,
  slots: readonly Slot[],
): Promise<void> {
  // What the batch before left open, its commit having met a fault, is closed first.
  await settleInFlight(context, inFlight);
  await answerRepetitions(context, slots);
  const open = slots.filter((slot) => slot.answer === undefined);
  if (open.length === 0) return;
  const decided = await decideAndJournal(context, inFlight, open);
  try {
    await keep(context, spool, decided);
    inFlight.settled();
  } catch (error) {
    // The log already says "received, permitted": let it say too that nothing came of it. When
    // that cannot be found out now, the next batch, the sweep or the next start does.
    await settleInFlight(context, inFlight).catch(() => undefined);
    throw error;
  }
}

interface Journalled {
  readonly slots: readonly DecidedSlot[];
  /** Two of each slot. */
  readonly events: readonly Uint8Array[];
}

async function decideAndJournal(
  context: FrontProxyContext,
  inFlight: InFlightFile,
  open: readonly Slot[],
): Promise<Journalled> {
  try {
    // Both must have ended before anything is journalled; neither waits for the other.
    const ended = await Promise.allSettled([
      inFlight.name(open.map(inFlightOf)),
      decide(context, open),
    ]);
    for (const one of ended) if (one.status === "rejected") throw one.reason;
    const slots = open.filter((slot): slot is DecidedSlot => slot.decided !== undefined);
    return { slots, events: await context.shell.journal.record(slots.flatMap(eventsOf)) };
  } catch (error) {
    // Nothing of it stands in the log.
    await inFlight.forget();
    throw error;
  }
}

function inFlightOf({ id, submission, submittedMs }: Slot): InFlight {
  const { caller, lane, service, grade, clientAddress, content } = submission;
  return {
    exchangeId: id,
    caller,
    lane,
    service,
    grade,
    clientAddress,
    size: content.length,
    submittedMs,
  };
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
    const barred = registryRefusal(registry, zone, kindOf(submission), submission, size);
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
  const { http } = slot.submission;
  return policySubmission(slot.id, kindOf(slot.submission), slot.submission, {
    ...(http === undefined ? {} : { http }),
    submittedMs: slot.submittedMs,
    size: slot.submission.content.length,
  });
}

async function keep(
  context: FrontProxyContext,
  spool: Spool,
  { slots, events }: Journalled,
): Promise<void> {
  if (slots.length === 0) return;
  const rows = await Promise.all(
    slots.map((slot, index) => rowOf(context, spool, slot, events.slice(2 * index, 2 * index + 2))),
  );
  const claiming = slots.filter((slot) => slot.submission.idempotency !== undefined);
  let overtaken: readonly Slot[] = [];
  if (claiming.length === 0) await insertExchanges(context.pool, rows);
  else overtaken = await insertClaimed(context, slots, rows, claiming);
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
    kind: kindOf(submission),
    caller: submission.caller,
    lane: submission.lane,
    service: submission.service,
    grade: submission.grade,
    priority: priorityOf(context.registry(), kindOf(submission), submission.service),
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
