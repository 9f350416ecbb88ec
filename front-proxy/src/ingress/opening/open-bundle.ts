/**
 * Guarantee: one accepted bundle is opened in constant memory, its items are
 * taken in by batches, and doing it again after a crash takes in only what is
 * missing.
 */
import { join } from "node:path";
import {
  BundleItemError,
  type OpenedItem,
  openBundle,
  readHeader,
  type VerifiedHeader,
  verifyHeader,
} from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { FrontProxyContext } from "../../context.ts";
import type { Spool } from "../../payload/spool.ts";
import { assertKeysStand, keysOf } from "../../trust/directory.ts";
import type { ReadyContents, VerifiedHeaders } from "../handoff.ts";
import { awaitOwnKey } from "../keys/at-hand.ts";
import type { DecryptionRing } from "../keys/own-keys.ts";
import type { TrustImports } from "../trust-imports.ts";
import { DECIDE_BATCH_BYTES, DECIDE_BATCH_ITEMS, INLINE_ITEM_BYTES } from "../tuning.ts";
import type {
  Candidate,
  FaultyCandidate,
  InlineCandidate,
  Origin,
  StagedCandidate,
} from "./candidate.ts";
import { findArrived } from "./delivery-rows.ts";
import { stage } from "./keep.ts";
import { takeIn } from "./take-in.ts";

/** A row of inbox_bundle that waits to be opened. */
export interface UnopenedBundle {
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly file: string;
  readonly size: number;
  readonly acceptedMs: number;
}

export interface OpeningDesk {
  readonly context: FrontProxyContext;
  readonly inboxDir: string;
  readonly staging: Spool;
  readonly ring: DecryptionRing;
  readonly trustImports: TrustImports;
  readonly headers: VerifiedHeaders;
  readonly ready: ReadyContents;
  /** Deliveries may have become ready. */
  readonly onTakenIn: () => void;
}

/**
 * @returns true when a suspected secret was inside: the file must not be kept.
 * @throws GatewayError `bundle.*`, `verdict.*` when the file does not hold what was accepted,
 * `certificate.*` when its keys no longer count;
 * any other error means: do it again later.
 */
export async function openAccepted(desk: OpeningDesk, bundle: UnopenedBundle): Promise<boolean> {
  const { context } = desk;
  const { provider } = context.shell;
  const path = join(desk.inboxDir, bundle.file);
  const verified = desk.headers.take(bundle.bundleId) ?? (await verifyAgain(desk, bundle, path));
  if (Buffer.compare(verified.headerDigest, bundle.headerDigest) !== 0) {
    throw new GatewayError("bundle.header-invalid", { detail: "not the accepted bundle" });
  }
  const { header } = verified;
  // Keys may have been revoked or denied since it was accepted.
  assertKeysStand(keysOf(context), header);
  await awaitOwnKey(desk, header.recipients);
  const origin: Origin = {
    bundleId: header.bundleId,
    lane: header.lane,
    stream: header.stream,
    sequence: header.sequence,
    sender: header.sender,
    senderZone: context.registry().node(header.sender)?.zone ?? "",
    expiresMs: header.expiresMs,
  };
  const batches = new Batches(desk, origin);
  const onTrust = (items: readonly Uint8Array[]) => desk.trustImports.offer(header.bundleId, items);
  for await (const item of openBundle(provider, verified, desk.ring, { from: path, onTrust })) {
    const record = header.items[item.index];
    if (record === undefined) throw new GatewayError("bundle.manifest-invalid");
    await batches.add(item, {
      index: item.index,
      entry: item.entry,
      entryBytes: item.entryBytes,
      salt: item.salt,
      commitment: record.commitment,
      trail: item.trail,
      exportVerdict: record.verdict,
    });
  }
  return batches.finish();
}

/** After a restart, or when too much waited: the file speaks for itself once more. */
async function verifyAgain(
  { context }: OpeningDesk,
  bundle: UnopenedBundle,
  path: string,
): Promise<VerifiedHeader> {
  const received = await readHeader(path);
  return verifyHeader(context.shell.provider, received, {
    // What was accepted in time stays accepted, however long our own outage lasts, and whatever our own clock
    // said then: it was the sender's time that counted.
    now: Math.min(
      Math.max(bundle.acceptedMs, received.header.createdMs),
      received.header.expiresMs - 1,
    ),
    keys: keysOf(context),
    self: context.config.node,
  });
}

/** Gathers items until a Decide call is full. */
class Batches {
  readonly #desk: OpeningDesk;
  readonly #origin: Origin;
  #inline: InlineCandidate[] = [];
  #staged: StagedCandidate[] = [];
  #faulty: FaultyCandidate[] = [];
  #bytes = 0;
  #sealedAway = false;

  constructor(desk: OpeningDesk, origin: Origin) {
    this.#desk = desk;
    this.#origin = origin;
  }

  async add(item: OpenedItem, candidate: Candidate): Promise<void> {
    const { size } = candidate.entry;
    try {
      if (size <= INLINE_ITEM_BYTES) {
        const full =
          this.#bytes + size > DECIDE_BATCH_BYTES || this.#inline.length >= DECIDE_BATCH_ITEMS;
        if (full) await this.#flush(false);
        this.#inline.push({ ...candidate, bytes: await gather(item.content, size) });
        this.#bytes += size;
        return;
      }
      await this.#stage(item, candidate);
    } catch (error) {
      if (!(error instanceof BundleItemError)) throw error;
      this.#faulty.push({ ...candidate, fault: error.code });
    }
  }

  async finish(): Promise<boolean> {
    await this.#flush(true);
    return this.#sealedAway;
  }

  async #stage(item: OpenedItem, candidate: Candidate): Promise<void> {
    const { context, staging } = this.#desk;
    const arrived = await findArrived(context.pool, [candidate.entry.exchangeId]);
    if (arrived.size > 0) {
      // Nothing of it is needed: take-in tells a repeated run from a replay by the ids alone.
      this.#inline.push({ ...candidate, bytes: new Uint8Array() });
      return;
    }
    const kept = await stage(context, staging, this.#origin, candidate.entry, item.content);
    this.#staged.push({ ...candidate, kept });
    // A large item is decided by a stream of its own; what waits goes with it.
    await this.#flush(false);
  }

  async #flush(last: boolean): Promise<void> {
    const batch = { inline: this.#inline, staged: this.#staged, faulty: this.#faulty, last };
    this.#inline = [];
    this.#staged = [];
    this.#faulty = [];
    this.#bytes = 0;
    const { onTakenIn } = this.#desk;
    const { sealedAway } = await takeIn(this.#desk, this.#origin, batch);
    this.#sealedAway ||= sealedAway;
    onTakenIn();
  }
}

/** Content of an item whose size the manifest check has bounded; ends with its digest check. */
async function gather(content: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for await (const piece of content) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
