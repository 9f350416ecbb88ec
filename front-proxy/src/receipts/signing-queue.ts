/**
 * Guarantee: what is due becomes numbered lists that seal signs; a list is
 * stored as signed only with a signature of this node's own signing key over
 * the bytes that stand in the row. A crash anywhere leaves each receipt due, or
 * in one list that is signed later.
 *
 *   receipt_due ─▶ list (one transaction) ─LeaseReceipts─▶ seal ─CommitReceipts─▶ signed
 */
import { setTimeout as delay } from "node:timers/promises";
import { GatewayError, isErrorCode } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import {
  BUNDLES_MAX,
  decodeReceiptList,
  decodeSignedReceipts,
  encodeReceiptList,
  isReceiptSignature,
  LIST_MAX,
  RECEIPTS_MAX,
} from "@lightferry/proto/receipt";
import type { CallContext } from "@lightferry/proto/rpc";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { keysOf } from "../trust/directory.ts";
import { type DueBundleRow, lockDueBundles, removeDueBundles } from "./bundle-rows.ts";
import {
  type DueRow,
  findUnsigned,
  insertList,
  lockDue,
  oldestDue,
  redate,
  removeDue,
  storeSigned,
  takeNumber,
  type UnsignedRow,
} from "./list-rows.ts";

type Seal = typeof lightferry.seal.v1;

/** How long a receipt waits for company: a list is one signature and, on a lane, one exchange. */
export const GATHER_MS = 5_000;
/** A long poll never outlives the deadline its caller sets. */
const MAX_WAIT_MS = 30_000;
/** Receipts fall due in the database, also by other front-proxies on it. */
const LOOK_AGAIN_MS = 1_000;
/** A list is dated when it is signed, not when seal was away; its key counts as of then. */
const REDATE_MS = 60_000;
/** Bytes of an exchange in a list: id, time and framing. */
const RECEIPT_BYTES = 28;
/** Bytes of a group beside its code: state and framing. */
const GROUP_BYTES = 24;
/** Bytes of a refused bundle beside its code: id, time and framing. */
const BUNDLE_BYTES = 32;
/** Names, number and time of a list. */
const HEAD_BYTES = 256;

export class ReceiptSigning {
  readonly #context: FrontProxyContext;
  readonly #gatherMs: number;
  readonly #onSigned: () => void;

  /** @param gatherMs tests that need not wait say 0. */
  constructor(context: FrontProxyContext, onSigned: () => void, gatherMs: number = GATHER_MS) {
    this.#context = context;
    this.#onSigned = onSigned;
    this.#gatherMs = gatherMs;
  }

  /** Waits up to `waitMs` for a list to sign; an empty one says that there is nothing. */
  async lease(
    request: InstanceType<Seal["LeaseReceiptsRequest"]>,
    call: CallContext,
  ): Promise<lightferry.seal.v1.LeaseReceiptsResponse.$Properties> {
    const calledOff = AbortSignal.any([call.signal, call.closing]);
    const until = performance.now() + Math.min(request.waitMs, MAX_WAIT_MS);
    for (;;) {
      const list = await this.next(Date.now());
      const left = until - performance.now();
      if (list !== undefined) return { list };
      if (left <= 0 || calledOff.aborted) return {};
      await delay(Math.min(left, LOOK_AGAIN_MS), undefined, { signal: calledOff }).catch(
        () => undefined,
      );
    }
  }

  /**
   * The oldest unsigned list, else a new one where enough is due.
   * @throws GatewayError `database.unavailable`.
   */
  async next(nowMs: number): Promise<Uint8Array | undefined> {
    const { pool } = this.#context;
    const senders = this.#senders();
    // Of a lane that is registered no more nothing could be signed, and nothing may wait behind it.
    const unsigned = await findUnsigned(pool, [...senders.keys()]);
    if (unsigned !== undefined) {
      return this.#current(unsigned, senders.get(unsigned.lane) ?? "", nowMs);
    }
    for (const [id, sender] of senders) {
      const due = await oldestDue(pool, id, RECEIPTS_MAX);
      // A clock that was put back must not keep them waiting.
      const waited = Math.abs(nowMs - (due?.atMs ?? nowMs));
      if (due !== undefined && (due.full || waited >= this.#gatherMs)) {
        return this.#build(id, sender, nowMs);
      }
    }
    return undefined;
  }

  /** Lanes that lead here, with the node at their beginning, as registered now. */
  #senders(): ReadonlyMap<string, string> {
    const { config, registry } = this.#context;
    const known = registry();
    return new Map(
      known.document.lanes.flatMap(({ id, from, to }) => {
        const sender = known.nodeOfZone(from)?.id;
        return to !== config.zone || sender === undefined ? [] : [[id, sender] as const];
      }),
    );
  }

