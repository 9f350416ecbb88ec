/** Guarantee: each decision leaves one event with rules, digest and size; names made up by a caller are cut, content never enters. */
import type { EventInput } from "@lightferry/proto/event";
import type { ContentReport } from "../content/inspection.ts";
import type { Decided } from "../decide/decide.ts";
import type { SealedAway } from "../sealed-away/store.ts";
import type { Item } from "./intake.ts";

/** Longer than any registered name; what is cut was never registered. */
const NAME_MAX = 64;
const OUTCOMES = { permit: "ok", hold: "held", deny: "refused" } as const;

function name(text: string): string | undefined {
  return text === "" ? undefined : text.slice(0, NAME_MAX);
}

export function decidedEvent(
  item: Item,
  decided: Decided,
  report: ContentReport | undefined,
  policyVersion: string,
): EventInput {
  const { request } = item;
  const attributes: Record<string, string> = { direction: request.direction, rule: decided.ruleId };
  if (decided.obligations.length > 0) attributes.obligations = decided.obligations.join(" ");
  return {
    type: "policy.decided",
    outcome: OUTCOMES[decided.decision],
    ...(decided.code === "" ? {} : { code: decided.code }),
    ...whose(item),
    grade: decided.admission?.grade,
    digest: report?.digest,
    size: report?.size ?? request.size,
    ruleIds: decided.ruleIds,
    policyVersion,
    attributes,
  };
}

/** Digest, source and rule of what was sealed away: nothing else may be written about it. */
export function sealedAwayEvent(
  item: Item,
  decided: Decided,
  sealed: SealedAway,
  policyVersion: string,
): EventInput {
  return {
    type: "policy.sealed-away",
    outcome: "refused",
    code: decided.code,
    ...whose(item),
    digest: sealed.digest,
    size: sealed.size,
    ruleIds: [decided.ruleId],
    policyVersion,
    attributes: {
      direction: item.request.direction,
      ...(sealed.name === undefined ? { kept: "no" } : {}),
    },
  };
}

function whose({ request, clientAddress }: Item): Partial<EventInput> {
  return {
    exchangeId: request.exchangeId.length === 0 ? undefined : request.exchangeId,
    lane: name(request.lane),
    actor: name(request.caller),
    clientAddress: name(clientAddress),
    service: name(request.service),
  };
}
