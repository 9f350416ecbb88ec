/** Guarantee: the words of `setup` for a lane of receipts are whole, name one way for it, and fit the zone before anything is made. */
import type { CliInput } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import type { ZoneName } from "../src/layout.ts";
import { RECEIPTS_FROM, type ReceiptLane } from "../src/setup/receipt-lane.ts";
import { applianceEnd, applianceOptions, type Options, wanted } from "./setup-appliance.ts";

const PREFIX = "receipt";
const APPLIANCE = applianceOptions(PREFIX, RECEIPTS_FROM);

export const RECEIPT_OPTIONS: Options = {
  "receipt-lane": {
    type: "string",
    value: "LANE",
    summary: {
      zh: "只走回执、由业务网返回外网的通道，两侧相同；须有自己的光闸、设备或介质",
      en: "the lane from business to extranet that takes receipts alone, the same on both sides, by a gate, appliance or medium of its own",
    },
  },
  "receipt-gate": {
    type: "string",
    value: "ADDRESS",
    summary: {
      zh: "回执通道的光闸：其接收端（外网侧）地址，两侧相同",
      en: "gate of the lane of receipts: address of its receiving end in the extranet, the same on both sides",
    },
  },
  "receipt-medium": {
    type: "boolean",
    summary: {
      zh: "回执通道由移动介质承运（lightferry media）",
      en: "removable media carry the lane of receipts (lightferry media)",
    },
  },
  ...APPLIANCE,
};

/** @throws GatewayError `cli.usage` for words that are missing, of the other zone, or of two ways at once */
export function receiptLaneOf(zone: ZoneName, input: CliInput): ReceiptLane {
  const host = input.text("receipt-gate");
  const medium = input.flag("receipt-medium");
  const appliance = Object.keys(APPLIANCE).some((name) => input.text(name) !== undefined);
  const ways = [host !== undefined, appliance, medium].filter(Boolean).length;
  if (ways === 0 && input.text("receipt-lane") === undefined) return {};
  const lane = wanted(input, "receipt-lane");
  if (ways !== 1) {
    const end = zone === RECEIPTS_FROM ? "--receipt-drop" : "--receipt-pick-up";
    throw new GatewayError("cli.usage", {
      detail: `--receipt-lane ${lane}: --receipt-gate | ${end} | --receipt-medium`,
    });
  }
  if (host !== undefined) return { lane, gate: { host } };
  if (medium) return { lane };
  return { lane, directory: applianceEnd(zone, { prefix: PREFIX, from: RECEIPTS_FROM }, input) };
}
