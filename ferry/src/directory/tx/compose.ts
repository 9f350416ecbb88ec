/**
 * Guarantee: a shipment holds only bundles whose file is what the lease says and whose head verifies, each with
 * the digest of the whole file; as many as fill one group of files, or one that is larger alone.
 */
import { randomBytes } from "node:crypto";
import { asGatewayError, type ErrorCode, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { digestOf } from "../../media/files.ts";
import { BundleFile } from "../../tx/bundle-file.ts";
import { type CheckContext, checkBundle, outboxPath } from "../../tx/check.ts";
import { type Entry, writeManifest } from "../manifest.ts";
import { MAX_SHIPMENT_BUNDLES, planFault } from "../plan.ts";
import { type Profile, partBytesOf } from "../profile.ts";
import type { Carried, Shipment } from "./journal.ts";
import { REPEAT_CLASS } from "./line.ts";

/** Leased and in no shipment yet. */
export interface Fresh extends Entry {
  readonly file: string;
  readonly priority: string;
  leaseId: string;
  /** It was emitted before: one more pass is asked for. */
  readonly repeat: boolean;
}

export interface Refused {
  readonly bundle: Fresh | Carried;
  readonly code: ErrorCode;
  readonly detail: string;
}

export function freshOf(lease: lightferry.ferry.v1.LeasedBundle.$Properties): Fresh {
  return {
    bundleId: Buffer.from(lease.bundleId ?? []).toString("hex"),
    headerDigest: Buffer.from(lease.headerDigest ?? []).toString("hex"),
    size: lease.size ?? 0,
    stream: lease.stream ?? "",
    sequence: lease.sequence ?? 0,
    file: lease.file ?? "",
    priority: lease.priority ?? "",
    leaseId: lease.leaseId ?? "",
    repeat: lease.repair === true || (lease.passesDone ?? 0) > 0,
  };
}

/**
 * Takes from the front of the list what goes together now.
 * @throws GatewayError that is not a fault of a bundle (`certificate.unknown` …)
 */
export async function composeShipment(
  waiting: Fresh[],
  serviceClass: number,
  profile: Profile,
  check: () => CheckContext,
): Promise<{ readonly shipment: Shipment | undefined; readonly refused: readonly Refused[] }> {
  const partBytes = partBytesOf(profile);
  const { dataParts, parityParts } = profile;
  const room = partBytes * dataParts;
  const bundles: Carried[] = [];
  const refused: Refused[] = [];
  let bytes = 0;
  while (waiting.length > 0 && bundles.length < MAX_SHIPMENT_BUNDLES) {
    const [next] = waiting;
    if (next === undefined || (bundles.length > 0 && !fits([...bundles, next], room))) break;
    waiting.shift();
    const digest = await judge(next, check());
    if (typeof digest !== "string") {
      refused.push({ bundle: next, ...digest });
      continue;
    }
    const { repeat: _, ...carried } = next;
    bundles.push({ ...carried, digest });
    bytes += next.size;
  }
  if (bundles.length === 0) return { shipment: undefined, refused };
  const manifestSize = writeManifest(bundles).length;
  const plan = { size: bytes + manifestSize, manifestSize, partBytes, dataParts, parityParts };
  const fault = planFault(plan);
  if (fault !== undefined) {
    // One bundle alone that no number of these files can hold.
    for (const bundle of bundles)
      refused.push({ bundle, code: "ferry.file-invalid", detail: fault });
    return { shipment: undefined, refused };
  }
  const emitted = serviceClass === REPEAT_CLASS;
  const shipment: Shipment = {
    ...{ id: randomBytes(16).toString("hex"), plan, bundles, serviceClass },
    ...{ passes: emitted ? 1 : 0, groups: 0, firstPassMs: 0 },
  };
  return { shipment, refused };
}

function fits(bundles: readonly Entry[], room: number): boolean {
  const bytes = bundles.reduce((sum, { size }) => sum + size, 0);
  return bytes + writeManifest(bundles).length <= room;
}

type Refusal = Omit<Refused, "bundle">;

/** Why a bundle is not sent, by its head alone; undefined when it may be. */
export async function refusalOf(
  bundle: Fresh | Carried,
  context: CheckContext,
): Promise<Refusal | undefined> {
  const found = await opened(bundle, context, async () => "");
  return typeof found === "string" ? undefined : found;
}

/** Digest of the whole file, hex, or why the bundle is not sent. */
export async function judge(
  bundle: Fresh | Carried,
  context: CheckContext,
): Promise<string | Refusal> {
  return await opened(bundle, context, async (file) => {
    const { read } = await file.open();
    const digest = await digestOf(context.provider, read, bundle.size);
    if (digest === undefined) {
      throw new GatewayError("ferry.file-invalid", { detail: "cut short" });
    }
    return Buffer.from(digest).toString("hex");
  });
}

async function opened(
  bundle: Fresh | Carried,
  context: CheckContext,
  work: (file: BundleFile) => Promise<string>,
): Promise<string | Refusal> {
  let file: BundleFile | undefined;
  try {
    file = await BundleFile.open(outboxPath(context.outboxDir, bundle.file));
    await checkBundle(bundle, file, context);
    return await work(file);
  } catch (cause) {
    const known = cause instanceof GatewayError;
    const { code, detail } = asGatewayError(
      known ? cause : new GatewayError("ferry.file-invalid", { detail: "cannot be read", cause }),
    );
    return { code, detail };
  } finally {
    await file?.close();
  }
}
