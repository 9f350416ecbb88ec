/**
 * Guarantee: of a file of receipts everything is verified before anything is
 * taken, and it is taken whole, in one transaction with the record of its lists,
 * or not at all. A receipt says what the far side said: it moves no exchange of
 * this side, so it can cause no resend.
 *
 *   form ─▶ signature, lane, addressee, time ─▶ known lists? ─▶ each exchange: judge ─▶ journal ─▶ commit
 *     └───────────────── refused: event, nothing taken ────────────────────────────┘
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { formatId, parseId } from "@lightferry/proto/ids";
import {
  decodeReceiptFile,
  type VerifiedReceipts,
  verifyReceipts,
} from "@lightferry/proto/receipt";
import type pg from "pg";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { keysOf } from "../trust/directory.ts";
import {
  findSent,
  findSentBundles,
  findTaken,
  lockImports,
  type SentBundle,
  type SentRow,
  type TakenReceipt,
  writeReceipts,
  writeTaken,
  writeTally,
} from "./exchange-rows.ts";
import { judge, judgeBundle, type Said } from "./judge.ts";
import { type ImportReport, NAMED_MAX } from "./report.ts";

/** Events of one record of the journal: a fraction of what it takes at once. */
const EVENTS_AT_ONCE = 512;
/** From here on a fault is our own, and the file is as good as before. */
const FIRST_SERVER_FAULT = 500;

export interface ImportWish {
  /** Take the others when exchanges are named that this side does not know. */
  readonly skipUnknown: boolean;
  readonly checkOnly: boolean;
  /** Who brought it. */
  readonly actor: string;
  readonly source: "file" | "lane";
}

/**
 * @throws GatewayError `receipt.*`, `certificate.*`: refused, with an event; `journal.full`,
 * `database.unavailable`: nothing was taken, try again.
 */
export async function importReceipts(
  context: FrontProxyContext,
  file: Uint8Array,
  wish: ImportWish,
): Promise<ImportReport> {
  try {
    const lists = verifyFile(context, file);
    return await inTransaction(context.pool, (client) => take(context, client, lists, wish));
  } catch (error) {
    const fault = asGatewayError(error);
    if (fault.row.http < FIRST_SERVER_FAULT) {
      await context.shell.journal.record([refusedEvent(context, file, wish, fault)]);
    }
    throw fault;
  }
}

function verifyFile(context: FrontProxyContext, file: Uint8Array): readonly VerifiedReceipts[] {
  const { config, registry, shell } = context;
  const known = registry();
  const keys = keysOf(context);
  return decodeReceiptFile(file).map((signed) =>
    verifyReceipts(shell.provider, signed, {
      now: Date.now(),
      self: config.node,
      farEnd: (id) => {
        const lane = known.lane(id);
        return lane?.from === config.zone ? known.nodeOfZone(lane.to)?.id : undefined;
      },
      signKey: (node, keyId, usage) => keys.signKey(node, keyId, usage),
    }),
  );
}

async function take(
  context: FrontProxyContext,
  client: pg.PoolClient,
  all: readonly VerifiedReceipts[],
  wish: ImportWish,
): Promise<ImportReport> {
  await lockImports(client);
  const fresh = await freshLists(client, all);
  const sent = await findSent(client, namedIn(fresh));
  const bundles = await findSentBundles(client, bundlesIn(fresh));
  const { taken, older, unknown } = sort(fresh, sent, bundles);
  if (unknown.length > 0 && !wish.skipUnknown) {
    throw new GatewayError("receipt.unknown-exchange", { detail: someOf(unknown) });
  }
  const states: Record<string, number> = {};
  for (const { state } of taken) states[state] = (states[state] ?? 0) + 1;
  const report: ImportReport = {
    taken: !wish.checkOnly,
    lists: fresh.length,
    repeated: all.length - fresh.length,
    exchanges: taken.length,
    older,
    states,
    unknown: unknown.slice(0, NAMED_MAX),
    unknownCount: unknown.length,
  };
  if (wish.checkOnly || fresh.length === 0) return report;
  const nowMs = Date.now();
  const events = [...taken.map(receiptEvent), ...fresh.map((one) => importedEvent(one, wish))];
  if (unknown.length > 0) events.push(unknownEvent(unknown, fresh, wish));
  for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
    await context.shell.journal.record(events.slice(from, from + EVENTS_AT_ONCE));
  }
  await writeReceipts(client, taken, nowMs);
  await writeTally(client, taken);
  await writeTaken(
    client,
    fresh.map(({ list, digest }) => ({ ...list, digest })),
    nowMs,
  );
  return report;
}

/** Those that were not taken before. @throws GatewayError `receipt.number-conflict` */
async function freshLists(
  client: pg.PoolClient,
  all: readonly VerifiedReceipts[],
): Promise<readonly VerifiedReceipts[]> {
  const before = await findTaken(
    client,
    all.map(({ list }) => list),
  );
  return all.filter(({ list, digest }, place) => {
    const known = before.get(place);
    if (known !== undefined && Buffer.compare(known, digest) !== 0) {
      const detail = `${list.lane} ${list.receiver}/${list.number}`;
      throw new GatewayError("receipt.number-conflict", { detail });
    }
    return known === undefined;
  });
}

