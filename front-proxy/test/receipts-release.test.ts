/** What leaves by a lane of receipts: opened again before it may, whoever sealed it, and nothing but receipts in it. */
import { mkdir, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type SealInput, sealBundle } from "@lightferry/proto/bundle";
import { formatId, newId } from "@lightferry/proto/ids";
import { formatKeyId } from "@lightferry/proto/sm";
import { type DraftItem, permittedItems } from "@lightferry/proto/testing";
import { beforeAll, beforeEach, expect, it } from "vitest";
import type { FrontProxyContext } from "../src/context.ts";
import { ReceiptRelease } from "../src/receipts/release.ts";
import { DAY_MS, provider } from "./support/ingress-keys.ts";
import { receiptFile } from "./support/receipt-lists.ts";
import { receivingZoneOfFile, world } from "./support/receiving.ts";
import { registered } from "./support/registered.ts";
import { laneEntry } from "./support/signed-registry.ts";

receivingZoneOfFile();

const HERE = "node-business";
const THERE = "node-extranet";
const LANE = "return";

let outboxDir: string;
let release: ReceiptRelease;
beforeAll(async () => {
  outboxDir = join(world.dirs.inbox, "..", "outbox");
  await mkdir(outboxDir);
  release = new ReceiptRelease(withLane({ kinds: ["receipt"] }));
});
beforeEach(() => {
  world.events.length = 0;
});

function withLane(change: object): FrontProxyContext {
  const maxima = { maxRequestBytes: 1e6, maxFileBytes: 1 };
  const back = { ...laneEntry(LANE, "business", "extranet", "open", maxima), ...change };
  const context = registered(world.context, ({ lanes }) => ({ lanes: [...lanes, back] }));
  return { ...context, config: { ...context.config, outboxDir } };
}

const receipts = () =>
  receiptFile(world.keys.trust.pki.key(HERE, "sign"), {
    number: 1,
    said: { [formatId(newId())]: "delivered" },
  });

/** As this zone's own sealer would leave it, but for what a test changes. */
async function sealed(draft: Partial<DraftItem> = {}, change: Partial<SealInput> = {}) {
  const { pki } = world.keys.trust;
  const now = Date.now();
  const term = { nowMs: now, expiresMs: now + DAY_MS };
  const [signKey, policyKey] = [pki.key(HERE, "sign"), pki.key(HERE, "policy")];
  const signKeyId = formatKeyId(signKey.publicKey);
  const policy = { nodeId: HERE, key: policyKey, keyId: formatKeyId(policyKey.publicKey) };
  const { entry, ...rest } = draft;
  const { batch, items } = permittedItems(
    { provider, ...term, lane: LANE, sender: HERE, recipient: THERE, policy },
    [
      {
        content: receipts(),
        entry: { kind: "receipt", service: "receipts", http: null, ...entry },
        verdict: { recipients: [HERE, THERE] },
        ...rest,
      },
    ],
  );
  const bundleId = newId();
  const file = `${formatId(bundleId)}.lfb`;
  const stream = `${LANE}/${HERE}/normal`;
  const { headerDigest, size } = await sealBundle(
    provider,
    {
      ...{ bundleId, lane: LANE, stream, sequence: 1, previousDigest: new Uint8Array(32) },
      ...{ sender: HERE, signKey, signKeyId, createdMs: now, expiresMs: now + DAY_MS },
      ...{ grade: "G2", policyVersion: "pack-1", batches: [batch], items },
      recipients: [HERE, THERE].map(recipient),
      certificates: pki.store.chain(signKeyId),
      keys: pki.store.keyDirectory(),
      ...change,
    },
    join(outboxDir, file),
  );
  return { bundleId, headerDigest, file, size, stream };
}

function recipient(nodeId: string) {
  const found = world.keys.trust.pki.store.active(nodeId, "encrypt", Date.now());
  if (found === undefined) expect.unreachable(nodeId);
  return { nodeId, keyId: found.keyId, publicKey: found.publicKey };
}

it("are let out", async () => {
  await release.check(await sealed());
  expect(world.events).toEqual([]);
});

it.each<[string, string, () => Parameters<typeof sealed>]>([
  [
    "a request that was permitted",
    "item 0: request",
    () => [{ entry: { kind: "request", http: { method: "POST", path: "/x" } } }],
  ],
  ["a text", "receipt.malformed", () => [{ content: Buffer.from("delivered") }]],
  [
    "words behind receipts",
    "receipt.malformed",
    () => [{ content: Buffer.concat([receipts(), Buffer.from("x")]) }],
  ],
  ["a trail", "item 0: trail", () => [{ trail: [Buffer.from("anything")] }]],
  [
    "revocation lists that are none",
    "trust items",
    () => [{}, { trust: [Buffer.from("anything")] }],
  ],
  [
    "a checkpoint",
    "checkpoint",
    () => [{}, { checkpoint: { note: Buffer.from("anything"), proof: [] } }],
  ],
  [
    "a certificate of nobody",
    "certificate 0",
    () => [{}, { certificates: [Buffer.from("anything")] }],
  ],
  ["a name of its own", "policy version", () => [{}, { policyVersion: "anything" }]],
  [
    "nothing that we could open",
    "bundle.wrong-recipient",
    () => [{}, { recipients: [recipient(THERE)] }],
  ],
])("refused: %s", async (_, detail, parts) => {
  const commit = await sealed(...parts());
  await expect(release.check(commit)).rejects.toMatchObject({
    code: "outbox.not-receipts",
    detail,
  });
  await expect
    .poll(() => world.events)
    .toMatchObject([
      { type: "bundle.refused", code: "outbox.not-receipts", lane: LANE, actor: "seal" },
    ]);
});

it("refused when it is not the bundle that is committed", async () => {
  const [one, other] = [await sealed(), await sealed()];
  const { file, size } = other;
  await expect(release.check({ ...one, file, size })).rejects.toMatchObject({ detail: "header" });
});

it("are no longer their sealer's: what it writes behind the look does not leave", async () => {
  const commit = await sealed();
  const path = join(outboxDir, commit.file);
  const before = await readFile(path);
  await using kept = await open(path, "r+");
  await release.check(commit);
  await kept.write(Buffer.from("content"), 0, 7, commit.size - 7);
  expect(await readFile(path)).toEqual(before);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  // Nor does a look that ends badly leave a copy behind.
  const files = (await readdir(outboxDir)).length;
  await expect(release.check({ ...commit, headerDigest: new Uint8Array(32) })).rejects.toThrow();
  expect(await readdir(outboxDir)).toHaveLength(files);
});

it("of other lanes nothing is asked", async () => {
  const other = new ReceiptRelease(withLane({ kinds: ["request"] }));
  const commit = await sealed();
  await other.check({ ...commit, file: "not-there.lfb" });
  await expect(release.check({ ...commit, file: "not-there.lfb" })).rejects.toThrow();
});
