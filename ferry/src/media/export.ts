/**
 * Guarantee: nothing is acknowledged to the outbox that does not lie on the
 * medium, synced, under a durable signed manifest that names it.
 *
 * empty? room? ─▶ lease ─▶ check ─▶ copy, sync … ─▶ manifest, sync ─▶ number ─▶ events ─▶ Ack … ─▶ sheet
 *                            └─ refused: event ─▶ Ack(refuse_code)
 *
 * Until the manifest is durable a crash leaves bundles without one: the next
 * export clears them away (target.ts) and begins a new medium. After it the
 * medium counts, and what was not acknowledged comes again on the next one.
 */
import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, FerryEvent } from "../events.ts";
import type { LinkSigner } from "../signed.ts";
import { onMedium, syncFolder } from "./files.ts";
import { Freight } from "./freight.ts";
import { MANIFEST_NAME, MANIFEST_NEW_NAME, SHEET_NAME } from "./layout.ts";
import { hex, MANIFEST_VERSION, writeManifest } from "./manifest.ts";
import type { MediumNumbers } from "./numbers.ts";
import { handOverSheet } from "./sheet.ts";
import { clearTarget, removeMark, roomOn, setMark } from "./target.ts";

/** Of one record of the journal: some 200 KB, a fraction of what it takes at once. */
const EVENTS_AT_ONCE = 512;

/** What an export asks of the outbox; the RPC client is one. */
export interface OutboxPeer {
  lease(
    request: lightferry.ferry.v1.LeaseRequest.$Properties,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<lightferry.ferry.v1.LeaseResponse.$Properties>;
  ack(
    request: lightferry.ferry.v1.AckRequest.$Properties,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<unknown>;
}

export interface ExportParts {
  readonly node: string;
  readonly lane: string;
  /** Node and zone at the other end of the lane. */
  readonly receiver: string;
  readonly receiverZone: string;
  readonly outboxDir: string;
  /** The mounted medium. */
  readonly dir: string;
  readonly custodians: readonly string[];
  /** Bytes of bundles; without it what the medium has room for. */
  readonly maxBytes: number | undefined;
  readonly operator: string;
  readonly numbers: MediumNumbers;
  readonly signer: LinkSigner;
  readonly keys: () => KeyDirectory;
  readonly outbox: OutboxPeer;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

export interface ExportReport {
  readonly lane: string;
  /** Absent when there was nothing to carry: the folder is as it was. */
  readonly medium?: {
    readonly id: string;
    readonly number: number;
    readonly manifestDigest: string;
    readonly bundles: number;
    readonly bytes: number;
  };
  readonly refused: readonly { readonly bundle: string; readonly code: ErrorCode }[];
  /** Wait for another medium: no room here. */
  readonly left: readonly { readonly bundle: string; readonly size: number }[];
  /** On the medium and not acknowledged: come again on the next one. */
  readonly unacknowledged: number;
  readonly sheet: boolean;
}

/** @throws GatewayError `media.*`, `spool.disk-full`, `rpc.*`, `certificate.unknown` */
export async function exportMedium(parts: ExportParts): Promise<ExportReport> {
  const { dir, node, lane, numbers } = parts;
  await clearTarget(dir, node);
  const room = await roomOn(dir, parts.maxBytes);
  // Asked before anything is leased: without a key no manifest could be signed.
  parts.signer.active();
  const mediumId = randomBytes(16);
  const freight = new Freight(parts, room, () =>
    setMark(dir, { node, lane, medium: hex(mediumId) }),
  );
  await freight.load();
  const none = { lane, refused: freight.refused, left: freight.left, unacknowledged: 0 };
  if (freight.loaded.length === 0) {
    if (freight.begun) await removeMark(dir);
    return { ...none, sheet: false };
  }
  await onMedium(() => syncFolder(dir));
  const manifest = {
    version: MANIFEST_VERSION,
    mediumId,
    ...(await numbers.next(lane)),
    lane,
    sender: node,
    receiver: parts.receiver,
    receiverZone: parts.receiverZone,
    createdMs: Date.now(),
    custodians: [...parts.custodians],
    count: freight.loaded.length,
    bundles: freight.loaded.map(({ entry }) => entry),
  };
  const bytes = writeManifest(parts.signer, manifest);
  const digest = parts.signer.provider.sm3(bytes);
  await onMedium(() => writeDurably(dir, bytes));
  await numbers.finished(lane, manifest.number);
  await removeMark(dir);
  const events = exportedEvents(parts, manifest, digest);
  for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
    await parts.events.record(events.slice(from, from + EVENTS_AT_ONCE));
  }
  const unacknowledged = await freight.acknowledge();
  const sheet = await writeSheet(dir, handOverSheet(manifest, freight.bytes, digest));
  const medium = {
    id: hex(mediumId),
    number: manifest.number,
    manifestDigest: hex(digest),
    bundles: freight.loaded.length,
    bytes: freight.bytes,
  };
  return { ...none, medium, unacknowledged, sheet };
}

/** The manifest gets its name only whole. */
async function writeDurably(dir: string, bytes: Uint8Array): Promise<void> {
  const path = join(dir, MANIFEST_NEW_NAME);
  await writeFile(path, bytes, { flag: "wx", flush: true });
  await rename(path, join(dir, MANIFEST_NAME));
  await syncFolder(dir);
}

/** The medium counts without it, so a fault here is told and undoes nothing. */
async function writeSheet(dir: string, html: string): Promise<boolean> {
  try {
    await writeFile(join(dir, SHEET_NAME), html, { flush: true });
    await syncFolder(dir);
    return true;
  } catch {
    return false;
  }
}

function exportedEvents(
  { lane, operator, receiver, custodians }: ExportParts,
  manifest: {
    readonly mediumId: Uint8Array;
    readonly number: number;
    readonly bundles: readonly lightferry.ferry.v1.MediaBundle.$Properties[];
  },
  digest: Uint8Array,
): FerryEvent[] {
  const medium = hex(manifest.mediumId);
  const { bundles } = manifest;
  const emitted = bundles.map(
    ({ bundleId, headerDigest, size, stream, sequence }): FerryEvent => ({
      type: "bundle.emitted",
      outcome: "ok",
      bundleId: bundleId ?? new Uint8Array(),
      lane,
      digest: headerDigest ?? new Uint8Array(),
      size: size ?? 0,
      attributes: { medium, sequence: String(sequence), stream: stream ?? "" },
    }),
  );
  return [
    ...emitted,
    {
      type: "media.exported",
      outcome: "ok",
      lane,
      actor: operator,
      digest,
      size: bundles.reduce((sum, { size }) => sum + (size ?? 0), 0),
      attributes: {
        medium,
        number: String(manifest.number),
        bundles: String(bundles.length),
        receiver,
        custodians: custodians.join("、"),
      },
    },
  ];
}

/** What is wrong although the medium is whole; undefined when nothing is. */
export function remark(report: ExportReport): GatewayError | undefined {
  if (report.unacknowledged > 0) {
    const detail = `${report.unacknowledged} of ${report.medium?.bundles ?? 0}`;
    return new GatewayError("media.unacknowledged", { detail });
  }
  if (report.medium !== undefined && !report.sheet) return new GatewayError("media.sheet-missing");
  return undefined;
}
