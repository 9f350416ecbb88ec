/**
 * Guarantee: a lease names each batch signature once. What is sealed stays
 * encrypted here: only seal opens it.
 */
import { lightferry } from "@lightferry/proto/gen";
import { parseId } from "@lightferry/proto/ids";
import { unpackTrail } from "./events.ts";
import type { WaitingRow } from "./seal-rows.ts";

const { VerdictBatch } = lightferry.bundle.v1;

export interface FilledLease {
  readonly items: lightferry.seal.v1.SealItem.$Properties[];
  readonly batches: lightferry.bundle.v1.VerdictBatch.$Properties[];
}

const NOTHING = Buffer.alloc(0);

/** @param bare without the trail: nothing rides beside the items */
export function fillLease(rows: readonly WaitingRow[], bare: boolean): FilledLease {
  const batches: lightferry.bundle.v1.VerdictBatch.$Properties[] = [];
  const known = new Map<string, number>();
  const items = rows.map((row) => {
    const bytes = row.batch ?? NOTHING;
    const key = bytes.toString("latin1");
    let batch = known.get(key);
    if (batch === undefined) {
      batch = batches.push(VerdictBatch.decode(bytes)) - 1;
      known.set(key, batch);
    }
    return {
      exchangeId: parseId(row.id),
      batch,
      trail: bare ? [] : unpackTrail(row.trail),
      wrappedKey: row.wrapped_key ?? NOTHING,
      material: row.material ?? NOTHING,
      file: row.file ?? "",
    };
  });
  return { items, batches };
}
