/** Guarantee: bundles as the sealing service makes them, permitted by one verdict batch each, from content of any size that is never held whole. */
import type { BundleKeys, SealInput } from "../../src/bundle/index.ts";
import { encodeCanonical } from "../../src/canonical.ts";
import { lightferry } from "../../src/gen/index.js";
import { newId } from "../../src/ids.ts";
import { formatKeyId, type Sm2PrivateKey, type SmProvider } from "../../src/sm/index.ts";
import { itemCommitment, signVerdictBatch } from "../../src/verdict/index.ts";

const { ManifestEntry } = lightferry.bundle.v1;
const { Decision, Direction } = lightferry.policy.v1;
const DAY_MS = 24 * 60 * 60 * 1000;
/** What a spool file is read by. */
const PIECE_BYTES = 256 * 1024;
const SENDER = "node-extranet";
const RECIPIENT = "node-business";

/** The same piece over and over, the last one cut. */
export function* pieces(size: number): Generator<Uint8Array> {
  const piece = Buffer.alloc(Math.min(PIECE_BYTES, size), 0x5a);
  for (let at = 0; at < size; at += piece.length) yield piece.subarray(0, size - at);
}

/** Digests that take minutes, made by {@link contentDigest}: one that were wrong would stop the seal. */
const KNOWN_DIGESTS: ReadonlyMap<number, string> = new Map([
  [20e9, "f20a770d6d17ab718cd1a24e729382737a7ad9a492507c481b1889d56796ce2c"],
]);

export function contentDigest(provider: SmProvider, size: number): Uint8Array {
  const known = KNOWN_DIGESTS.get(size);
  if (known !== undefined) return Buffer.from(known, "hex");
  const hash = provider.createSm3(size);
  for (const piece of pieces(size)) hash.update(piece);
  return hash.digest();
}

export interface Workload {
  readonly inputs: readonly SealInput[];
  readonly keys: BundleKeys;
  readonly decryptKey: Sm2PrivateKey;
  readonly now: number;
  readonly context: { readonly lane: string; readonly sender: string; readonly self: string };
}

/** @param items items of each bundle. @param size bytes of each item. */
export function workload(provider: SmProvider, items: readonly number[], size: number): Workload {
  const [sign, policy, decrypt] = [1, 2, 3].map(() => provider.generateSm2()) as [
    Sm2PrivateKey,
    Sm2PrivateKey,
    Sm2PrivateKey,
  ];
  const now = Date.now();
  const keys: BundleKeys = {
    signKey: () => sign.publicKey,
    policyKey: () => policy.publicKey,
  };
  const digest = contentDigest(provider, size);
  const inputs = items.map((count): SealInput => {
    const drafts = Array.from({ length: count }, (_, index) => {
      const request = { kind: "request", http: { method: "POST", path: `/records/${index}` } };
      const file = { kind: "file", file: { name: "content.bin" } };
      const entry = encodeCanonical(ManifestEntry, {
        exchangeId: newId(now),
        service: "registration",
        caller: "bench-caller",
        grant: "grant-1",
        grade: "G2",
        purpose: "bench",
        size,
        digest,
        submittedMs: now - 1000,
        ...(count > 1 ? request : file),
      });
      const salt = provider.sm3(entry, Uint8Array.of(index & 0xff));
      return { entry, salt, commitment: itemCommitment(provider, salt, entry) };
    });
    const signed = signVerdictBatch(
      provider,
      policy,
      { policyNode: SENDER, keyId: formatKeyId(policy.publicKey) },
      drafts.map(({ commitment }) => ({
        verdictId: newId(now),
        direction: Direction.DIRECTION_EXPORT,
        decision: Decision.DECISION_PERMIT,
        commitment,
        lane: "inbound",
        sender: SENDER,
        recipients: [RECIPIENT],
        grade: "G2",
        decidedMs: now - 500,
        expiresMs: now + DAY_MS,
        policyVersion: "pack-1",
        ruleIds: ["permit-registration"],
      })),
    );
    return {
      bundleId: newId(now),
      lane: "inbound",
      stream: `inbound/${SENDER}/normal`,
      sequence: 1,
      previousDigest: new Uint8Array(32),
      sender: SENDER,
      signKey: sign,
      signKeyId: formatKeyId(sign.publicKey),
      createdMs: now,
      expiresMs: now + DAY_MS,
      grade: "G2",
      recipients: [
        { nodeId: RECIPIENT, keyId: formatKeyId(decrypt.publicKey), publicKey: decrypt.publicKey },
      ],
      policyVersion: "pack-1",
      batches: [signed.batch],
      items: drafts.map(({ entry, salt }, index) => ({
        ...{ entry, salt, trail: [Buffer.alloc(300, 1)], batch: 0 },
        verdict: signed.items[index]?.verdict ?? new Uint8Array(),
        leaf: signed.items[index]?.leaf ?? 0,
        path: signed.items[index]?.path ?? [],
        async *content() {
          yield* pieces(size);
        },
      })),
      keys,
    };
  });
  const context = { lane: "inbound", sender: SENDER, self: RECIPIENT };
  return { inputs, keys, decryptKey: decrypt, now, context };
}
