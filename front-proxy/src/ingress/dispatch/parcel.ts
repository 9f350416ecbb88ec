/** Guarantee: content of a claimed delivery is decrypted only for the attempt that hands it over. */
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { formatId } from "@lightferry/proto/ids";
import type { FrontProxyContext } from "../../context.ts";
import { openContent } from "../../payload/keep.ts";
import type { Spool } from "../../payload/spool.ts";
import type { ReadyContent } from "../handoff.ts";
import type { Parcel } from "../targets/target.ts";
import type { ClaimedRow } from "./queue-rows.ts";

/** Content that opening has handed over: nothing is decrypted. */
export function readyParcel(row: ClaimedRow, { entry, bytes }: ReadyContent): Parcel {
  return {
    exchangeId: row.exchange_id,
    id: formatId(row.exchange_id),
    entry,
    size: row.size,
    digest: row.digest,
    bytes,
    async *content() {
      yield bytes;
    },
  };
}

/** @throws GatewayError `exchange.payload-gone`, `sm.decrypt-failed` when altered at rest. */
export function openParcel(context: FrontProxyContext, staging: Spool, row: ClaimedRow): Parcel {
  if (row.wrapped_key === null) throw new GatewayError("exchange.payload-gone");
  const key = context.vault.unwrap(row.wrapped_key, row.exchange_id);
  const kept = { content: row.ciphertext, file: row.staged_file };
  return {
    exchangeId: row.exchange_id,
    id: formatId(row.exchange_id),
    entry: decodeCanonical(lightferry.bundle.v1.ManifestEntry, row.entry),
    size: row.size,
    digest: row.digest,
    bytes: row.ciphertext === null ? undefined : key.openBytes(row.ciphertext),
    content: () => openContent(staging, key, kept),
  };
}
