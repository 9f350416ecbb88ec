/**
 * Guarantee: what is decided is charged, sealed away, signed and journalled
 * before it is answered, in this order, whether it came inline or as a stream;
 * one database statement, one signature and one journal write for a whole batch.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import type { lightferry } from "@lightferry/proto/gen";
import type { ActiveKey } from "@lightferry/proto/service";
import type { SmProvider } from "@lightferry/proto/sm";
import { signVerdictBatch } from "@lightferry/proto/verdict";
import type { ContentReport } from "../content/inspection.ts";
import type { ReceiptJudge } from "../content/receipt-content.ts";
import { type Admission, isObjection } from "../decide/admit.ts";
import { type Decided, decideAdmitted, refuse } from "../decide/decide.ts";
import type { PolicyDocument } from "../decide/policy-document.ts";
import type { Objection } from "../decide/request.ts";
import type { Charge, QuotaAnswer } from "../quota/quota-book.ts";
import type { SealedAway, SealedAwayStore } from "../sealed-away/store.ts";
import { decidedEvent, sealedAwayEvent } from "./events.ts";
import { arrivalFault, type Item } from "./intake.ts";
import { type Ruling, rule } from "./ruling.ts";

export interface Desk {
  readonly policy: PolicyDocument;
  readonly provider: SmProvider;
  /**
   * The policy key to sign with at a time.
   * @throws GatewayError `certificate.unknown` when no key has a certificate in force
   */
  readonly signer: (atMs: number) => ActiveKey;
  /** Looks at each list of receipts that is to leave. @throws GatewayError when it may not */
  readonly ownReceipts: ReceiptJudge;
  readonly quota: { charge(charges: readonly Charge[], nowMs: number): Promise<QuotaAnswer[]> };
  readonly sealedAway: SealedAwayStore;
  readonly journal: { record(events: EventInput[]): Promise<unknown> };
  /** Unix milliseconds. */
  now(): number;
}

/** One item on its way through the desk. */
export interface Case {
  readonly item: Item;
  readonly admission: Admission | Objection;
  /** Absent when the content was not looked at. */
  readonly report: ContentReport | undefined;
  /** Content as it may leave; only when it was changed and came inline. */
  readonly changed: Uint8Array | undefined;
  /** A stream that had to be sealed away already is. */
  readonly sealed?: SealedAway | undefined;
  /** Content as submitted, of an inline item. */
  readonly content?: Uint8Array;
}

type Outcome = lightferry.policy.v1.Outcome.$Properties;

/**
 * @throws GatewayError `certificate.unknown`, `policy.database-unavailable`,
 *   `policy.sealed-away-failed`, `journal.full`: nothing was decided.
 */
export async function settle(
  desk: Desk,
  cases: readonly Case[],
): Promise<lightferry.policy.v1.DecideResponse.$Properties> {
  const nowMs = desk.now();
  // First of all: what cannot be signed is not charged either.
  const signer = desk.signer(nowMs);
  const decided = await charged(
    desk,
    cases,
    cases.map((one) => judge(desk, one, nowMs, "within")),
    nowMs,
  );
  const events: EventInput[] = [];
  const { version } = desk.policy.pack;
  for (const [i, one] of cases.entries()) {
    const ruling = at(decided, i);
    if (ruling.sealAway) {
      events.push(sealedAwayEvent(one.item, ruling, await sealAway(desk, one), version));
    }
    events.push(decidedEvent(one.item, ruling, one.report, version));
  }
  const { policy, provider } = desk;
  const rulings = cases.map((one, i) =>
    rule(policy, provider, one.item, at(decided, i), one.report, nowMs),
  );
  const { batch, items } = signVerdictBatch(
    provider,
    signer.key,
    { policyNode: policy.node, keyId: signer.keyId },
    rulings.map((ruling) => ruling.verdict),
  );
  await desk.journal.record(events);
  const outcomes = cases.map((one, i): Outcome => {
    const { verdict, leaf, path } = at(items, i);
    return { ...answer(one, at(decided, i), at(rulings, i)), verdict, leaf, path };
  });
  return { outcomes, batch, policyVersion: version };
}

async function sealAway(desk: Desk, one: Case): Promise<SealedAway> {
  if (one.sealed !== undefined) return one.sealed;
  const { exchangeId } = one.item.request;
  return desk.sealedAway.sealWhole(exchangeId, one.content === undefined ? [] : [one.content]);
}

function judge(desk: Desk, one: Case, nowMs: number, quota: QuotaAnswer): Decided {
  const { item, admission, report } = one;
  if (item.arrived !== undefined && item.arrived.entry === undefined) {
    return refuse({ code: "policy.import-entry", ruleId: "arrival.entry" });
  }
  if (isObjection(admission)) return refuse(admission);
  const arrival = report === undefined ? undefined : arrivalFault(desk.policy, item, report, nowMs);
  return decideAdmitted(item.request, admission, { nowMs, report, arrival, quota });
}

/** Counts what would be permitted on export; what is over its quota is decided again with that fact. */
async function charged(
  desk: Desk,
  cases: readonly Case[],
  decided: readonly Decided[],
  nowMs: number,
): Promise<readonly Decided[]> {
  const counted: number[] = [];
  const charges: Charge[] = [];
  for (const [i, { decision, admission }] of decided.entries()) {
    const one = at(cases, i);
    if (decision !== "permit" || admission === undefined || one.item.arrived !== undefined)
      continue;
    counted.push(i);
    charges.push({ grant: admission.grant, bytes: one.report?.size ?? 0 });
  }
  const answers = await desk.quota.charge(charges, nowMs);
  const result = [...decided];
  for (const [k, i] of counted.entries()) {
    const quota = answers[k] ?? "exchanges";
    if (quota !== "within") result[i] = judge(desk, at(cases, i), nowMs, quota);
  }
  return result;
}

function answer(one: Case, decided: Decided, ruling: Ruling): Outcome {
  const changed = decided.decision === "permit" && one.report?.changed === true;
  return {
    decision: ruling.verdict.decision ?? null,
    code: decided.code,
    ruleId: decided.ruleId,
    reason: decided.reason,
    salt: ruling.salt,
    entry: ruling.entry,
    contentChanged: changed,
    ...(changed && one.changed !== undefined ? { content: one.changed } : {}),
    findings: decided.findings.map(({ detector, ruleId, count, action, where }) => ({
      inspector: detector,
      ruleId,
      count,
      action,
      where,
    })),
    sealedAway: decided.sealAway,
  };
}

function at<T>(list: readonly T[], index: number): T {
  const element = list[index];
  if (element === undefined)
    throw new GatewayError("internal.fault", { detail: `no case ${index}` });
  return element;
}
