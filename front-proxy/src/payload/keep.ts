/**
 * Guarantee: content rests only SM4-GCM encrypted under the exchange's own key:
 * small content in a column, larger in a spool file that is durable before its row.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { formatId } from "@lightferry/proto/ids";
import type { PayloadKey, PayloadVault, StreamOptions } from "@lightferry/proto/keystore";
import type { Spool } from "./spool.ts";

/**
 * Plaintext up to here rests in the row: one commit makes it durable together with its
 * exchange. Above, a file costs less than moving the bytes through the database's log.
 */
export const INLINE_CONTENT_MAX = 65_536;

export interface KeptContent {
  readonly content?: Uint8Array;
  readonly file?: string;
}

export function payloadFileName(exchangeId: Uint8Array): string {
  return `${formatId(exchangeId)}.payload`;
}

/** Encrypts and keeps content that is in memory. */
export async function keepContent(
  spool: Spool,
  key: PayloadKey,
  exchangeId: Uint8Array,
  content: Uint8Array,
): Promise<KeptContent> {
  if (content.length <= INLINE_CONTENT_MAX) return { content: key.sealBytes(content) };
  const file = payloadFileName(exchangeId);
  await spool.write(file, key.encryptStream(once(content), { reuse: true }));
  return { file };
}

/**
 * Plaintext of kept content, streamed.
 * @param options how long a piece must stay valid.
 * @throws GatewayError `spool.payload-damaged` when nothing is kept; `sm.decrypt-failed`.
 */
export function openContent(
  spool: Spool,
  key: PayloadKey,
  kept: { readonly content?: Uint8Array | null; readonly file?: string | null },
  options: StreamOptions = {},
): AsyncIterable<Uint8Array> {
  if (kept.file) return key.decryptStream(spool.read(kept.file), options);
  if (kept.content) return once(key.openBytes(kept.content));
  throw new GatewayError("spool.payload-damaged", { detail: "no content is kept" });
}

/** A fresh key for one exchange and its wrapped form, bound to the exchange's id. */
export function newPayloadKey(
  vault: PayloadVault,
  exchangeId: Uint8Array,
): { readonly key: PayloadKey; readonly wrapped: Uint8Array } {
  return vault.newKey(exchangeId);
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}
