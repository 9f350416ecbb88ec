/** Guarantee: bundles for tests, made with the real sealer from a few words about each item. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BundleKeys,
  bufferSource,
  type OpenedItem,
  openBundle,
  readHeader,
  type SealInput,
  sealBundle,
  type VerifyContext,
  verifyHeader,
} from "../src/bundle/index.ts";
import { newId } from "../src/ids.ts";
import { highestGrade } from "../src/registry/grades.ts";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "../src/sm/index.ts";
import { type DraftItem, permittedItems } from "../src/testing/permitted-items.ts";

export const provider = loadProvider();
export const NOW = Date.UTC(2026, 0, 15, 8);
export const DAY = 24 * 60 * 60 * 1000;

export interface Party {
  readonly nodeId: string;
  readonly key: Sm2PrivateKey;
  readonly keyId: string;
}

export function party(nodeId: string, key: Sm2PrivateKey = provider.generateSm2()): Party {
  return { nodeId, key, keyId: formatKeyId(key.publicKey) };
}

export const sender = party("node-extranet");
export const policy = party("node-extranet");
export const recipient = party("node-business");

/** A directory of exactly these keys. */
export function directory(sign: Party = sender, decide: Party = policy): BundleKeys {
  const find = (owner: Party) => (nodeId: string, keyId: string) =>
    nodeId === owner.nodeId && keyId === owner.keyId ? owner.key.publicKey : undefined;
  return { signKey: find(sign), policyKey: find(decide) };
}

export const context: VerifyContext = {
  now: NOW,
  keys: directory(),
  lane: "inbound",
  sender: sender.nodeId,
  self: recipient.nodeId,
};

/** Input for the sealer, permitted by one verdict batch; `change` alters it afterwards. */
export function sealInput(
  drafts: readonly DraftItem[],
  change: Partial<SealInput> = {},
): SealInput {
  const { batch, items } = permittedItems(
    {
      ...{ provider, policy, nowMs: NOW, expiresMs: NOW + DAY, lane: "inbound" },
      ...{ sender: sender.nodeId, recipient: recipient.nodeId },
    },
    drafts,
  );
  return {
    bundleId: newId(NOW),
    lane: "inbound",
    stream: `inbound/${sender.nodeId}/normal`,
    sequence: 1,
    previousDigest: new Uint8Array(32),
    sender: sender.nodeId,
    signKey: sender.key,
    signKeyId: sender.keyId,
    createdMs: NOW,
    expiresMs: NOW + 7 * DAY,
    grade: highestGrade(drafts.map((draft) => (draft.entry?.grade ?? "G2") as "G2")),
    recipients: [
      { nodeId: recipient.nodeId, keyId: recipient.keyId, publicKey: recipient.key.publicKey },
    ],
    policyVersion: "pack-1",
    batches: [batch],
    items,
    keys: directory(),
    ...change,
  };
}

/** Seals into a folder that is gone afterwards. */
export async function sealToBytes(input: SealInput): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "lightferry-bundle-"));
  try {
    const path = join(folder, "bundle.lfb");
    await sealBundle(provider, input, path);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function gather(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

export interface Read {
  readonly item: OpenedItem;
  readonly content: Buffer;
}

/** The whole way of the far side over bytes in memory. @param step bytes a read hands out at most. */
export async function openBytes(
  bytes: Uint8Array,
  over: Partial<VerifyContext> = {},
  key: Sm2PrivateKey = recipient.key,
  step: number = bytes.length,
): Promise<Read[]> {
  const received = await readHeader(bufferSource(bytes, Math.max(step, 1)));
  const verified = verifyHeader(provider, received, { ...context, ...over });
  const read: Read[] = [];
  for await (const item of openBundle(provider, verified, key)) {
    read.push({ item, content: await gather(item.content) });
  }
  return read;
}
