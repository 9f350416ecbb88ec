/**
 * Guarantee: a {@link VerifiedHeader} comes from the registered sender of this
 * lane, unaltered, in time, and every item in it is permitted by that sender's
 * policy service (proto/SPEC.md §8.2). No decryption key is needed, so the ferry
 * checks exactly what the far side will check.
 */
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { merkleRoot } from "../merkle/index.ts";
import { highestGrade } from "../registry/grades.ts";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";
import { assertVerdictCovers, BatchVerifier, type CheckedVerdict } from "../verdict/index.ts";
import { checkChunks } from "./chunk-work.ts";
import type { BundleHeader } from "./header-shape.ts";
import { BundleItemError, forItem } from "./item-error.ts";
import { headerMessage } from "./keys.ts";
import { CLOCK_SKEW_MS, LIFETIME_ALLOWANCE_MS } from "./limits.ts";
import type { ReceivedBundle } from "./read.ts";
import { firstRepeated } from "./repeated.ts";
import { type ByteSource, fileSource } from "./source.ts";
import { tableRoot } from "./table-root.ts";

const { DIRECTION_EXPORT } = lightferry.policy.v1.Direction;

/** What a directory may take into account about a key that a header names. */
export interface KeyUsage {
  /** X.509 DER that came with the header; worth nothing until the directory has verified it. */
  readonly presented: readonly Uint8Array[];
  /** Unix milliseconds: when the key was used, as its user says. */
  readonly usedMs: number;
}

/**
 * The public keys that verification asks for; `KeyDirectory` of the trust store is one. Unknown keys
 * are undefined; for a key that is known and must not be used it throws `certificate.*`.
 */
export interface BundleKeys {
  signKey(nodeId: string, keyId: string, usage: KeyUsage): Sm2PublicKey | undefined;
  policyKey(nodeId: string, keyId: string, usage: KeyUsage): Sm2PublicKey | undefined;
}

export interface VerifyContext {
  /** Unix milliseconds: the sender's time as this node estimates it. */
  readonly now: number;
  /** The latest time that counts as not in the future, where it is not `now`: see sender-time.ts. */
  readonly latest?: number;
  readonly keys: BundleKeys;
  /** The lane that the bundle came by; without it any lane is taken. */
  readonly lane?: string;
  /** The node registered as the sending end of that lane. */
  readonly sender?: string;
  /**
   * Milliseconds that the registry lets a bundle of that lane live (`expirySeconds`), where the
   * reader knows it.
   */
  readonly lifetimeMs?: number | undefined;
  /** The node that must be a recipient. */
  readonly self?: string;
}

/** Signed, permitted, in time; made only by {@link verifyHeader}. */
export interface VerifiedHeader {
  readonly __brand: "VerifiedHeader";
  readonly received: ReceivedBundle;
  readonly header: BundleHeader;
  readonly headerBytes: Uint8Array;
  /** SM3 of the header bytes: the identity of the bundle in its stream. */
  readonly headerDigest: Uint8Array;
  readonly bundleId: Uint8Array;
  /** One per item, in order. */
  readonly verdicts: readonly CheckedVerdict[];
  /** Bytes of the whole bundle. */
  readonly size: number;
}

/**
 * SPEC §8.2, in its order.
 * @throws GatewayError `bundle.wrong-lane`, `.wrong-sender`, `.unknown-sign-key`,
 * `.signature-invalid`, `.table-mismatch`, `.item-root-mismatch`, `.duplicate-item`, `.expired`,
 * `.lifetime-too-long`, `.from-future`, `.grade-mismatch`, `.wrong-recipient`; `verdict.*`; `certificate.*`.
 */
export function verifyHeader(
  provider: SmProvider,
  received: ReceivedBundle,
  context: VerifyContext,
): VerifiedHeader {
  const { header, headerBytes } = received;
  checkOrigin(provider, received, context);
  checkRoots(provider, received);
  const verdicts = checkVerdicts(provider, header, context.keys);
  checkTime(header, context);
  // 12. recipient
  if (
    context.self !== undefined &&
    !header.recipients.some((recipient) => recipient.nodeId === context.self)
  ) {
    throw new GatewayError("bundle.wrong-recipient", { detail: context.self });
  }
  const verified: Omit<VerifiedHeader, "__brand"> = {
    received,
    header,
    headerBytes,
    headerDigest: provider.sm3(headerBytes),
    bundleId: header.bundleId,
    verdicts,
    size: received.layout.fileSize,
  };
  return verified as VerifiedHeader;
}

const WITH_CHECKED_CHUNKS = new WeakSet<VerifiedHeader>();

/** True when {@link verifyChunks} has gone through this bundle in this process. */
export function chunksAreVerified(verified: VerifiedHeader): boolean {
  return WITH_CHECKED_CHUNKS.has(verified);
}

/**
 * SPEC §8.3: every chunk against the digest table, without any key.
 * @param from where the bytes lie now, when the file was moved since `readHeader`.
 * @throws GatewayError `bundle.chunk-digest`, `bundle.truncated`.
 */
export async function verifyChunks(
  provider: SmProvider,
  verified: VerifiedHeader,
  from: string | ByteSource = verified.received.source,
): Promise<void> {
  const { layout, table } = verified.received;
  const reader = await (typeof from === "string" ? fileSource(from) : from).open();
  try {
    await checkChunks(provider, reader, layout, table);
    WITH_CHECKED_CHUNKS.add(verified);
  } finally {
    await reader.close();
  }
}

