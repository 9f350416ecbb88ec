/**
 * Guarantee: of a medium either nothing is taken, because something about it is
 * wrong, or every bundle goes one of three ways exactly once: to the inbox until
 * it answers, to quarantine, or to the refused. Broken off at any moment, the
 * next import of the same medium goes on.
 *
 * inspect ─▶ seen? older? room? ─▶ begun ─▶ each bundle: take ─▶ over ─▶ … ─▶ finished ─▶ event
 *     └─ refused: event, nothing taken
 */
import { statfs } from "node:fs/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { EventSink, FerryEvent } from "../events.ts";
import {
  type InspectContext,
  type Inspection,
  inspectMedium,
  type JudgedBundle,
  MediumRefused,
  openMedium,
  type SignedMedium,
} from "./inspect.ts";
import { hex } from "./manifest.ts";
import type { Fate, Over, SeenMedia, SeenMedium } from "./seen.ts";
import type { Taker } from "./take.ts";

/** Left free in the arrivals directory, for what comes by the gate meanwhile. */
const ARRIVALS_RESERVE_BYTES = 64 << 20;

export interface ImportParts {
  readonly context: InspectContext;
  /** The mounted medium. */
  readonly dir: string;
  readonly arrivalsDir: string;
  readonly acceptOlder: boolean;
  readonly operator: string;
  readonly seen: SeenMedia;
  /** Absent: everything is verified and nothing taken. */
  readonly taking:
    | { readonly taker: Pick<Taker, "take" | "judgeAnew">; readonly events: EventSink }
    | undefined;
  readonly signal: AbortSignal;
}

export interface ImportReport {
  readonly checkOnly: boolean;
  readonly medium: {
    readonly id: string;
    readonly number: number;
    readonly manifestDigest: string;
    readonly lane: string;
    readonly sender: string;
    readonly createdMs: number;
    readonly custodians: readonly string[];
    readonly bundles: number;
    readonly bytes: number;
  };
  /** Numbers of media that have not been taken although a later one came. */
  readonly gap: string | undefined;
  /** Bundles of former media that verify by now and were handed over. */
  readonly fromQuarantine: number;
  readonly litter: readonly string[];
  /** Of this run and of those before it that were broken off. */
  readonly fates: Readonly<Record<Fate, number>>;
  readonly putAway: readonly { readonly bundle: string; readonly code: string }[];
}

/** @throws GatewayError `media.*`, `certificate.*`, `bundle.from-future`, `spool.disk-full`, `rpc.*` */
export async function importMedium(parts: ImportParts): Promise<ImportReport> {
  const { taking } = parts;
  // Certificates may have come since; what lies there need not wait for this medium to be good.
  const fromQuarantine = (await taking?.taker.judgeAnew(parts.context)) ?? 0;
  const judged = await judgeMedium(parts);
  const { inspection, about, over, gap } = judged;
  const fates = new Map<string, Over>(over);
  if (taking === undefined) {
    for (const { bundleId, refusal } of inspection.bundles) {
      if (refusal !== undefined) fates.set(bundleId, { fate: "refused", code: refusal.code });
    }
    return reportOf(inspection, fates, { gap, fromQuarantine, checkOnly: true });
  }
  const left = inspection.bundles.filter(({ bundleId }) => !fates.has(bundleId));
  await checkRoom(parts.arrivalsDir, left);
  if (over === undefined && gap !== undefined) {
    await taking.events.record([gapEvent(about, gap)]);
  }
  await parts.seen.begin(about);
  for (const bundle of left) {
    parts.signal.throwIfAborted();
    const fate = await taking.taker.take(parts.dir, bundle, about);
    fates.set(bundle.bundleId, fate);
    await parts.seen.over(about.medium, bundle.bundleId, fate);
  }
  const report = reportOf(inspection, fates, { gap, fromQuarantine, checkOnly: false });
  await taking.events.record([importedEvent(parts, inspection, report)]);
  await parts.seen.finish(about.medium);
  return report;
}

interface Judged {
  readonly inspection: Inspection;
  readonly about: SeenMedium;
  readonly over: ReadonlyMap<string, Over> | undefined;
  readonly gap: string | undefined;
}

