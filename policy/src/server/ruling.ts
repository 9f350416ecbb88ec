/**
 * Guarantee: a decided item becomes the canonical entry, the commitment and the
 * verdict that binds both to lane, sender, recipients, direction and expiry.
 * Refused and held items get a verdict too; theirs never permits.
 */
import { randomFillSync } from "node:crypto";
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { type Grade, recipientsOf } from "@lightferry/proto/registry";
import type { SmProvider } from "@lightferry/proto/sm";
import { itemCommitment } from "@lightferry/proto/verdict";
import type { ContentReport } from "../content/inspection.ts";
import type { Decided } from "../decide/decide.ts";
import type { PolicyDocument } from "../decide/policy-document.ts";
import type { DecisionRequest } from "../decide/request.ts";
import type { Item } from "./intake.ts";

const { Decision, Direction } = lightferry.policy.v1;
const { ManifestEntry } = lightferry.bundle.v1;

const SALT_BYTES = 32;
/** Salts drawn at once: one system call for a whole batch. */
const SALT_POOL = 1024;
/** A refusal is evidence, not a permission: its term only has to be well formed. */
const REFUSAL_TERM_MS = 24 * 60 * 60 * 1000;
/** Of what was refused without an accepted grade: the highest, so that no refusal reads as harmless. */
const UNGRADED: Grade = "CORE";
const NO_DIGEST = new Uint8Array();

const pool = Buffer.alloc(SALT_POOL * SALT_BYTES);
let poolAt = pool.length;

function newSalt(): Uint8Array {
  if (poolAt >= pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const salt = new Uint8Array(pool.subarray(poolAt, poolAt + SALT_BYTES));
  poolAt += SALT_BYTES;
  return salt;
}

export interface Ruling {
  readonly salt: Uint8Array;
  readonly entry: Uint8Array;
  readonly verdict: lightferry.policy.v1.Verdict.$Properties;
}

const DECISIONS = {
  permit: Decision.DECISION_PERMIT,
  hold: Decision.DECISION_HOLD,
  deny: Decision.DECISION_DENY,
} as const;

export function rule(
  policy: PolicyDocument,
  provider: SmProvider,
  item: Item,
  decided: Decided,
  report: ContentReport | undefined,
  nowMs: number,
): Ruling {
  const { request, arrived } = item;
  const { admission } = decided;
  const salt = arrived?.salt ?? newSalt();
  const entry = arrived?.entryBytes ?? entryBytes(request, decided, report);
  const lane = admission?.lane;
  const term = lane === undefined ? REFUSAL_TERM_MS : lane.expirySeconds * 1000;
  return {
    salt,
    entry,
    verdict: {
      verdictId: newId(),
      direction: arrived === undefined ? Direction.DIRECTION_EXPORT : Direction.DIRECTION_IMPORT,
      decision: DECISIONS[decided.decision],
      commitment: arrived?.commitment ?? itemCommitment(provider, salt, entry),
      lane: lane?.id ?? "",
      sender: request.sender,
      recipients: recipientsFor(policy, arrived === undefined, admission),
      grade: admission?.grade ?? UNGRADED,
      decidedMs: nowMs,
      expiresMs: nowMs + term,
      policyVersion: policy.pack.version,
      ruleIds: [...decided.ruleIds],
      obligations: [...decided.obligations],
    },
  };
}

/** An export is for whoever its bundle may be sealed for; an import, and a refusal without a lane, for nobody else. */
function recipientsFor(
  policy: PolicyDocument,
  exporting: boolean,
  admission: Decided["admission"],
): string[] {
  if (admission === undefined) return [policy.node];
  return exporting ? [...recipientsOf(policy.registry, admission.lane)] : [admission.receiver.id];
}

/**
 * Of a refused item only what the registry knows is written: names made up by a
 * caller, and texts that may be the very thing refused, stay out of the record.
 */
function entryBytes(
  request: DecisionRequest,
  decided: Decided,
  report: ContentReport | undefined,
): Uint8Array {
  const { admission } = decided;
  const fixed = {
    exchangeId: request.exchangeId,
    size: report?.size ?? request.size,
    digest: report?.digest ?? NO_DIGEST,
    submittedMs: request.submittedMs,
  };
  if (admission === undefined || decided.decision === "deny") {
    return encodeCanonical(ManifestEntry, fixed);
  }
  return encodeCanonical(ManifestEntry, {
    ...fixed,
    kind: request.kind,
    service: admission.service.id,
    caller: admission.caller.id,
    grant: admission.grant.id,
    grade: admission.grade,
    purpose: admission.grant.purpose,
    ...(request.http === undefined ? {} : { http: sortedHeaders(request.http) }),
    ...(request.file === undefined ? {} : { file: request.file }),
    orderingKey: request.orderingKey,
  });
}

/** Ascending by name, then value: the canonical order of a manifest entry. */
function sortedHeaders(
  http: lightferry.bundle.v1.HttpRequest.$Properties,
): lightferry.bundle.v1.HttpRequest.$Properties {
  const place = (header: lightferry.bundle.v1.HttpHeader.$Properties): string =>
    `${header.name ?? ""}\0${header.value ?? ""}`;
  const headers = [...(http.headers ?? [])].sort((a, b) => {
    const left = place(a);
    const right = place(b);
    return left < right ? -1 : left > right ? 1 : 0;
  });
  return { method: http.method ?? "", path: http.path ?? "", headers };
}
