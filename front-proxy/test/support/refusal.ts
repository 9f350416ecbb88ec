/** Guarantee: one refusal looked at whole: code, status, problem+json, who must act, when to try again, and its audit event. */
import { type ErrorCode, errorRow } from "@lightferry/proto/errors";
import { expect } from "vitest";
import type { ApiAnswer } from "./api-client.ts";

const PASSING = [429, 503, 507];

/** What a caller gets is what the error table says of the code. */
export function expectProblem(answer: ApiAnswer, code: ErrorCode): void {
  const row = errorRow(code);
  expect([answer.status, answer.json?.code]).toEqual([row.http, code]);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  expect(answer.json).toMatchObject({
    type: `urn:lightferry:error:${code}`,
    status: row.http,
    title: row.en,
    titleZh: row.zh,
    actor: row.actor,
    do: { zh: row.doZh, en: row.doEn },
  });
  expect(answer.json.reason.zh).not.toBe("");
  expect(answer.headers["retry-after"] !== undefined).toBe(PASSING.includes(row.http));
  expect(answer.headers["www-authenticate"] !== undefined).toBe(row.http === 401);
}

interface Logged {
  readonly type: string;
  readonly code: string;
}

/** … and the log has it. */
export async function expectEvent(
  events: readonly Logged[],
  type: string,
  code: ErrorCode,
): Promise<void> {
  await expect
    .poll(() => events.some((event) => event.type === type && event.code === code), {
      message: `${type} ${code}`,
    })
    .toBe(true);
}
