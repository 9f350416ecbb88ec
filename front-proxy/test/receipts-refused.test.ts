/** Guarantee tested: of bundles refused unopened only those are named that were refused under their own id, and none that was accepted since. */
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatId, newId } from "@lightferry/proto/ids";
import { decodeReceiptList } from "@lightferry/proto/receipt";
import { beforeEach, expect, it } from "vitest";
import { ReceiptSigning } from "../src/receipts/signing-queue.ts";
import { forge } from "./support/forge-header.ts";
import { deliverTo, receivingZoneOfFile, target, world } from "./support/receiving.ts";

receivingZoneOfFile();

beforeEach(async () => {
  target.respond = (response) => response.writeHead(201).end("{}");
  await world.pool.query("TRUNCATE receipt_due, receipt_due_bundle, receipt_number, receipt_list");
});

let sequence = 0;
const sealed = () => {
  sequence += 1;
  return world.seal([{ content: Buffer.from("{}") }], { sequence });
};

/** What the next list says. */
async function said() {
  const list = await new ReceiptSigning(world.context, () => undefined, 0).next(Date.now());
  if (list === undefined) return undefined;
  const { receipts, bundles } = decodeReceiptList(list);
  const code = (one: { readonly code: string }) => one.code;
  return {
    delivered: receipts.map(({ exchangeId }) => formatId(exchangeId)),
    refused: bundles.map(code),
  };
}

it("what came under the id or the digest of another bundle is named under neither", async () => {
  const bundle = await sealed();
  const request = await forge(world.keys, bundle, { header: { grade: "G4" } });
  const bundleId = newId();
  const file = `${Buffer.from(bundleId).toString("hex")}.lfb`;
  await copyFile(bundle.path, join(dirname(bundle.path), file));
  const false_ = [
    { ...request, bundleId, file },
    { ...request, headerDigest: new Uint8Array(32) },
  ];
  for (const one of false_) {
    expect(await world.deliver(one)).toMatchObject({ code: "bundle.header-invalid" });
  }
  expect(await said()).toBeUndefined();
});

it("what was accepted after it had been refused is named no more, for its exchanges speak", async () => {
  const bundle = await sealed();
  const { bundleId = null, headerDigest = null, lane = null } = bundle.request;
  const refusedCode = "verdict.unknown-policy-key";
  await world.deliver({ bundleId, headerDigest, lane, refusedCode });
  await deliverTo(world, bundle);
  const [exchangeId = newId()] = bundle.exchangeIds;
  expect(await said()).toEqual({ delivered: [formatId(exchangeId)], refused: [] });
  const { rows } = await world.pool.query("SELECT 1 FROM receipt_due_bundle");
  expect(rows).toEqual([]);
});
