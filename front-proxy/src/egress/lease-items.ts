/**
 * Guarantee: a lease holds only items whose description opened under their own
 * key; one that does not is named with its code and never handed out.
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { parseId } from "@lightferry/proto/ids";
import type { FrontProxyContext } from "../context.ts";
import { unpackTrail } from "./events.ts";
import type { WaitingRow } from "./seal-rows.ts";

const { SealItem } = lightferry.seal.v1;
const { VerdictBatch } = lightferry.bundle.v1;

/**
 * A header is at most 1 MiB and holds verdict and proof of every item (SPEC §3). An eighth is
 * left for the rest of the header.
 */
const HEADER_ITEM_BYTES = 896 * 1_024;
/** Commitment, indices and field tags of one item record; and of one batch signature. */
const RECORD_OVERHEAD = 64;

export interface FilledLease {
  readonly items: lightferry.seal.v1.SealItem.$Properties[];
  readonly batches: lightferry.bundle.v1.VerdictBatch.$Properties[];
  readonly damaged: readonly { readonly id: string; readonly code: string }[];
}

/** Opens what was taken, oldest first, as far as one header can carry it. */
export function fillLease(
  context: Pick<FrontProxyContext, "vault">,
  rows: readonly WaitingRow[],
): FilledLease {
  const items: lightferry.seal.v1.SealItem.$Properties[] = [];
  const batches: lightferry.bundle.v1.VerdictBatch.$Properties[] = [];
  const known = new Map<string, number>();
  const damaged: { id: string; code: string }[] = [];
  let headerBytes = 0;
  for (const row of rows) {
    try {
      const item = openItem(context, row);
      const batchBytes = row.batch as Buffer;
      headerBytes += weigh(item) + (known.has(keyOf(batchBytes)) ? 0 : batchBytes.length);
      if (headerBytes > HEADER_ITEM_BYTES && items.length > 0) break;
      let batch = known.get(keyOf(batchBytes));
      if (batch === undefined) {
        batch = batches.push(VerdictBatch.decode(batchBytes)) - 1;
        known.set(keyOf(batchBytes), batch);
      }
      items.push({ ...item, batch });
    } catch (error) {
      damaged.push({ id: row.id, code: asGatewayError(error).code });
    }
  }
  return { items, batches, damaged };
}

function keyOf(bytes: Buffer): string {
  return bytes.toString("latin1");
}

function weigh(item: lightferry.seal.v1.SealItem.$Properties): number {
  const path = (item.path ?? []).reduce((sum, step) => sum + step.length + 2, 0);
  return (item.verdict?.length ?? 0) + path + RECORD_OVERHEAD;
}

function openItem(
  context: Pick<FrontProxyContext, "vault">,
  row: WaitingRow,
): lightferry.seal.v1.SealItem.$Properties {
  if (row.wrapped_key === null || row.item === null || row.batch === null) {
    throw new GatewayError("spool.payload-damaged", { detail: row.id });
  }
  const key = context.vault.unwrap(row.wrapped_key, parseId(row.id));
  try {
    const item = SealItem.decode(key.openBytes(row.item));
    return {
      exchangeId: item.exchangeId,
      salt: item.salt,
      entry: item.entry,
      verdict: item.verdict,
      leaf: item.leaf,
      path: item.path,
      size: item.size,
      trail: unpackTrail(row.trail),
      wrappedKey: row.wrapped_key,
      ...(row.content === null ? {} : { ciphertext: row.content }),
      ...(row.file === null ? {} : { file: row.file }),
    };
  } finally {
    key.destroy();
  }
}
