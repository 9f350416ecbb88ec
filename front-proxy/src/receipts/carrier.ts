/**
 * Guarantee: a signed list goes to the other zone by a lane in the opposite
 * direction as soon as there is one, each list as one exchange, once: a crash
 * between handing it over and noting it finds the same exchange again. What the
 * lane refuses waits for export by file.
 */

import { formatId } from "@lightferry/proto/ids";
import { encodeReceiptFile } from "@lightferry/proto/receipt";
import type { FrontProxyContext } from "../context.ts";
import type { Receipt, RequestSubmission } from "../egress/submission.ts";
import { findToCarry, markCarried, type SignedRow } from "./list-rows.ts";
import { type ReceiptRoute, receiptRoute } from "./route.ts";

/** Lists of one lane in a round: what arrives meanwhile is looked at again soon. */
const ROUND_LISTS = 16;
/** Ids, states, codes and times alone: nothing of any content. */
const GRADE = "G1";

/** What the carrier needs of the sending side. */
export interface Handover {
  submit(submission: RequestSubmission): Promise<Receipt>;
}

/**
 * One round over all lanes that lead into this zone.
 * @returns true when more may wait.
 * @throws GatewayError of {@link Handover.submit}: what was not handed over waits.
 */
export async function carryReceipts(
  context: FrontProxyContext,
  handover: Handover,
): Promise<boolean> {
  const { pool, config, registry } = context;
  let more = false;
  for (const { id, from, to } of registry().document.lanes) {
    if (to !== config.zone) continue;
    const route = receiptRoute(registry(), config.node, config.zone, from, Date.now());
    if (route === undefined) continue;
    const lists = await findToCarry(pool, id, ROUND_LISTS);
    more ||= lists.length === ROUND_LISTS;
    for (const list of lists) {
      const { exchangeId } = await handover.submit(submissionOf(context, route, list));
      await markCarried(pool, id, list.number, formatId(exchangeId));
    }
  }
  return more;
}

function submissionOf(
  { config, shell }: FrontProxyContext,
  { lane, service }: ReceiptRoute,
  list: SignedRow,
): RequestSubmission {
  const content = encodeReceiptFile([list.signed]);
  const key = Buffer.from(`receipts ${list.lane} ${list.number}`);
  return {
    ...{ caller: config.node, clientAddress: "gateway", lane, service, grade: GRADE },
    ...{ purpose: "", orderingKey: "", content },
    idempotency: {
      keyDigest: shell.provider.sm3(key),
      contentDigest: shell.provider.sm3(content),
    },
  };
}