  async #current(row: UnsignedRow, sender: string, nowMs: number): Promise<Uint8Array | undefined> {
    const fields = decodeReceiptList(row.list);
    const recent = Math.abs(nowMs - row.created_ms) < REDATE_MS;
    if (recent && fields.sender === sender) return row.list;
    const list = encodeReceiptList(dated({ ...fields, sender }, nowMs));
    return (await redate(this.#context.pool, row, nowMs, list)) ? list : undefined;
  }

  async #build(lane: string, sender: string, nowMs: number): Promise<Uint8Array | undefined> {
    const { pool, config } = this.#context;
    return inTransaction(pool, async (client) => {
      const bundles = await lockDueBundles(client, lane, BUNDLES_MAX);
      const rows = fitting(await lockDue(client, lane, RECEIPTS_MAX), bundles);
      // Another front-proxy on this database was faster.
      if (rows.length + bundles.length === 0) return undefined;
      const number = await takeNumber(client, lane);
      const list = encodeReceiptList(
        dated(
          {
            ...{ lane, sender, receiver: config.node, number, createdMs: nowMs },
            receipts: rows.map(({ exchange_id, state, code, at_ms }) => ({
              ...{ exchangeId: exchange_id, state, timeMs: at_ms },
              code: codeOf({ state, code }),
            })),
            bundles: bundles.map(({ bundle_id, code, at_ms }) => ({
              ...{ bundleId: bundle_id, code, timeMs: at_ms },
            })),
          },
          nowMs,
        ),
      );
      const receipts = rows.length + bundles.length;
      await insertList(client, { lane, number, createdMs: nowMs, receipts, list });
      await removeDueBundles(
        client,
        bundles.map(({ bundle_id }) => bundle_id),
      );
      await removeDue(
        client,
        rows.map(({ exchange_id }) => exchange_id),
      );
      return list;
    });
  }

  /**
   * Stores what seal has signed. A list that was dated anew, or signed by another worker, is no error.
   * @throws GatewayError `receipt.malformed`, `receipt.unknown-key`, `receipt.signature-invalid`, `certificate.*`.
   */
  async commit(request: InstanceType<Seal["CommitReceiptsRequest"]>): Promise<object> {
    const { pool, config, shell } = this.#context;
    const { signed } = request;
    const { list, keyId, signature, certificates, fields } = decodeSignedReceipts(signed);
    const { lane, number, createdMs } = fields;
    const usage = { presented: certificates, usedMs: createdMs };
    const key = keysOf(this.#context).signKey(config.node, keyId, usage);
    if (key === undefined) throw new GatewayError("receipt.unknown-key", { detail: keyId });
    if (!isReceiptSignature(shell.provider, key, list, signature)) {
      throw new GatewayError("receipt.signature-invalid", { detail: `${lane}/${number}` });
    }
    await inTransaction(pool, async (client) => {
      if (!(await storeSigned(client, lane, number, list, signed))) return;
      await shell.journal.record([
        {
          type: "receipts.signed",
          outcome: "ok",
          actor: "seal",
          lane,
          digest: shell.provider.sm3(list),
          size: signed.length,
          attributes: {
            number: String(number),
            receipts: String(fields.receipts.length),
            ...(fields.bundles.length === 0 ? {} : { bundles: String(fields.bundles.length) }),
            key: keyId,
          },
        },
      ]);
    });
    this.#onSigned();
    return {};
  }
}

/** No receipt is later than its list: a clock may have been put back between the two. */
function dated(
  fields: Parameters<typeof encodeReceiptList>[0],
  createdMs: number,
): Parameters<typeof encodeReceiptList>[0] {
  const redated = <T extends { readonly timeMs: number }>(one: T): T => ({
    ...one,
    timeMs: Math.min(one.timeMs, createdMs),
  });
  const [receipts, bundles] = [fields.receipts.map(redated), fields.bundles.map(redated)];
  return { ...fields, createdMs, receipts, bundles };
}

function codeOf({ state, code }: Pick<DueRow, "state" | "code">): string {
  return state !== "delivered" && isErrorCode(code) ? code : "";
}

/** As many as fit the bytes of a list beside its refused bundles, however many codes they bring. */
function fitting(rows: readonly DueRow[], bundles: readonly DueBundleRow[]): readonly DueRow[] {
  const groups = new Set<string>();
  let bytes = bundles.reduce((sum, { code }) => sum + BUNDLE_BYTES + code.length, HEAD_BYTES);
  for (const [index, row] of rows.entries()) {
    const code = codeOf(row);
    const group = `${row.state} ${code}`;
    bytes += RECEIPT_BYTES + (groups.has(group) ? 0 : GROUP_BYTES + code.length);
    groups.add(group);
    if (bytes > LIST_MAX) return rows.slice(0, index);
  }
  return rows;
}
