/**
 * Guarantee: a {@link ProvenExchange} says only what signatures of the sender
 * and of its policy service cover (proto/SPEC.md §16.3, in its order). Needs
 * the keys alone: no bundle, no database, no service.
 */
import { createReadStream } from "node:fs";
import { type BundleKeys, decodeEntry, type ItemEntry, type KeyUsage } from "../bundle/index.ts";
import { headerMessage } from "../bundle/keys.ts";
import { CERTIFICATE_MAX, CERTIFICATES_MAX, SALT_BYTES } from "../bundle/limits.ts";
import { decodeHeader } from "../bundle/read.ts";
import { firstRepeated } from "../bundle/repeated.ts";
import { decodeCanonical } from "../canonical.ts";
import { type ErrorCode, GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { merkleRoot } from "../merkle/index.ts";
import type { SmProvider } from "../sm/index.ts";
import {
  assertVerdictCovers,
  type CheckedVerdict,
  itemCommitment,
  type VerdictUse,
  verifyVerdict,
} from "../verdict/index.ts";
import type { ExchangeProof, PermittedProof, SealedProof } from "./format.ts";

const { Verdict } = lightferry.policy.v1;
const { VerdictBatch } = lightferry.bundle.v1;
const { DIRECTION_EXPORT } = lightferry.policy.v1.Direction;
/** As §4.2 of the format writes names and key ids. */
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const KEY_ID = /^[0-9a-f]{32}$/;

/** Where the exchange was sealed. */
export interface ProvenBundle {
  readonly bundleId: Uint8Array;
  /** SM3 of the header: the identity of the bundle in its stream. */
  readonly headerDigest: Uint8Array;
  readonly stream: string;
  readonly sequence: number;
  readonly signKeyId: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly item: number;
  readonly items: number;
}

export interface ProvenExchange {
  readonly commitment: Uint8Array;
  readonly verdict: CheckedVerdict;
  readonly policyNode: string;
  readonly policyKeyId: string;
  /** Undefined for a proof of permission alone. */
  readonly bundle: ProvenBundle | undefined;
  /** Undefined when the proof does not open its commitment. */
  readonly entry: ItemEntry | undefined;
}

/**
 * @param proof from `decodeProof`.
 * @param keys judge certificates as of the time that the signer states; a `KeyDirectory` is one.
 * @throws GatewayError `proof.malformed`, `proof.wrong-item`; `bundle.*`, `verdict.*`, `certificate.*`.
 */
export function checkProof(
  provider: SmProvider,
  proof: ExchangeProof,
  keys: BundleKeys,
): ProvenExchange {
  const proven =
    proof.form === "sealed"
      ? checkSealed(provider, proof, keys)
      : checkPermitted(provider, proof, keys);
  return { ...proven, entry: checkOpening(provider, proof, proven.verdict) };
}

/**
 * The certificates that a proof brings along: worth nothing until verified under a root.
 * @throws GatewayError as `checkProof` does for a header that is none.
 */
export function presentedBy(proof: ExchangeProof): readonly Uint8Array[] {
  return proof.form === "sealed" ? decodeHeader(proof.header).certificates : proof.certificates;
}

type Unopened = Omit<ProvenExchange, "entry">;

function checkSealed(provider: SmProvider, proof: SealedProof, keys: BundleKeys): Unopened {
  // 1. header, as §8.1 steps 4–7
  const header = decodeHeader(proof.header);
  const usage = { presented: header.certificates, usedMs: header.createdMs };
  // 2. signing key, 3. signature
  const key = keys.signKey(header.sender, header.signKeyId, usage);
  if (key === undefined) throw unknown("bundle.unknown-sign-key", header.sender, header.signKeyId);
  if (!provider.sm2Verify(key, headerMessage(proof.header), proof.signature)) {
    throw new GatewayError("bundle.signature-invalid");
  }
  // 4. the item and its commitment
  const record = header.items[proof.item];
  if (record === undefined || Buffer.compare(record.commitment, proof.commitment) !== 0) {
    throw new GatewayError("proof.wrong-item", { detail: `item ${proof.item}` });
  }
  // 5. all commitments under their root, none twice
  const commitments = header.items.map((item) => item.commitment);
  const root = merkleRoot((...parts) => provider.sm3(...parts), commitments);
  if (Buffer.compare(root, header.itemRoot) !== 0) {
    throw new GatewayError("bundle.item-root-mismatch");
  }
  if (firstRepeated(commitments) !== -1) throw new GatewayError("bundle.duplicate-item");
  // 6. the verdict
  const batch = header.verdictBatches[record.batch] ?? new VerdictBatch();
  const { leaf, path, verdict: verdictBytes } = record;
  const verdict = checkVerdict(provider, { verdictBytes, leaf, path, batch }, keys, {
    usage,
    policyNode: header.sender,
    use: {
      commitment: proof.commitment,
      lane: header.lane,
      sender: header.sender,
      recipients: header.recipients.map((recipient) => recipient.nodeId),
      direction: DIRECTION_EXPORT,
      atMs: header.createdMs,
    },
  });
  const { bundleId, stream, sequence, signKeyId, createdMs, expiresMs } = header;
  return {
    commitment: proof.commitment,
    verdict,
    policyNode: batch.policyNode,
    policyKeyId: batch.keyId,
    bundle: {
      ...{ bundleId, stream, sequence, signKeyId, createdMs, expiresMs },
      headerDigest: provider.sm3(proof.header),
      item: proof.item,
      items: header.items.length,
    },
  };
}

function checkPermitted(provider: SmProvider, proof: PermittedProof, keys: BundleKeys): Unopened {
  // 1. limits and form of the batch; the verdict is looked at twice, for the key's time is in it
  const certified = proof.certificates.every(
    ({ length }) => length > 0 && length <= CERTIFICATE_MAX,
  );
  if (proof.certificates.length > CERTIFICATES_MAX || !certified) throw malformed("certificates");
  const batch = decodePart(() => decodeCanonical(VerdictBatch, proof.batch), "batch");
  const formed = NAME.test(batch.policyNode) && KEY_ID.test(batch.keyId);
  if (!formed || batch.signature.length !== 64 || batch.root.length !== 32)
    throw malformed("batch");
  const stated = decodePart(() => decodeCanonical(Verdict, proof.verdict), "verdict");
  // 2.–3. policy key, verdict and what it covers: at the moment of the decision
  const proofOfVerdict = { verdictBytes: proof.verdict, leaf: proof.leaf, path: proof.path, batch };
  const verdict = checkVerdict(provider, proofOfVerdict, keys, {
    usage: { presented: proof.certificates, usedMs: stated.decidedMs },
    policyNode: batch.policyNode,
    use: {
      commitment: proof.commitment,
      lane: stated.lane,
      sender: batch.policyNode,
      recipients: stated.recipients,
      direction: DIRECTION_EXPORT,
      atMs: stated.decidedMs,
    },
  });
  return {
    commitment: proof.commitment,
    verdict,
    policyNode: batch.policyNode,
    policyKeyId: batch.keyId,
    bundle: undefined,
  };
}

interface VerdictDuty {
  readonly usage: KeyUsage;
  /** The only node whose policy may have decided. */
  readonly policyNode: string;
  readonly use: VerdictUse;
}

/** Format §8.2 step 7 for one item. */
function checkVerdict(
  provider: SmProvider,
  proof: Parameters<typeof verifyVerdict>[1],
  keys: BundleKeys,
  duty: VerdictDuty,
): CheckedVerdict {
  const { policyNode, keyId } = proof.batch;
  const own = policyNode === duty.policyNode;
  const key = own ? keys.policyKey(policyNode, keyId, duty.usage) : undefined;
  if (key === undefined) throw unknown("verdict.unknown-policy-key", policyNode, keyId);
  const verdict = verifyVerdict(provider, proof, key);
  assertVerdictCovers(verdict, duty.use);
  return verdict;
}

/** The last step: the opening, where there is one. */
function checkOpening(
  provider: SmProvider,
  proof: ExchangeProof,
  verdict: CheckedVerdict,
): ItemEntry | undefined {
  if (proof.opening === undefined) return undefined;
  const { salt, entry: entryBytes } = proof.opening;
  if (salt.length !== SALT_BYTES) throw malformed("salt");
  if (Buffer.compare(itemCommitment(provider, salt, entryBytes), proof.commitment) !== 0) {
    throw new GatewayError("bundle.commitment-mismatch");
  }
  const entry = decodeEntry(entryBytes);
  if (entry.grade !== verdict.grade) throw malformed("grade");
  return entry;
}

/**
 * That a file is the content of the exchange. Reads it once, in pieces.
 * @throws GatewayError `proof.not-opened`, `proof.content-mismatch`; Node's own error when the
 * file cannot be read.
 */
export async function checkContent(
  provider: SmProvider,
  proven: ProvenExchange,
  path: string,
): Promise<void> {
  const { entry } = proven;
  if (entry === undefined) throw new GatewayError("proof.not-opened");
  const hash = provider.createSm3();
  let size = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(piece);
    size += piece.length;
  }
  const digest = hash.digest();
  if (size !== entry.size || Buffer.compare(digest, entry.digest) !== 0) {
    throw new GatewayError("proof.content-mismatch", { detail: `${size} of ${entry.size} bytes` });
  }
}

function decodePart<T>(decode: () => T, name: string): T {
  try {
    return decode();
  } catch (cause) {
    throw new GatewayError("proof.malformed", { detail: name, cause });
  }
}

function unknown(code: ErrorCode, node: string, keyId: string): GatewayError {
  return new GatewayError(code, { detail: `${node} ${keyId}` });
}

function malformed(detail: string): GatewayError {
  return new GatewayError("proof.malformed", { detail });
}