/** All that may refuse a medium; a refusal is an event before it is told. */
async function judgeMedium(parts: ImportParts): Promise<Judged> {
  const { context, dir, seen, acceptOlder, taking, signal } = parts;
  let signed: SignedMedium | undefined;
  try {
    signed = await openMedium(dir, context);
    const about = aboutOf(signed);
    const over = seen.check(about);
    const numbers = seen.numbers(about.sender, about.lane);
    const newest = numbers.at(-1) ?? 0;
    if (over === undefined && about.number <= newest && !acceptOlder) {
      throw new GatewayError("media.older", { detail: `${about.number}, taken ${newest}` });
    }
    const inspection = await inspectMedium(dir, signed, context, signal);
    const gap = over === undefined ? gapBefore(signed.manifest.previous, newest) : undefined;
    return { inspection, about, over, gap };
  } catch (error) {
    const refusal = asGatewayError(error);
    // A medium that cannot be read was not refused: it may be read in another machine.
    const refused = refusal.row.http < 500;
    if (taking !== undefined && refused) {
      await taking.events.record([refusedEvent(parts, refusal, signed)]);
    }
    throw error;
  }
}

function aboutOf({ manifest, digest }: SignedMedium): SeenMedium {
  const { mediumId, sender, lane, number } = manifest;
  return { medium: hex(mediumId), digest: hex(digest), sender, lane, number };
}

/** The medium finished before this one should have been taken. Numbers between may never have been finished. */
function gapBefore(previous: number, newest: number): string | undefined {
  if (previous <= newest) return undefined;
  return previous === newest + 1 ? String(previous) : `${newest + 1}-${previous}`;
}

/** @throws GatewayError `spool.disk-full` */
async function checkRoom(arrivalsDir: string, bundles: readonly JudgedBundle[]): Promise<void> {
  const { bavail, bsize } = await statfs(arrivalsDir);
  const needed = bundles.reduce((sum, { entry }) => sum + entry.size, ARRIVALS_RESERVE_BYTES);
  if (bavail * bsize < needed) {
    throw new GatewayError("spool.disk-full", { detail: `${needed} bytes needed` });
  }
}

function reportOf(
  { manifest, digest, litter }: Inspection,
  over: ReadonlyMap<string, Over>,
  more: Pick<ImportReport, "gap" | "fromQuarantine" | "checkOnly">,
): ImportReport {
  const fates = { accepted: 0, duplicate: 0, quarantined: 0, refused: 0 };
  for (const { fate } of over.values()) fates[fate] += 1;
  return {
    ...more,
    medium: {
      id: hex(manifest.mediumId),
      number: manifest.number,
      manifestDigest: hex(digest),
      lane: manifest.lane,
      sender: manifest.sender,
      createdMs: manifest.createdMs,
      custodians: manifest.custodians,
      bundles: manifest.bundles.length,
      bytes: bytesOf(manifest.bundles),
    },
    litter,
    fates,
    putAway: [...over]
      .filter(([, { code }]) => code !== "")
      .map(([bundle, { code }]) => ({ bundle, code })),
  };
}

function bytesOf(bundles: readonly { readonly size: number }[]): number {
  return bundles.reduce((sum, { size }) => sum + size, 0);
}

function mediumFacts({ manifest, digest }: SignedMedium) {
  return {
    digest,
    size: bytesOf(manifest.bundles),
    attributes: {
      medium: hex(manifest.mediumId),
      number: String(manifest.number),
      sender: manifest.sender,
      bundles: String(manifest.bundles.length),
      custodians: manifest.custodians.join("、"),
    },
  };
}

function importedEvent(parts: ImportParts, signed: SignedMedium, report: ImportReport): FerryEvent {
  const facts = mediumFacts(signed);
  const { accepted, duplicate, quarantined, refused } = report.fates;
  return {
    type: "media.imported",
    outcome: "ok",
    lane: parts.context.lane,
    actor: parts.operator,
    ...facts,
    attributes: {
      ...facts.attributes,
      delivered: String(accepted),
      duplicates: String(duplicate),
      quarantined: String(quarantined),
      refused: String(refused),
    },
  };
}

function refusedEvent(
  parts: ImportParts,
  refusal: GatewayError,
  signed: SignedMedium | undefined,
): FerryEvent {
  const facts = signed === undefined ? { attributes: {} } : mediumFacts(signed);
  const faults = refusal instanceof MediumRefused ? refusal.faults.length : 0;
  return {
    type: "media.refused",
    outcome: "refused",
    code: refusal.code,
    lane: parts.context.lane,
    actor: parts.operator,
    ...facts,
    attributes: { ...facts.attributes, faults: String(faults), detail: refusal.detail },
  };
}

function gapEvent({ sender, lane, medium }: SeenMedium, numbers: string): FerryEvent {
  return {
    type: "gate.gap",
    outcome: "error",
    lane,
    attributes: { sender, numbers, medium },
  };
}
