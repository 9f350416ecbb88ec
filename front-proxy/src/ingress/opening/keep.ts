/**
 * Guarantee: content of an item reaches the disk only encrypted under a key of
 * its own, in a file named after exchange and bundle, so that a second bundle
 * with the same exchange never touches what the first one brought.
 */
import type { ItemEntry } from "@lightferry/proto/bundle";
import { formatId } from "@lightferry/proto/ids";
import type { FrontProxyContext } from "../../context.ts";
import { newPayloadKey } from "../../payload/keep.ts";
import type { Spool } from "../../payload/spool.ts";
import { ROW_PAYLOAD_BYTES } from "../tuning.ts";
import type { InlineCandidate, Kept, Origin } from "./candidate.ts";

/** Small content into the row, larger into staging. @throws GatewayError `spool.disk-full`. */
export async function keepInline(
  context: FrontProxyContext,
  staging: Spool,
  origin: Origin,
  candidate: InlineCandidate,
): Promise<Kept> {
  const { bytes, entry } = candidate;
  if (bytes.length > ROW_PAYLOAD_BYTES) {
    return stage(context, staging, origin, entry, once(bytes));
  }
  const { key, wrapped } = newPayloadKey(context.vault, entry.exchangeId);
  try {
    return { wrapped, content: key.sealBytes(bytes) };
  } finally {
    key.destroy();
  }
}

/**
 * Streams content into an encrypted staging file; it exists only once the content ended well.
 * @throws BundleItemError of the content; GatewayError `spool.disk-full`.
 */
export async function stage(
  context: FrontProxyContext,
  staging: Spool,
  origin: Origin,
  entry: ItemEntry,
  content: AsyncIterable<Uint8Array>,
): Promise<Kept> {
  const { key, wrapped } = newPayloadKey(context.vault, entry.exchangeId);
  try {
    const file = `${formatId(entry.exchangeId)}.${formatId(origin.bundleId)}`;
    await staging.write(file, key.encryptStream(content, { reuse: true }));
    return { wrapped, file };
  } finally {
    key.destroy();
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
