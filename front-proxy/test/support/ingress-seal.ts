/** Guarantee: bundles of the real sealer, with verdicts that are really signed, as a far side would send them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type SealInput, type SealItem, sealBundle } from "@lightferry/proto/bundle";
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import { formatKeyId, type SmProvider } from "@lightferry/proto/sm";
import { itemCommitment, signVerdictBatch } from "@lightferry/proto/verdict";
import { DAY_MS, type Keys, provider } from "./ingress-keys.ts";

const { Decision, Direction } = lightferry.policy.v1;

export interface DraftItem {
  readonly content: Uint8Array;
  readonly entry?: lightferry.bundle.v1.ManifestEntry.$Properties;
  readonly verdict?: lightferry.policy.v1.Verdict.$Properties;
  readonly trail?: readonly Uint8Array[];
}

/** What a test seals otherwise; `by` signs, for keys that only their own provider can use. */
export type SealChange = Partial<SealInput> & { readonly by?: SmProvider };

export interface Delivered {
  readonly request: lightferry.ferry.v1.DeliverRequest.$Properties;
  readonly path: string;
  readonly exchangeIds: readonly Uint8Array[];
}

let sequence = 0;

export async function sealDrafts(
  keys: Keys,
  arrivals: string,
  drafts: readonly DraftItem[],
  { by = provider, ...change }: SealChange,
): Promise<Delivered> {
  const signKey = change.signKey ?? keys.sign;
  const signKeyId = formatKeyId(signKey.publicKey);
  const now = Date.now();
  const prepared = drafts.map((draft, index) => {
    const exchangeId = draft.entry?.exchangeId ?? newId();
    const entry = encodeCanonical(lightferry.bundle.v1.ManifestEntry, {
      exchangeId,
      kind: "request",
      service: "registration",
      caller: "demo-caller",
      grant: "grant-1",
      grade: "G2",
      purpose: "test",
      ...(draft.entry?.file
        ? {}
        : {
            http: {
              method: "POST",
              path: `/records/${index}`,
              headers: [{ name: "content-type", value: "application/json" }],
            },
          }),
      size: draft.content.length,
      digest: provider.sm3(draft.content),
      submittedMs: now - 1_000,
      ...draft.entry,
    });
    const salt = provider.sm3(entry, Uint8Array.of(1));
    return { draft, exchangeId, entry, salt, commitment: itemCommitment(provider, salt, entry) };
  });
  const signed = signVerdictBatch(
    provider,
    keys.exportPolicy,
    { policyNode: "node-extranet", keyId: formatKeyId(keys.exportPolicy.publicKey) },
    prepared.map(({ draft, commitment }) => ({
      verdictId: newId(),
      direction: Direction.DIRECTION_EXPORT,
      decision: Decision.DECISION_PERMIT,
      commitment,
      lane: "inbound",
      sender: "node-extranet",
      recipients: ["node-business"],
      grade: "G2",
      decidedMs: now - 500,
      expiresMs: now + 7 * DAY_MS,
      policyVersion: "pack-1",
      ruleIds: ["permit"],
      ...draft.verdict,
    })),
  );
  sequence += 1;
  const bundleId = change.bundleId ?? newId();
  const path = join(arrivals, `${formatId(bundleId)}.${sequence}.lfb`);
  const { pki } = keys.trust;
  const store = pki.store;
  const encrypt = store.active("node-business", "encrypt", now);
  if (encrypt === undefined) throw new Error("no encryption certificate");
  const sealed = await sealBundle(
    by,
    {
      lane: "inbound",
      stream: "inbound/node-extranet/normal",
      sequence: 1,
      previousDigest: new Uint8Array(32).fill((change.sequence ?? 1) > 1 ? 1 : 0),
      sender: "node-extranet",
      signKey,
      signKeyId,
      createdMs: now - 200,
      expiresMs: now + 7 * DAY_MS,
      grade: "G2",
      recipients: [
        {
          nodeId: "node-business",
          keyId: encrypt.keyId,
          publicKey: encrypt.publicKey,
        },
      ],
      policyVersion: "pack-1",
      batches: [signed.batch],
      items: prepared.map(({ draft, entry, salt }, index): SealItem => {
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
          async *content() {
            for (let at = 0; at < draft.content.length; at += 100_000) {
              yield draft.content.subarray(at, at + 100_000);
            }
          },
        };
      }),
      certificates: [
        ...store.chain(signKeyId),
        ...store.chain(formatKeyId(keys.exportPolicy.publicKey)).slice(0, 1),
      ],
      keys: store.keyDirectory(),
      ...change,
      bundleId,
    },
    path,
  );
  return {
    path,
    exchangeIds: prepared.map(({ exchangeId }) => exchangeId),
    request: {
      bundleId,
      file: path.slice(arrivals.length + 1),
      size: sealed.size,
      headerDigest: sealed.headerDigest,
      lane: "inbound",
      receivedMs: now,
    },
  };
}

/** Flips one bit of a file. */
export async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
