/** Guarantee: items of a bundle are found by place or by exchange id, and handed out only as the opened manifest has them. */
import { type OpenedItem, openBundle, type VerifiedHeader } from "../src/bundle/index.ts";
import type { CliInput, CliOption } from "../src/cli/index.ts";
import { GatewayError } from "../src/errors/index.ts";
import { parseId } from "../src/ids.ts";
import type { KeyRing } from "../src/keystore/index.ts";
import type { SmProvider } from "../src/sm/index.ts";

/** Items of a bundle are numbered from 0. */
const ITEM_MAX = 1023;

export const ITEM_OPTIONS: Readonly<Record<string, CliOption>> = {
  item: {
    type: "string",
    value: "N",
    summary: { zh: "条目序号，从 0 起", en: "position of the item, from 0" },
  },
  exchange: {
    type: "string",
    value: "ID",
    summary: { zh: "交换编号（须有 --ring）", en: "exchange id (needs --ring)" },
  },
};

/** Which item the options mean; undefined when they name none. @throws GatewayError `cli.usage`, `id.invalid`. */
export function wantedOf(input: CliInput): ((item: OpenedItem) => boolean) | undefined {
  const item = input.integer("item", { min: 0, max: ITEM_MAX });
  const exchange = input.text("exchange");
  if (item !== undefined && exchange !== undefined) {
    throw new GatewayError("cli.usage", { detail: "--item | --exchange" });
  }
  if (item !== undefined) return ({ index }) => index === item;
  if (exchange === undefined) return undefined;
  const id = parseId(exchange);
  return ({ entry }) => Buffer.compare(entry.exchangeId, id) === 0;
}

/**
 * Opens the bundle and hands the wanted items to `take`, one after the other.
 * @throws GatewayError of SPEC §8.4; `proof.no-such-item` when none is wanted.
 */
export async function eachOpened(
  provider: SmProvider,
  verified: VerifiedHeader,
  ring: KeyRing,
  wanted: (item: OpenedItem) => boolean,
  take: (item: OpenedItem) => void | Promise<void>,
): Promise<void> {
  let found = false;
  for await (const item of openBundle(provider, verified, ring)) {
    if (!wanted(item)) continue;
    found = true;
    await take(item);
  }
  if (!found) throw new GatewayError("proof.no-such-item");
}
