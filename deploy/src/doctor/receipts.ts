/** Guarantee: of a lane of receipts: whether the registry has all that it needs, and nothing but receipts on it. */
import { asGatewayError } from "@lightferry/proto/errors";
import type { RegistryDocument } from "@lightferry/proto/registry";
import type { ZoneName, ZonePaths } from "../layout.ts";
import {
  driverOf,
  RECEIPT_SERVICE,
  RECEIPTS_FROM,
  type ReceiptLane,
  receiptCaller,
  receiptsTo,
  shownReceipts,
} from "../setup/receipt-lane.ts";
import { type Finding, NOTHING, UNKNOWN } from "./finding.ts";
import type { Machine } from "./machine.ts";
import { registryOf } from "./registered.ts";

/** What the registry lacks for it, in the words of its own fields; none = receipts go. */
function lacks(
  { lanes, services, callers, grants, nodes }: RegistryDocument,
  receipts: ReceiptLane,
  nowMs: number,
): string[] {
  const lane = lanes.find(({ id }) => id === receipts.lane);
  if (lane === undefined) return [`lanes: ${receipts.lane}`];
  const driver = driverOf(receipts);
  const states = driver === "media" ? ["open", "media"] : ["open"];
  const service = services.find(({ id }) => id === RECEIPT_SERVICE);
  const caller = receiptCaller();
  const granted = grants.some(
    (grant) =>
      grant.lane === lane.id &&
      grant.caller === caller &&
      grant.service === RECEIPT_SERVICE &&
      grant.notBeforeMs <= nowMs &&
      nowMs < grant.notAfterMs,
  );
  const points: readonly [boolean, string][] = [
    [lane.from === RECEIPTS_FROM && lane.to === receiptsTo(), `${lane.from} → ${lane.to}`],
    [lane.kinds.join() === "receipt", `kinds: ${lane.kinds.join(", ")}`],
    // A lane that is open may be carried by medium as well.
    [lane.driver === driver || driver === "media", `driver: ${lane.driver}`],
    [states.includes(lane.state), `state: ${lane.state}`],
    [service?.kind === "receipt" && service.zone === receiptsTo(), `services: ${RECEIPT_SERVICE}`],
    [callers.some(({ id, zone }) => id === caller && zone === RECEIPTS_FROM), `callers: ${caller}`],
    [granted, `grants: ${caller} ${RECEIPT_SERVICE} ${lane.id}`],
    ...nodes.map(
      ({ id, licence }) => [licence.lanes.includes(lane.id), `licence: ${id}`] as [boolean, string],
    ),
  ];
  return points.flatMap(([holds, text]) => (holds ? [] : [text]));
}

/** None for a zone without such a lane. */
export function receiptLane(
  { now }: Pick<Machine, "now">,
  zone: ZoneName,
  paths: ZonePaths,
  receipts: ReceiptLane,
): Finding[] {
  if (receipts.lane === undefined) return [];
  let missing: string[];
  try {
    const registry = registryOf(paths);
    missing = registry === undefined ? [UNKNOWN] : lacks(registry, receipts, now);
  } catch (error) {
    missing = [asGatewayError(error).detail];
  }
  const ok = missing.length === 0;
  return [
    {
      check: `receipts.lane:${zone}`,
      state: ok ? "ok" : "fail",
      name: { zh: "回执通道", en: "lane of receipts" },
      found: [shownReceipts(receipts), ...missing].join("; "),
      means: ok
        ? {
            zh: "回执自动返回，通道上别无他物",
            en: "receipts return by themselves, and nothing else",
          }
        : {
            zh: "登记不全：回执不走此通道，仍可导出文件或二维码",
            en: "not registered in full: receipts do not take it; they can be exported",
          },
      advice: ok
        ? NOTHING
        : {
            zh: "按 deploy/README.md“回执通道”补登记，签名后放入两侧",
            en: 'register what is named ("A lane of receipts" in deploy/README.md), sign it, put it into both zones',
          },
    },
  ];
}
