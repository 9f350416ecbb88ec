/**
 * Guarantee: a lease becomes one bundle whose every item matched its verdict
 * byte for byte, lying complete and durable in the outbox directory, or nothing.
 *
 *   lease ─▶ journal exchange.sealed ─▶ unwrap, re-hash, encrypt, sign ─▶ fsync, rename ─▶ SealedFile
 */
import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type SealItem, sealBundle } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import type { PayloadKey, PayloadVault } from "@lightferry/proto/keystore";
import { type Grade, highestGrade, isGrade, type Registry } from "@lightferry/proto/registry";
import type { Shell } from "@lightferry/proto/service";
import { readSpoolFile, syncDirectory } from "../payload/spool.ts";
import type { SealConfig } from "./config.ts";
import type { SignKey } from "./sign-key.ts";

const { ManifestEntry } = lightferry.bundle.v1;
const { Verdict } = lightferry.policy.v1;
type Lease = InstanceType<typeof lightferry.seal.v1.LeaseResponse>;
type LeasedItem = lightferry.seal.v1.SealItem.$Properties;

export interface SealTools {
  readonly shell: Shell<SealConfig>;
  readonly vault: PayloadVault;
  readonly registry: () => Registry;
  readonly signKey: SignKey;
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

/** ferry tx runs as another user of the same group and only reads. */
const OUTBOX_FILE_MODE = 0o640;
export const DRAFT_ENDING = ".sealing";

/**
 * @throws BundleItemError for one item that must stop; GatewayError `seal.recipient-unknown`,
 *   `bundle.header-too-large`, `bundle.manifest-too-large`, `journal.full`, `spool.disk-full`.
 */
export async function sealLease(tools: SealTools, lease: Lease): Promise<SealedFile> {
  const { shell, registry, signKey } = tools;
  const { config } = shell;
  const directory = registry().keyDirectory();
  const recipients = lease.recipients.map((nodeId) => {
    const found = directory.encryptKey(nodeId);
    if (found === undefined) throw new GatewayError("seal.recipient-unknown", { detail: nodeId });
    return { nodeId, ...found };
  });
  const verdicts = lease.items.map((item) => Verdict.decode(item.verdict ?? new Uint8Array()));
  const grade = highestGrade(verdicts.map((verdict) => checkedGrade(verdict.grade)));
  const createdMs = Date.now();
  const expirySeconds = registry().lane(lease.lane)?.expirySeconds ?? 0;
  const expiresMs = Math.min(
    createdMs + expirySeconds * 1_000,
    ...verdicts.map((verdict) => verdict.expiresMs),
  );
  const bundleId = newId();
  const trails = await journalItems(tools, lease, bundleId);
  const id = formatId(bundleId);
  const draft = join(config.outboxDir, `.${id}${DRAFT_ENDING}`);
  const file = `${id}.lfb`;
  const keys: PayloadKey[] = [];
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
        signKey: signKey.key,
        signKeyId: signKey.keyId,
        createdMs,
        expiresMs,
        grade,
        recipients,
        policyVersion: lease.policyVersion,
        ...(lease.checkpoint ? { checkpoint: lease.checkpoint } : {}),
        batches: lease.batches,
        items: lease.items.map((item, index) =>
          sealItem(tools, item, [...(item.trail ?? []), ...(trails[index] ?? [])], keys),
        ),
        keys: directory,
      },
      draft,
    );
    await chmod(draft, OUTBOX_FILE_MODE);
    await rename(draft, join(config.outboxDir, file));
    await syncDirectory(config.outboxDir);
    const { size, headerDigest, itemRoot } = sealed;
    return { bundleId, file, size, headerDigest, itemRoot, expiresMs };
  } catch (error) {
    await rm(draft, { force: true });
    throw asDiskFull(error);
  } finally {
    for (const key of keys) key.destroy();
  }
}

/** Removes what was sealed but could not be committed. */
export async function discardSealed(outboxDir: string, sealed: SealedFile): Promise<void> {
  await rm(join(outboxDir, sealed.file), { force: true });
}

function checkedGrade(grade: string): Grade {
  if (!isGrade(grade)) throw new GatewayError("seal.verdict-mismatch", { detail: "grade" });
  return grade;
}

/** The last step of the sender's half: these bytes ride in the bundle beside the item. */
async function journalItems(
  tools: SealTools,
  lease: Lease,
  bundleId: Uint8Array,
): Promise<readonly Uint8Array[][]> {
  const events = lease.items.map((item): EventInput => {
    const entry = ManifestEntry.decode(item.entry ?? new Uint8Array());
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

function sealItem(
  tools: SealTools,
  item: LeasedItem,
  trail: readonly Uint8Array[],
  keys: PayloadKey[],
): SealItem {
  return {
    salt: item.salt ?? new Uint8Array(),
    entry: item.entry ?? new Uint8Array(),
    trail,
    verdict: item.verdict ?? new Uint8Array(),
    batch: item.batch ?? 0,
    leaf: item.leaf ?? 0,
    path: item.path ?? [],
    content: () => contentOf(tools, item, keys),
  };
}

async function* contentOf(
  { vault, shell }: SealTools,
  item: LeasedItem,
  keys: PayloadKey[],
): AsyncGenerator<Uint8Array> {
  const key = vault.unwrap(
    item.wrappedKey ?? new Uint8Array(),
    item.exchangeId ?? new Uint8Array(),
  );
  keys.push(key);
  if (item.file) yield* key.decryptStream(readSpoolFile(shell.config.spoolDir, item.file));
  else if (item.ciphertext?.length) yield key.openBytes(item.ciphertext);
  else throw new GatewayError("spool.payload-damaged", { detail: "nothing to seal" });
}

function asDiskFull(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new GatewayError("spool.disk-full", { detail: "outbox", cause: error })
    : error;
}
