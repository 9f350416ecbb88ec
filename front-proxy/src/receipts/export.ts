/**
 * Guarantee: what is exported are signed lists as they stand; they count as
 * exported only once somebody says that the file is durable. Exported twice,
 * they are taken once.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { encodeReceiptFile, FILE_LISTS_MAX } from "@lightferry/proto/receipt";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { findToExport, markExported } from "./list-rows.ts";

export interface ExportWish {
  /** Empty = every lane that leads into this zone. */
  readonly lane: string;
  /** 0 = as many as a file holds. */
  readonly maxLists: number;
  /** Also what was exported before or went by a lane. */
  readonly again: boolean;
  /** Only this list; 0 = all. */
  readonly number: number;
}

export interface Exported {
  /** Empty when there is nothing to export. */
  readonly file: Uint8Array;
  readonly lists: readonly { readonly lane: string; readonly number: number }[];
  readonly receipts: number;
  /** Lists for another file. */
  readonly left: number;
}

/** @throws GatewayError `receipt.foreign-lane` when the lane does not lead into this zone. */
export async function exportReceipts(
  context: FrontProxyContext,
  wish: ExportWish,
): Promise<Exported> {
  const { config, registry, pool } = context;
  const here = registry().document.lanes.filter(({ to }) => to === config.zone);
  const lanes = here.map(({ id }) => id).filter((id) => wish.lane === "" || id === wish.lane);
  if (lanes.length === 0 && wish.lane !== "") {
    throw new GatewayError("receipt.foreign-lane", { detail: wish.lane });
  }
  const limit = Math.min(wish.maxLists === 0 ? FILE_LISTS_MAX : wish.maxLists, FILE_LISTS_MAX);
  const { again, number } = wish;
  const { rows, left } = await findToExport(pool, { lanes, again, number, limit });
  if (rows.length === 0) return { file: new Uint8Array(), lists: [], receipts: 0, left: 0 };
  return {
    file: encodeReceiptFile(rows.map(({ signed }) => signed)),
    lists: rows.map((row) => ({ lane: row.lane, number: row.number })),
    receipts: rows.reduce((sum, { receipts }) => sum + receipts, 0),
    left,
  };
}

/** The file lies where its bearer will take it. */
export async function confirmExport(
  context: FrontProxyContext,
  lists: readonly { readonly lane: string; readonly number: number }[],
  digest: Uint8Array,
  actor: string,
): Promise<void> {
  const { pool, shell } = context;
  await inTransaction(pool, async (client) => {
    const lanes = [...new Set(lists.map(({ lane }) => lane))];
    await shell.journal.record(
      lanes.map((lane) => {
        const numbers = lists.filter((list) => list.lane === lane).map(({ number }) => number);
        return {
          type: "receipts.exported",
          outcome: "ok",
          actor,
          lane,
          digest,
          attributes: {
            lists: String(numbers.length),
            first: String(Math.min(...numbers)),
            last: String(Math.max(...numbers)),
          },
        };
      }),
    );
    await markExported(client, lists, Date.now());
  });
}