function namedIn(lists: readonly VerifiedReceipts[]): readonly string[] {
  const ids = lists.flatMap(({ list }) => list.receipts.map((one) => formatId(one.exchangeId)));
  return [...new Set(ids)];
}

function bundlesIn(lists: readonly VerifiedReceipts[]): readonly string[] {
  const ids = lists.flatMap(({ list }) => list.bundles.map((one) => formatId(one.bundleId)));
  return [...new Set(ids)];
}

interface Sorted {
  /** The newest of each exchange. */
  readonly taken: readonly TakenReceipt[];
  readonly older: number;
  readonly unknown: readonly string[];
}

/** @throws GatewayError `receipt.contradicts` naming the exchanges, or a bundle. */
function sort(
  lists: readonly VerifiedReceipts[],
  sent: ReadonlyMap<string, SentRow>,
  bundles: ReadonlyMap<string, SentBundle>,
): Sorted {
  const taken = new Map<string, TakenReceipt>();
  const unknown = new Set<string>();
  const wrong = new Set<string>();
  let older = 0;
  for (const { list } of lists) {
    const { lane, number, receiver } = list;
    for (const { exchangeId, state, code, timeMs } of list.receipts) {
      const id = formatId(exchangeId);
      const row = sent.get(id);
      if (row === undefined) {
        unknown.add(id);
        continue;
      }
      // What never left, or not by this lane, cannot have ended over there.
      if (row.lane !== lane || row.kind === "receipt" || row.bundle_id === null) {
        wrong.add(id);
        continue;
      }
      const said = judge(saidBefore(row, taken.get(id)), { state, number });
      if (said === "contradicts") wrong.add(id);
      else if (said === "older") older += 1;
      else taken.set(id, { row, state, code, timeMs, number, receiver });
    }
    for (const { bundleId, code, timeMs } of list.bundles) {
      const id = `bundle ${formatId(bundleId)}`;
      const bundle = bundles.get(formatId(bundleId));
      if (bundle === undefined) unknown.add(id);
      else if (bundle.lane !== lane || bundle.rows.some(({ kind }) => kind === "receipt"))
        wrong.add(id);
      for (const row of bundle?.rows ?? []) {
        const before = saidBefore(row, taken.get(row.id));
        if (judgeBundle(before, number) === "older") older += 1;
        else taken.set(row.id, { row, state: "quarantined", code, timeMs, number, receiver });
      }
    }
  }
  if (wrong.size > 0) {
    throw new GatewayError("receipt.contradicts", { detail: someOf([...wrong]) });
  }
  return { taken: [...taken.values()], older, unknown: [...unknown] };
}

function saidBefore(row: SentRow, inThisFile: TakenReceipt | undefined): Said | undefined {
  if (inThisFile !== undefined) return inThisFile;
  const { receipt_state: state, receipt_number: number } = row;
  return state === null ? undefined : { state, number: number ?? 0 };
}

function someOf(ids: readonly string[]): string {
  const more = ids.length - NAMED_MAX;
  return `${ids.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` … +${more}` : ""}`;
}

const OUTCOME = {
  delivered: "ok",
  returned: "ok",
  quarantined: "refused",
  failed: "error",
  "in-doubt": "error",
} as const;

function receiptEvent({ row, state, code, timeMs, number, receiver }: TakenReceipt): EventInput {
  return {
    type: "exchange.receipted",
    outcome: OUTCOME[state],
    ...(code === "" ? {} : { code }),
    exchangeId: parseId(row.id),
    lane: row.lane,
    service: row.service,
    actor: row.caller,
    clientAddress: row.client_address,
    grade: row.grade,
    size: row.size,
    ...(row.bundle_id === null ? {} : { bundleId: parseId(row.bundle_id) }),
    attributes: { state, receiver, number: String(number), "at-ms": String(timeMs) },
  };
}

function importedEvent({ list, digest }: VerifiedReceipts, wish: ImportWish): EventInput {
  return {
    type: "receipts.imported",
    outcome: "ok",
    actor: wish.actor,
    lane: list.lane,
    digest,
    attributes: {
      source: wish.source,
      receiver: list.receiver,
      number: String(list.number),
      receipts: String(list.receipts.length),
      ...(list.bundles.length === 0 ? {} : { bundles: String(list.bundles.length) }),
      "created-ms": String(list.createdMs),
    },
  };
}

/** The rest was taken by wish; those that nobody here knows are named all the same. */
function unknownEvent(
  unknown: readonly string[],
  lists: readonly VerifiedReceipts[],
  wish: ImportWish,
): EventInput {
  return {
    type: "receipts.refused",
    outcome: "refused",
    code: "receipt.unknown-exchange",
    actor: wish.actor,
    lane: lists[0]?.list.lane ?? "",
    attributes: { source: wish.source, detail: someOf(unknown), count: String(unknown.length) },
  };
}

function refusedEvent(
  { shell }: FrontProxyContext,
  file: Uint8Array,
  wish: ImportWish,
  { code, detail }: GatewayError,
): EventInput {
  return {
    type: "receipts.refused",
    outcome: "refused",
    code,
    actor: wish.actor,
    digest: shell.provider.sm3(file),
    size: file.length,
    attributes: { source: wish.source, detail },
  };
}
