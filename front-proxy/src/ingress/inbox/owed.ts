/** Guarantee: the sender of a bundle that was refused unopened hears of it, unless what was refused are receipts. */
import type { ErrorCode } from "@lightferry/proto/errors";
import { isReceiptLane } from "@lightferry/proto/registry";
import type { PoolClient } from "pg";
import type { FrontProxyContext } from "../../context.ts";
import { oweBundle } from "../../receipts/bundle-rows.ts";

/** In the transaction of the refusal. The header's signature was good, or the bundle had been accepted. */
export async function oweUnlessReceipts(
  { config, registry }: Pick<FrontProxyContext, "config" | "registry">,
  client: PoolClient,
  bundle: { readonly bundleId: Uint8Array; readonly lane: string },
  code: ErrorCode,
): Promise<void> {
  const lane = registry().lane(bundle.lane);
  if (lane === undefined || lane.to !== config.zone || isReceiptLane(lane)) return;
  await oweBundle(client, { ...bundle, code }, Date.now());
}
