/** Guarantee: items for the sealer as a policy permitted them, all in one signed batch, from a few words about each. */
import type { SealItem } from "../bundle/index.ts";
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { newId } from "../ids.ts";
import type { Sm2PrivateKey, SmProvider } from "../sm/index.ts";
import { itemCommitment, signVerdictBatch } from "../verdict/index.ts";

const { ManifestEntry } = lightferry.bundle.v1;
const { Decision, Direction } = lightferry.policy.v1;

export interface DraftItem {
  readonly content: Uint8Array;
  readonly trail?: readonly Uint8Array[];
  readonly entry?: lightferry.bundle.v1.ManifestEntry.$Properties;
  readonly verdict?: lightferry.policy.v1.Verdict.$Properties;
}

export interface Permission {
  readonly provider: SmProvider;
  readonly policy: {
    readonly nodeId: string;
    readonly key: Sm2PrivateKey;
    readonly keyId: string;
  };
  readonly nowMs: number;
  readonly expiresMs: number;
  readonly lane: string;
  readonly sender: string;
  readonly recipient: string;
  /** Of every request, unless its draft says otherwise. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
}

/** How the content reaches the sealer: in pieces of at most this many bytes. */
const PIECE = 100_000;

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** Entry and verdict of each draft as it says, and usual ones where it says nothing. */
export function permittedItems(permission: Permission, drafts: readonly DraftItem[]) {
  const { provider, policy, nowMs, expiresMs, lane, sender, recipient } = permission;
  const prepared = drafts.map((draft, index) => {
    const exchangeId = draft.entry?.exchangeId ?? newId(nowMs);
    const headers = [...(permission.headers ?? [])];
    const entry = encodeCanonical(ManifestEntry, {
      exchangeId,
      ...{ kind: "request", service: "registration", caller: "demo-caller" },
      ...{ grant: "grant-1", grade: "G2", purpose: "test" },
      ...(draft.entry?.file
        ? {}
        : { http: { method: "POST", path: `/records/${index}`, headers } }),
      size: draft.content.length,
      digest: provider.sm3(draft.content),
      submittedMs: nowMs - 1_000,
      ...draft.entry,
    });
    const salt = provider.sm3(entry, Uint8Array.of(1));
    return { draft, exchangeId, entry, salt, commitment: itemCommitment(provider, salt, entry) };
  });
  const signed = signVerdictBatch(
    provider,
    policy.key,
    { policyNode: policy.nodeId, keyId: policy.keyId },
    prepared.map(({ draft, commitment }) => ({
      verdictId: newId(nowMs),
      direction: Direction.DIRECTION_EXPORT,
      decision: Decision.DECISION_PERMIT,
      commitment,
      ...{ lane, sender, recipients: [recipient] },
      grade: draft.entry?.grade ?? "G2",
      decidedMs: nowMs - 500,
      ...{ expiresMs, policyVersion: "pack-1", ruleIds: ["permit-registration"] },
      ...draft.verdict,
    })),
  );
  const items = prepared.map(({ draft, entry, salt }, index): SealItem => {
    const proof = signed.items[index];
    if (proof === undefined) {
      throw new GatewayError("internal.fault", { detail: "one verdict per item" });
    }
    const { verdict, leaf, path } = proof;
    const trail = draft.trail ?? [];
    const content = () => inPieces(draft.content);
    return { salt, entry, trail, verdict, batch: 0, leaf, path, content };
  });
  return { batch: signed.batch, items, exchangeIds: prepared.map(({ exchangeId }) => exchangeId) };
}
