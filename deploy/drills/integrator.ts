/**
 * Guarantee: hands exchanges over as a careful integrator does: the same
 * idempotency key until there is an answer that is not a passing fault.
 */
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiAnswer, ApiClient } from "../src/demo/api-client.ts";

const RETRY_MS = 100;

export function isPassing({ status }: ApiAnswer): boolean {
  return status === 429 || status >= 500;
}

async function attempt(send: () => Promise<ApiAnswer>): Promise<ApiAnswer | undefined> {
  try {
    const answer = await send();
    return isPassing(answer) ? undefined : answer;
  } catch {
    return undefined;
  }
}

/** Repeats until the answer is final or the deadline has passed. */
export async function untilAnswered(
  send: () => Promise<ApiAnswer>,
  deadlineMs: number,
): Promise<ApiAnswer> {
  while (Date.now() < deadlineMs) {
    const answer = await attempt(send);
    if (answer !== undefined) return answer;
    await delay(RETRY_MS);
  }
  throw new RangeError("no answer before the deadline");
}

export function submitRequest(
  api: ApiClient,
  service: string,
  path: string,
  key: string,
  body: unknown,
  deadlineMs: number,
): Promise<ApiAnswer> {
  const submission = { lane: "inbound", service, grade: "G1", method: "POST", path, body };
  return untilAnswered(
    () => api.postJson("/v1/requests", submission, { "idempotency-key": key }),
    deadlineMs,
  );
}

export interface Upload {
  readonly service: string;
  readonly name: string;
  readonly size: number;
  readonly key: string;
  /** The content from an offset on. */
  from(offset: number): Readable;
}

/** Creates the upload and sends on from the durable offset after every break. */
export async function uploadResumable(
  api: ApiClient,
  upload: Upload,
  deadlineMs: number,
): Promise<ApiAnswer> {
  const query = new URLSearchParams({
    lane: "inbound",
    service: upload.service,
    grade: "G1",
    filename: upload.name,
  });
  const created = await untilAnswered(
    () =>
      api.send("POST", `/v1/files?${query}`, {
        "upload-length": String(upload.size),
        "content-type": "application/octet-stream",
        "idempotency-key": upload.key,
      }),
    deadlineMs,
  );
  const path = `/v1/files/${String(created.body.exchangeId ?? created.body.uploadId)}`;
  while (Date.now() < deadlineMs) {
    const status = await untilAnswered(() => api.send("HEAD", path), deadlineMs);
    // Complete is complete, also when the answer that said so was lost.
    if (status.status !== 200) return created;
    const offset = Number(status.headers["upload-offset"]);
    const answer = await attempt(() =>
      api.send(
        "PATCH",
        path,
        { "upload-offset": String(offset), "content-type": "application/offset+octet-stream" },
        upload.from(offset),
      ),
    );
    if (answer?.status === 202) return answer;
    await delay(RETRY_MS);
  }
  throw new RangeError("the upload did not end before the deadline");
}
