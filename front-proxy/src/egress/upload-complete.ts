/**
 * Guarantee: a complete upload becomes an exchange in one transaction, journalled
 * first; a file that the registry rules out becomes a refused one, unread.
 */
import { asGatewayError, type GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { newId, parseId } from "@lightferry/proto/ids";
import { priorityOf } from "@lightferry/proto/registry";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { packTrail, receivedEvent, stoppedEvent } from "./events.ts";
import { insertExchanges } from "./exchange-rows.ts";
import { REGISTRY_RULE, type Receipt, type SubmissionHead } from "./submission.ts";
import { deleteUpload, type UploadRow } from "./upload-rows.ts";

const { Submission } = lightferry.policy.v1;

/**
 * @param digest SM3 of the content, when anybody asked for it.
 * @throws GatewayError `journal.full`, `database.unavailable`: the upload stays as it is.
 */
export async function completeUpload(
  context: FrontProxyContext,
  row: UploadRow,
  size: number,
  digest: Uint8Array | undefined,
): Promise<Receipt> {
  const id = parseId(row.id);
  const key = context.vault.unwrap(row.wrapped_key, id);
  const described = Submission.decode(key.openBytes(row.submission));
  const submission = key.sealBytes(Submission.encode({ ...described, size }).finish());
  key.destroy();
  const lane = context.registry().lane(row.lane);
  const subject = {
    exchangeId: id,
    lane: row.lane,
    service: row.service,
    caller: row.caller,
    clientAddress: row.client_address,
    grade: described.declaredGrade,
    size,
  };
  const events = await context.shell.journal.record([receivedEvent(subject)]);
  const nowMs = Date.now();
  try {
    await inTransaction(context.pool, async (client) => {
      await insertExchanges(client, [
        {
          ...subject,
          id,
          kind: "file",
          priority: priorityOf(context.registry(), "file", row.service),
          submittedMs: row.created_ms,
          nowMs,
          expiresMs: nowMs + (lane?.expirySeconds ?? 0) * 1_000,
          decided: 0,
          policyVersion: "",
          steps: ["received"],
          ...(digest === undefined ? {} : { digest }),
          stored: { wrappedKey: row.wrapped_key, submission, trail: packTrail(events) },
        },
      ]);
      await deleteUpload(client, row.id);
    });
  } catch (error) {
    const { code } = asGatewayError(error);
    // With the connection lost it may have been committed: then the exchange tells its own outcome,
    // and if not, the upload does, by being completed or given up.
    if (code !== "database.unavailable") {
      const refusal = { code, rule: "", reason: "" };
      await context.shell.journal
        .record([stoppedEvent(subject, "exchange.failed", refusal)])
        .catch(() => undefined);
    }
    throw error;
  }
  return { exchangeId: id, state: "received", repeated: false };
}

/** Records what the registry rules out before its content is read. */
export async function refuseFile(
  context: FrontProxyContext,
  file: SubmissionHead & { readonly length: number | undefined },
  barred: GatewayError,
): Promise<Receipt> {
  const id = newId();
  const nowMs = Date.now();
  const refusal = { code: barred.code, rule: REGISTRY_RULE, reason: barred.detail };
  const subject = { ...file, exchangeId: id, size: file.length ?? 0 };
  await context.shell.journal.record([
    receivedEvent(subject),
    stoppedEvent(subject, "exchange.refused", refusal),
  ]);
  await insertExchanges(context.pool, [
    {
      id,
      kind: "file",
      caller: file.caller,
      lane: file.lane,
      service: file.service,
      grade: file.grade,
      priority: priorityOf(context.registry(), "file", file.service),
      clientAddress: file.clientAddress,
      size: file.length ?? 0,
      submittedMs: nowMs,
      nowMs,
      expiresMs: nowMs,
      decided: 0,
      policyVersion: "",
      steps: ["received", "refused"],
      refusal,
      stored: {},
    },
  ]);
  return { exchangeId: id, state: "refused", refusal, repeated: false };
}
