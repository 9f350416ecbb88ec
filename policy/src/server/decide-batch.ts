/**
 * Guarantee: a batch of inline items is decided whole or not at all, within the
 * limits of policy.proto; between items other calls get their turn.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { ContentInspection, type ContentReport } from "../content/inspection.ts";
import { admit, isObjection } from "../decide/admit.ts";
import { type Case, type Desk, settle } from "./desk.ts";
import { readItem, type WireItem } from "./intake.ts";

/** policy.proto: one signature's worth. */
export const BATCH_ITEMS_MAX = 1024;
/** policy.proto: half of what a message may hold, so that masked content fits the answer. */
export const BATCH_CONTENT_MAX = 4 * 1024 * 1024;
/** Content inspected before other calls get their turn: about 10 ms. */
const TURN_BYTES = 256 * 1024;

/** @throws GatewayError `policy.batch-too-large`, `rpc.bad-message`, and those of {@link settle}. */
export async function decideBatch(
  desk: Desk,
  request: lightferry.policy.v1.DecideRequest.$Properties,
): Promise<lightferry.policy.v1.DecideResponse.$Properties> {
  const items = request.items ?? [];
  const bytes = items.reduce((sum, item) => sum + (item.content?.length ?? 0), 0);
  if (items.length === 0) throw new GatewayError("rpc.bad-message", { detail: "no items" });
  if (items.length > BATCH_ITEMS_MAX || bytes > BATCH_CONTENT_MAX) {
    throw new GatewayError("policy.batch-too-large", {
      detail: `${items.length} items, ${bytes} bytes`,
    });
  }
  const cases: Case[] = [];
  let sinceTurn = 0;
  for (const wire of items) {
    cases.push(examine(desk, wire));
    sinceTurn += wire.content?.length ?? 0;
    if (sinceTurn >= TURN_BYTES) {
      sinceTurn = 0;
      await nextTurn();
    }
  }
  return settle(desk, cases);
}

function examine(desk: Desk, wire: WireItem): Case {
  const item = readItem(desk.policy, desk.provider, wire);
  const content = wire.content ?? new Uint8Array();
  const admission = admit(desk.policy, item.request, desk.now());
  let report: ContentReport | undefined;
  let changed: Uint8Array | undefined;
  if (!isObjection(admission)) {
    const { declared, arrived } = item;
    const receipts = arrived === undefined ? desk.ownReceipts : undefined;
    const inspection = new ContentInspection(desk.provider, admission.plan, declared, receipts);
    const settled = inspection.push(content);
    const end = inspection.end();
    report = end.report;
    if (report.changed) changed = Buffer.concat([settled, end.rest]);
  }
  return { item, admission, report, changed, content };
}