/** Steps 1–3: lane, sender, key, signature. */
function checkOrigin(provider: SmProvider, received: ReceivedBundle, context: VerifyContext): void {
  const { header, headerBytes, signature } = received;
  if (context.lane !== undefined && header.lane !== context.lane) {
    throw new GatewayError("bundle.wrong-lane", { detail: header.lane });
  }
  if (context.sender !== undefined && header.sender !== context.sender) {
    throw new GatewayError("bundle.wrong-sender", { detail: header.sender });
  }
  const key = context.keys.signKey(header.sender, header.signKeyId, usageOf(header));
  if (key === undefined) {
    throw new GatewayError("bundle.unknown-sign-key", {
      detail: `${header.sender} ${header.signKeyId}`,
    });
  }
  if (!provider.sm2Verify(key, headerMessage(headerBytes), signature)) {
    throw new GatewayError("bundle.signature-invalid");
  }
}

function usageOf(header: BundleHeader): KeyUsage {
  return { presented: header.certificates, usedMs: header.createdMs };
}

/** Steps 4–6: digest table, item tree, no item twice. */
function checkRoots(provider: SmProvider, received: ReceivedBundle): void {
  const { header, table } = received;
  const sm3 = (...parts: readonly Uint8Array[]) => provider.sm3(...parts);
  if (Buffer.compare(tableRoot(sm3, table), header.ciphertextRoot) !== 0) {
    throw new GatewayError("bundle.table-mismatch");
  }
  const commitments = header.items.map((item) => item.commitment);
  if (Buffer.compare(merkleRoot(sm3, commitments), header.itemRoot) !== 0) {
    throw new GatewayError("bundle.item-root-mismatch");
  }
  const twice = firstRepeated(commitments);
  if (twice !== -1) throw new BundleItemError("bundle.duplicate-item", twice);
}

/**
 * Steps 7–9: each item's verdict, each used once, the header's grade the highest of theirs.
 * @throws BundleItemError `verdict.*`; GatewayError `bundle.grade-mismatch`.
 */
export function checkVerdicts(
  provider: SmProvider,
  header: BundleHeader,
  keys: BundleKeys,
): CheckedVerdict[] {
  const recipients = header.recipients.map((recipient) => recipient.nodeId);
  const verifiers = new Map<number, BatchVerifier | undefined>();
  // Of each batch when the first item needs it: what is wrong with an earlier item is told first.
  const verifierOf = (index: number): BatchVerifier | undefined => {
    const batch = header.verdictBatches[index];
    if (batch === undefined || verifiers.has(index)) return verifiers.get(index);
    // The sending node's own policy decides its exports: another node's verdict is none.
    const own = batch.policyNode === header.sender;
    const usage = usageOf(header);
    const key = own ? keys.policyKey(batch.policyNode, batch.keyId, usage) : undefined;
    const verifier = key === undefined ? undefined : new BatchVerifier(provider, batch, key);
    verifiers.set(index, verifier);
    return verifier;
  };
  const verdicts = header.items.map((item, index) => {
    const batch = verifierOf(item.batch);
    return forItem(index, () => checkVerdict(header, item, recipients, batch));
  });
  const reused = firstRepeated(verdicts.map((verdict) => verdict.verdictId));
  if (reused !== -1) throw new BundleItemError("verdict.reused", reused);
  if (highestGrade(verdicts.map((verdict) => verdict.grade)) !== header.grade) {
    throw new GatewayError("bundle.grade-mismatch", { detail: header.grade });
  }
  return verdicts;
}

function checkVerdict(
  header: BundleHeader,
  item: lightferry.bundle.v1.ItemRecord,
  recipients: readonly string[],
  batch: BatchVerifier | undefined,
): CheckedVerdict {
  const { verdict: verdictBytes, leaf, path, commitment } = item;
  if (batch === undefined) {
    const keyId = header.verdictBatches[item.batch]?.keyId ?? "";
    throw new GatewayError("verdict.unknown-policy-key", { detail: keyId });
  }
  const verdict = batch.verify({ verdictBytes, leaf, path });
  assertVerdictCovers(verdict, {
    commitment,
    lane: header.lane,
    sender: header.sender,
    recipients,
    direction: DIRECTION_EXPORT,
    // A verdict is used up by sealing; from then on the expiry of the bundle rules.
    atMs: header.createdMs,
  });
  return verdict;
}

/** Steps 10–11: clocks that cannot both be right, and expiry. */
function checkTime(header: BundleHeader, { now, latest = now, lifetimeMs }: VerifyContext): void {
  if (header.createdMs > latest + CLOCK_SKEW_MS) {
    const detail = `${header.createdMs - latest} ms ahead`;
    throw new GatewayError("bundle.from-future", { detail });
  }
  if (header.expiresMs <= now) {
    throw new GatewayError("bundle.expired", { detail: `${now - header.expiresMs} ms ago` });
  }
  const lives = header.expiresMs - header.createdMs;
  if (lifetimeMs !== undefined && lives > lifetimeMs + LIFETIME_ALLOWANCE_MS) {
    throw new GatewayError("bundle.lifetime-too-long", {
      detail: `${lives} ms, the lane allows ${lifetimeMs}`,
    });
  }
}
