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
  type SealItem,
  sealBundle,
  type VerifyContext,
  verifyHeader,
} from "../src/bundle/index.ts";
import { encodeCanonical } from "../src/canonical.ts";
import { lightferry } from "../src/gen/index.js";
import { newId } from "../src/ids.ts";
import { highestGrade } from "../src/registry/grades.ts";
import { formatKeyId, loadProvider, type Sm2PrivateKey } from "../src/sm/index.ts";
import { itemCommitment, signVerdictBatch } from "../src/verdict/index.ts";

const { ManifestEntry } = lightferry.bundle.v1;
const { Decision, Direction } = lightferry.policy.v1;

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

export interface DraftItem {
  readonly content: Uint8Array;
  readonly trail?: readonly Uint8Array[];
  readonly entry?: lightferry.bundle.v1.ManifestEntry.$Properties;
  readonly verdict?: lightferry.policy.v1.Verdict.$Properties;
}

/** How the content reaches the sealer: in pieces of at most this many bytes. */
const PIECE = 100_000;

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** Input for the sealer, permitted by one verdict batch; `change` alters it afterwards. */
export function sealInput(
  drafts: readonly DraftItem[],
  change: Partial<SealInput> = {},
): SealInput {
  const prepared = drafts.map((draft, index) => {
    const entry = encodeCanonical(ManifestEntry, {
      exchangeId: newId(NOW),
      kind: "request",
      service: "registration",
      caller: "demo-caller",
      grant: "grant-1",
      grade: "G2",
      purpose: "test",
      http: { method: "POST", path: `/records/${index}`, headers: [] },
      size: draft.content.length,
      digest: provider.sm3(draft.content),
      submittedMs: NOW - 1000,
      ...draft.entry,
    });
    const salt = provider.sm3(entry, Uint8Array.of(1));
    return { draft, entry, salt, commitment: itemCommitment(provider, salt, entry) };
  });
  const signed = signVerdictBatch(
    provider,
    policy.key,
    { policyNode: policy.nodeId, keyId: policy.keyId },
    prepared.map(({ draft, commitment }) => ({
      verdictId: newId(NOW),
      direction: Direction.DIRECTION_EXPORT,
      decision: Decision.DECISION_PERMIT,
      commitment,
      lane: "inbound",
      sender: sender.nodeId,
      recipients: [recipient.nodeId],
      grade: draft.entry?.grade ?? "G2",
      decidedMs: NOW - 500,
      expiresMs: NOW + DAY,
      policyVersion: "pack-1",
      ruleIds: ["permit-registration"],
      ...draft.verdict,
    })),
  );
  const items = prepared.map(({ draft, entry, salt }, index): SealItem => {
    const proof = signed.items[index];
    if (proof === undefined) throw new Error("one verdict per item");
    return {
      salt,
      entry,
      trail: draft.trail ?? [],
      verdict: proof.verdict,
      batch: 0,
      leaf: proof.leaf,
      path: proof.path,
      content: () => inPieces(draft.content),
    };
  });
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
    batches: [signed.batch],
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
