/**
 * Guarantee: for a batch of items of one bundle every step is journalled before
 * its row is stored, and the row holds the content only encrypted.
 *
 *   arrived, verified ─▶ Decide (import) ─▶ permitted | refused ─▶ one INSERT
 */
import type { FrontProxyContext } from "../../context.ts";
import type { TimelineStep } from "../../document.ts";
import { openContent } from "../../payload/keep.ts";
import type { Spool } from "../../payload/spool.ts";
import type { ReadyContents } from "../handoff.ts";
import type {
  Candidate,
  FaultyCandidate,
  InlineCandidate,
  Kept,
  Origin,
  Ruling,
  StagedCandidate,
} from "./candidate.ts";
import { findArrived, type NewDelivery, storeDeliveries } from "./delivery-rows.ts";
import { arrivalEvents, hasTarget, rulingEvents, stoppedEvent } from "./events.ts";
import { decideInline, decideStaged } from "./import-decision.ts";
import { keepInline } from "./keep.ts";

export interface Batch {
  readonly inline: readonly InlineCandidate[];
  readonly staged: readonly StagedCandidate[];
  readonly faulty: readonly FaultyCandidate[];
  /** Last batch of its bundle. */
  readonly last: boolean;
}

export interface TakeInDesk {
  readonly context: FrontProxyContext;
  readonly staging: Spool;
  readonly ready: ReadyContents;
}

export interface TakenIn {
  /** A suspected secret was among them: the bundle file must go, too. */
  readonly sealedAway: boolean;
}

/** @throws GatewayError when policy, journal or database cannot take it now; nothing is stored then. */
export async function takeIn(
  { context, staging, ready }: TakeInDesk,
  origin: Origin,
  batch: Batch,
): Promise<TakenIn> {
  const all = [...batch.inline, ...batch.staged, ...batch.faulty];
  const arrived = await findArrived(
    context.pool,
    all.map(({ entry }) => entry.exchangeId),
  );
  const isNew = ({ entry }: Candidate) => !arrived.has(hex(entry.exchangeId));
  // Stored by an earlier run over this bundle: done. From another bundle: a replay.
  const replayed = all.filter(({ entry }) => {
    const before = arrived.get(hex(entry.exchangeId));
    return before !== undefined && Buffer.compare(before, origin.bundleId) !== 0;
  });
  const inline = batch.inline.filter(isNew);
  const staged = batch.staged.filter(isNew);
  const faulty = batch.faulty.filter(isNew);
  const [inlineRulings, stagedRulings] = await Promise.all([
    inline.length === 0 ? [] : decideInline(context, origin, inline),
    decideEach(context, staging, origin, staged),
    context.shell.journal.record(
      arrivalEvents(origin, { good: [...inline, ...staged], faulty, replayed }),
    ),
    carryTrails(context, origin, [...inline, ...staged, ...faulty]),
  ]);
  const ruled = [
    ...inline.map((candidate, index) => ({ candidate, ruling: inlineRulings[index] })),
    ...staged.map((candidate, index) => ({ candidate, ruling: stagedRulings[index] })),
  ];
  await context.shell.journal.record(
    ruled.flatMap(({ candidate, ruling }) =>
      ruling === undefined ? [] : rulingEvents(context, origin, candidate, ruling),
    ),
  );
  const nowMs = Date.now();
  const deliveries: NewDelivery[] = faulty.map((candidate) => quarantined(candidate, nowMs));
  let sealedAway = false;
  for (const { candidate, ruling } of ruled) {
    if (ruling === undefined) continue;
    const destroyed = !ruling.permit && ruling.sealedAway;
    sealedAway ||= destroyed;
    const kept = destroyed ? undefined : await keptOf(context, staging, origin, candidate);
    if (destroyed && "kept" in candidate && candidate.kept.file !== undefined) {
      await staging.remove(candidate.kept.file);
    }
    deliveries.push(newDelivery(context, candidate, ruling, kept, nowMs));
  }
  const stored = await storeDeliveries(context.pool, origin, deliveries, {
    opened: batch.last,
    nowMs,
  });
  for (const { candidate, state } of deliveries) {
    // Offered before dispatch is told of it; what was stored before is dispatched from its row.
    const { entry } = candidate;
    if (state !== "permitted" || !stored.has(hex(entry.exchangeId))) continue;
    if ("bytes" in candidate) ready.put({ entry, bytes: (candidate as InlineCandidate).bytes });
  }
  const lost = deliveries.filter(({ candidate }) => !stored.has(hex(candidate.entry.exchangeId)));
  // Two bundles with one exchange were opened at the same time: the other was first.
  await context.shell.journal.record(
    lost.map(({ candidate }) => stoppedEvent(origin, candidate, "exchange.replayed")),
  );
  return { sealedAway };
}

async function decideEach(
  context: FrontProxyContext,
  staging: Spool,
  origin: Origin,
  staged: readonly StagedCandidate[],
): Promise<Ruling[]> {
  const rulings: Ruling[] = [];
  for (const candidate of staged) {
    const key = context.vault.unwrap(candidate.kept.wrapped, candidate.entry.exchangeId);
    const content = openContent(staging, key, candidate.kept, { reuse: true });
    rulings.push(await decideStaged(context, origin, candidate, content));
  }
  return rulings;
}

async function keptOf(
  context: FrontProxyContext,
  staging: Spool,
  origin: Origin,
  candidate: InlineCandidate | StagedCandidate,
): Promise<Kept> {
  return "kept" in candidate ? candidate.kept : keepInline(context, staging, origin, candidate);
}

/** The sender's half of each trail; one fsync carries them all, as they are recorded together. */
async function carryTrails(
  context: FrontProxyContext,
  origin: Origin,
  candidates: readonly Candidate[],
): Promise<void> {
  await Promise.all(
    candidates
      .filter(({ trail }) => trail.length > 0)
      .map(({ entry, trail }) =>
        context.shell.journal.recordPeerTrail({
          zone: origin.senderZone,
          exchangeId: entry.exchangeId,
          bundleId: origin.bundleId,
          events: [...trail],
        }),
      ),
  );
}

function newDelivery(
  context: FrontProxyContext,
  candidate: Candidate,
  ruling: Ruling,
  kept: Kept | undefined,
  nowMs: number,
): NewDelivery {
  const before: TimelineStep[] = [
    { atMs: nowMs, state: "arrived" },
    { atMs: nowMs, state: "verified" },
  ];
  if (!ruling.permit) {
    const { code, rule, reason } = ruling;
    const timeline = [...before, { atMs: nowMs, state: "quarantined", code }];
    return { candidate, state: "quarantined", code, rule, reason, kept, timeline };
  }
  const permitted = [...before, { atMs: nowMs, state: "permitted" }];
  const rule = ruling.ruleIds[0] ?? "";
  if (!hasTarget(context, candidate)) {
    const code = "target.unknown";
    const timeline = [...permitted, { atMs: nowMs, state: "failed", code }];
    return { candidate, state: "failed", code, rule, reason: "", kept, timeline };
  }
  return {
    candidate,
    state: "permitted",
    code: undefined,
    rule,
    reason: "",
    kept,
    timeline: permitted,
  };
}

function quarantined(candidate: FaultyCandidate, nowMs: number): NewDelivery {
  return {
    candidate,
    state: "quarantined",
    code: candidate.fault,
    rule: "",
    reason: "",
    kept: undefined,
    timeline: [
      { atMs: nowMs, state: "arrived" },
      { atMs: nowMs, state: "quarantined", code: candidate.fault },
    ],
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
