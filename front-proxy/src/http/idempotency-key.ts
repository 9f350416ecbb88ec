/** Guarantee: two submissions count as the same only when every part that is carried is the same. */
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { SmProvider } from "@lightferry/proto/sm";
import type { IdempotencyClaim, SubmissionHead } from "../egress/submission.ts";

/** Visible ASCII; long enough for any UUID or business number with a prefix. */
const KEY_FORM = /^[\x21-\x7e]{1,200}$/;

/** @throws GatewayError `idempotency.key-invalid`. */
export function readKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== "string" || !KEY_FORM.test(header)) {
    throw new GatewayError("idempotency.key-invalid");
  }
  return header;
}

/** The claim of one key on one submission. `parts` tell apart what the head does not. */
export function claimFor(
  provider: SmProvider,
  key: string,
  head: SubmissionHead,
  parts: {
    readonly http?: lightferry.bundle.v1.HttpRequest.$Properties;
    readonly file?: lightferry.bundle.v1.FileInfo.$Properties;
    readonly length?: number;
    readonly content?: Uint8Array;
  },
): IdempotencyClaim {
  const { lane, service, grade, purpose, orderingKey } = head;
  const { http = null, file = null, length = null } = parts;
  const text = JSON.stringify([lane, service, grade, purpose, orderingKey, http, file, length]);
  return {
    keyDigest: provider.sm3(Buffer.from(key)),
    contentDigest: provider.sm3(provider.sm3(Buffer.from(text)), parts.content ?? new Uint8Array()),
  };
}
