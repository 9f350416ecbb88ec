/**
 * Guarantee: a lease becomes one bundle whose every item matched its verdict
 * byte for byte, lying complete and durable in the outbox directory, or nothing.
 *
 *   lease ─▶ journal exchange.sealed ─▶ unwrap, re-hash, encrypt, sign ─▶ fsync, rename ─▶ SealedFile
 */
import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type KeyUsage, sealBundle } from "@lightferry/proto/bundle";
import { asGatewayError, type ErrorCode, GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import type { PayloadVault } from "@lightferry/proto/keystore";
import {
  type Grade,
  highestGrade,
  isGrade,
  isReceiptLane,
  type Registry,
} from "@lightferry/proto/registry";
import type { Shell, SigningRing } from "@lightferry/proto/service";
import type { KeyDirectory, TrustStore } from "@lightferry/proto/trust";
import { OUTBOX_FILE_MODE, outboxFileName } from "../outbox-file.ts";
import { syncDirectory } from "../payload/spool.ts";
import { directoryOf } from "../trust/directory.ts";
import { laneFault } from "../trust/lane-trust.ts";
import type { Announcements } from "./announcements.ts";
import type { SealConfig } from "./config.ts";
import { ItemsError } from "./items-error.ts";
import { type OpenedItem, openItems } from "./open-items.ts";
import { checkpointKeyId, presentedChains, signingKey } from "./signing.ts";

const { ManifestEntry } = lightferry.bundle.v1;
const { Verdict } = lightferry.policy.v1;
type Lease = InstanceType<typeof lightferry.seal.v1.LeaseResponse>;

export interface SealTools {
  readonly shell: Shell<SealConfig>;
  readonly vault: PayloadVault;
  readonly registry: () => Registry;
  /** As last verified; ask again for every lease. */
  readonly trust: () => TrustStore;
  readonly ring: SigningRing;
  readonly announcements: Announcements;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A bundle in the outbox directory that is not committed yet. */
export interface SealedFile {
  readonly bundleId: Uint8Array;
  readonly file: string;
  readonly size: number;
  readonly headerDigest: Uint8Array;
  readonly itemRoot: Uint8Array;
  readonly expiresMs: number;
}

export interface SealedLease {
  readonly sealed: SealedFile;
  /** Version of the trust store whose items ride in it; undefined: none do. */
  readonly announces: number | undefined;
}

export const DRAFT_ENDING = ".sealing";

/**
 * @throws BundleItemError, ItemsError for items that must stop; GatewayError `trust.list-outdated`,
 *   `seal.recipient-unknown`, `seal.key-unregistered` when the lane must wait; and
 *   `bundle.header-too-large`, `bundle.manifest-too-large`, `journal.full`, `spool.disk-full`.
 */
export async function sealLease(tools: SealTools, lease: Lease): Promise<SealedLease> {
  const { shell, registry } = tools;
  const { config } = shell;
  const createdMs = tools.now();
  const trust = tools.trust();
  const directory = directoryOf(registry(), trust);
  const fault = laneFault(registry(), trust, lease.lane, createdMs);
  if (fault !== undefined) throw fault;
  const recipients = lease.recipients.map((nodeId) => {
    const found = directory.encryptKey(nodeId, createdMs);
    if (found === undefined) throw new GatewayError("seal.recipient-unknown", { detail: nodeId });
    return { nodeId, keyId: found.keyId, publicKey: found.publicKey };
  });
  const sign = signingKey(tools.ring, trust, config, createdMs);
  const auditKeyId = checkpointKeyId(lease.checkpoint?.note ?? new Uint8Array());
  const certificates = presentedChains(trust, [
    sign.keyId,
    ...lease.batches.map(({ keyId }) => keyId ?? ""),
    ...(auditKeyId === undefined ? [] : [auditKeyId]),
  ]);
  assertDecisionsStand(lease, directory, { presented: certificates, usedMs: createdMs });
  const entry = registry().lane(lease.lane);
  // Nothing rides beside receipts (SPEC §17.6).
  const bare = entry !== undefined && isReceiptLane(entry);
  const announced = bare ? [] : tools.announcements.due(lease.stream, trust, createdMs);
  const opened = openItems(tools.vault, config.spoolDir, lease.items);
  const verdicts = opened.map(({ material }) => Verdict.decode(material.verdict));
  const grade = highestGrade(verdicts.map((verdict) => checkedGrade(verdict.grade)));
  const expirySeconds = entry?.expirySeconds ?? 0;
  const expiresMs = Math.min(
    createdMs + expirySeconds * 1_000,
    ...verdicts.map((verdict) => verdict.expiresMs),
  );
  const bundleId = newId();
  const sealedEvents = await journalItems(tools, lease, opened, bundleId);
  const id = formatId(bundleId);
  const draft = join(config.outboxDir, `.${id}${DRAFT_ENDING}`);
  const file = outboxFileName(id);
  try {
    const sealed = await sealBundle(
      shell.provider,
      {
        bundleId,
        lane: lease.lane,
        stream: lease.stream,
        sequence: lease.sequence,
        previousDigest: lease.previousDigest,
        sender: config.node,
        signKey: sign.key,
        signKeyId: sign.keyId,
        createdMs,
        expiresMs,
        grade,
        recipients,
        policyVersion: lease.policyVersion,
        ...(lease.checkpoint ? { checkpoint: lease.checkpoint } : {}),
        certificates,
        trust: announced,
        batches: lease.batches,
        items: opened.map(({ item, material, content }, index) => ({
          ...material,
          batch: item.batch ?? 0,
          trail: bare ? [] : [...(item.trail ?? []), ...(sealedEvents[index] ?? [])],
          content,
        })),
        keys: directory,
      },
      draft,
    );
    await chmod(draft, OUTBOX_FILE_MODE);
    await rename(draft, join(config.outboxDir, file));
    await syncDirectory(config.outboxDir);
    const { size, headerDigest, itemRoot } = sealed;
    return {
      sealed: { bundleId, file, size, headerDigest, itemRoot, expiresMs },
      announces: announced.length === 0 ? undefined : trust.version,
    };
  } catch (error) {
    await rm(draft, { force: true });
    throw asDiskFull(error);
  } finally {
    for (const { key } of opened) key.destroy();
  }
}

/** Removes what was sealed but could not be committed. What the front-proxy has made its own by then goes with its orphans. */
export async function discardSealed(outboxDir: string, sealed: SealedFile): Promise<void> {
  await rm(join(outboxDir, sealed.file), { force: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPERM") throw error;
  });
}

/**
 * A decision whose key has ended, was revoked or denied since is none any more: its items are decided
 * anew. Without this one such decision would hold up everything behind it.
 * @throws ItemsError `certificate.*`.
 */
function assertDecisionsStand(lease: Lease, directory: KeyDirectory, usage: KeyUsage): void {
  const faults = lease.batches.map(({ policyNode, keyId }): ErrorCode | undefined => {
    try {
      const key = directory.policyKey(policyNode ?? "", keyId ?? "", usage);
      return key === undefined ? "certificate.unknown" : undefined;
    } catch (error) {
      return asGatewayError(error).code;
    }
  });
  const code = faults.find((fault) => fault !== undefined);
  if (code === undefined) return;
  const blamed = lease.items.flatMap((item, index) =>
    faults[item.batch ?? 0] === code ? [index] : [],
  );
  throw new ItemsError(code, blamed, "policy key");
}

function checkedGrade(grade: string): Grade {
  if (!isGrade(grade)) throw new GatewayError("seal.verdict-mismatch", { detail: "grade" });
  return grade;
}

/** The last step of the sender's half: these bytes ride in the bundle beside the item. */
async function journalItems(
  tools: SealTools,
  lease: Lease,
  opened: readonly OpenedItem[],
  bundleId: Uint8Array,
): Promise<readonly Uint8Array[][]> {
  const events = opened.map(({ item, material }): EventInput => {
    const entry = ManifestEntry.decode(material.entry);
    return {
      type: "exchange.sealed",
      outcome: "ok",
      exchangeId: item.exchangeId ?? new Uint8Array(),
      bundleId,
      lane: lease.lane,
      actor: entry.caller,
      service: entry.service,
      grade: entry.grade,
      digest: entry.digest,
      size: entry.size,
      policyVersion: lease.policyVersion,
    };
  });
  const recorded = await tools.shell.journal.record(events);
  return recorded.map((bytes) => [bytes]);
}

function asDiskFull(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new GatewayError("spool.disk-full", { detail: "outbox", cause: error })
    : error;
}
