/** Guarantee tested: of bundles refused unopened only those are named that were refused under their own id, and none that was accepted since. */
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatId, newId } from "@lightferry/proto/ids";
import { decodeReceiptList } from "@lightferry/proto/receipt";
import { beforeEach, expect, it } from "vitest";
import { OWED_MAX } from "../src/receipts/bundle-rows.ts";
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

it("what no bundle can be called is not owed a word, which no list could hold, and nothing behind it", async () => {
  const bundleId = Buffer.alloc(16, 1);
  const [headerDigest, lane] = [new Uint8Array(32), "inbound"];
  const told = world.deliver({ bundleId, headerDigest, lane, refusedCode: "bundle.expired" });
  await expect(told).rejects.toMatchObject({ code: "rpc.bad-message" });
  expect(await said()).toBeUndefined();
});

it("as many are owed a word as a file of lists holds, whoever tells of more", async () => {
  await world.pool.query(
    `INSERT INTO receipt_due_bundle SELECT decode('019bbf5c0000700080000000' || lpad(to_hex(n), 8, '0'), 'hex'),
       'inbound', 'bundle.expired', n FROM generate_series(1, $1::int) AS n`,
    [OWED_MAX - 1],
  );
  const tell = (bundleId: Uint8Array) =>
    world.deliver({
      ...{ bundleId, headerDigest: new Uint8Array(32), lane: "inbound" },
      refusedCode: "bundle.expired",
    });
  for (const bundleId of [newId(), newId()]) {
    expect(await tell(bundleId)).toMatchObject({ status: "quarantined" });
  }
  const { rows } = await world.pool.query("SELECT count(*)::int AS owed FROM receipt_due_bundle");
  expect(rows).toEqual([{ owed: OWED_MAX }]);
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
