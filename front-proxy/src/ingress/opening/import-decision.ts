/**
 * Guarantee: an exchange is permitted only by a verdict of our own policy
 * service, for import, over this very item, and with unchanged content; any
 * answer that is missing, unknown or contradictory is a refusal.
 */
import {
  asGatewayError,
  type ErrorCode,
  GatewayError,
  isErrorCode,
} from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { Sm2PublicKey } from "@lightferry/proto/sm";
import { assertVerdictCovers, BatchVerifier } from "@lightferry/proto/verdict";
import type { FrontProxyContext } from "../../context.ts";
import { keysOf } from "../../trust/directory.ts";
import { DECIDE_DEADLINE_MS, STREAM_CHUNK_BYTES } from "../tuning.ts";
import type { Candidate, InlineCandidate, Origin, Ruling, StagedCandidate } from "./candidate.ts";

const { Decision, Direction } = lightferry.policy.v1;
const FIRST_SERVER_FAULT = 500;

/**
 * One call for a batch within the limits of policy.proto.
 * @returns one ruling per candidate, in order.
 * @throws GatewayError when policy cannot answer now (status 5xx): the work waits.
 */
export async function decideInline(
  context: FrontProxyContext,
  origin: Origin,
  candidates: readonly InlineCandidate[],
): Promise<Ruling[]> {
  const items = candidates.map((candidate) => ({
    ...decideItem(origin, candidate),
    content: candidate.bytes,
  }));
  let response: lightferry.policy.v1.DecideResponse.$Properties;
  try {
    response = await context.policy.decide({ items }, { deadlineMs: DECIDE_DEADLINE_MS });
  } catch (error) {
    const refusal = denial(error);
    return candidates.map(() => refusal);
  }
  const verifier = verifierOf(context, response);
  return candidates.map((candidate, index) =>
    rule(context, origin, candidate, response.outcomes?.[index], response, verifier),
  );
}

/** One call for one staged item; its content is read from encrypted staging. Throws as {@link decideInline}. */
export async function decideStaged(
  context: FrontProxyContext,
  origin: Origin,
  candidate: StagedCandidate,
  content: AsyncIterable<Uint8Array>,
): Promise<Ruling> {
  let result: lightferry.policy.v1.DecideResponse.$Properties | null | undefined;
  try {
    const answers = context.policy.decideStream(requests(origin, candidate, content));
    // What streams back is the content as it may leave; on import it must be what was sent, so
    // only the result at the end is of interest.
    for await (const answer of answers) result = answer.result ?? result;
  } catch (error) {
    return denial(error);
  }
  const response = result ?? {};
  const verifier = verifierOf(context, response);
  return rule(context, origin, candidate, response.outcomes?.[0], response, verifier);
}

async function* requests(
  origin: Origin,
  candidate: StagedCandidate,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<lightferry.policy.v1.DecideStreamRequest.$Properties> {
  yield { item: decideItem(origin, candidate) };
  for await (const piece of content) {
    for (let at = 0; at < piece.length; at += STREAM_CHUNK_BYTES) {
      yield { chunk: piece.subarray(at, at + STREAM_CHUNK_BYTES) };
    }
  }
}

function decideItem(
  origin: Origin,
  candidate: Candidate,
): lightferry.policy.v1.DecideItem.$Properties {
  return {
    direction: Direction.DIRECTION_IMPORT,
    sender: origin.sender,
    salt: candidate.salt,
    entry: candidate.entryBytes,
    exportVerdict: candidate.exportVerdict,
    lane: origin.lane,
  };
}

function rule(
  context: FrontProxyContext,
  origin: Origin,
  candidate: Candidate,
  outcome: lightferry.policy.v1.Outcome.$Properties | undefined,
  response: lightferry.policy.v1.DecideResponse.$Properties,
  verifier: BatchVerifier | undefined,
): Ruling {
  const policyVersion = response.policyVersion ?? "";
  const refuse = (code: ErrorCode, held: boolean): Ruling => ({
    permit: false,
    code,
    rule: outcome?.ruleId ?? "",
    reason: outcome?.reason ?? "",
    held,
    sealedAway: outcome?.sealedAway === true,
    policyVersion,
  });
  const code = outcome?.code ?? "";
  switch (outcome?.decision) {
    case Decision.DECISION_PERMIT: {
      if (outcome.contentChanged === true) return refuse("import.would-alter", false);
      const ruleIds = coveringRules(context, origin, candidate, outcome, verifier);
      if (ruleIds === undefined) return refuse("import.verdict-invalid", false);
      return { permit: true, ruleIds, policyVersion };
    }
    case Decision.DECISION_HOLD:
      return refuse(isErrorCode(code) ? code : "import.held", true);
    case Decision.DECISION_DENY:
      return refuse(isErrorCode(code) ? code : "import.refused", false);
    default:
      return refuse("policy.answer-invalid", false);
  }
}

/**
 * Checks verdicts of one answer, if it is signed with a key of our own policy service.
 * @throws GatewayError `policy.answer-invalid` when that key is not known yet, or refused: a change of
 * keys under way is no fault of the exchange, which waits.
 */
function verifierOf(
  context: FrontProxyContext,
  response: lightferry.policy.v1.DecideResponse.$Properties,
): BatchVerifier | undefined {
  const { config, shell } = context;
  const batch = new lightferry.bundle.v1.VerdictBatch(response.batch ?? {});
  if (batch.policyNode !== config.node) return undefined;
  let key: Sm2PublicKey | undefined;
  try {
    key = keysOf(context).policyKey(batch.policyNode, batch.keyId);
  } catch (cause) {
    const { code } = asGatewayError(cause);
    throw new GatewayError("policy.answer-invalid", { detail: `${batch.keyId}: ${code}`, cause });
  }
  if (key === undefined) {
    throw new GatewayError("policy.answer-invalid", { detail: `${batch.keyId}: unknown key` });
  }
  return new BatchVerifier(shell.provider, batch, key);
}

/** Rule ids of a verdict that verifies and covers this import, else undefined. */
function coveringRules(
  { config, shell }: FrontProxyContext,
  origin: Origin,
  candidate: Candidate,
  outcome: lightferry.policy.v1.Outcome.$Properties,
  verifier: BatchVerifier | undefined,
): readonly string[] | undefined {
  if (verifier === undefined) return undefined;
  try {
    const verdict = verifier.verify({
      verdictBytes: outcome.verdict ?? new Uint8Array(),
      leaf: outcome.leaf ?? 0,
      path: outcome.path ?? [],
    });
    assertVerdictCovers(verdict, {
      commitment: candidate.commitment,
      lane: origin.lane,
      sender: origin.sender,
      recipients: [config.node],
      direction: Direction.DIRECTION_IMPORT,
      atMs: Date.now(),
    });
    return verdict.ruleIds;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    shell.log.warn({ code: error.code, detail: error.detail }, "import verdict does not verify");
    return undefined;
  }
}

/** A refusal of the call itself speaks about the items; a fault of the service means: later. */
function denial(error: unknown): Ruling {
  const fault = asGatewayError(error);
  if (fault.row.http >= FIRST_SERVER_FAULT) throw fault;
  return {
    permit: false,
    code: fault.code,
    rule: "",
    reason: "",
    held: false,
    sealedAway: false,
    policyVersion: "",
  };
}
