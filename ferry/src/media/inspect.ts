/**
 * Guarantee: a medium is judged whole before anything of it is taken, in the
 * order of MEDIA.md §5: folder, manifest, parties, time, files, digests, bundles.
 * Nothing on it is followed, run or believed.
 */
import { join } from "node:path";
import {
  CLOCK_SKEW_MS,
  type ReceivedBundle,
  readHeader,
  type VerifiedHeader,
  verifyChunks,
  verifyHeader,
} from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { LinkVerifier } from "../signed.ts";
import { digestOf, namesIn, onMedium, PlainFile } from "./files.ts";
import {
  bundleName,
  isLitter,
  MANIFEST_NAME,
  MARK_NAME,
  MAX_MANIFEST_BYTES,
  SHEET_NAME,
  shownName,
  TRANSIT_MS,
} from "./layout.ts";
import { hex, type Manifest, type MediaBundle, readManifest } from "./manifest.ts";

export interface InspectContext {
  readonly provider: SmProvider;
  readonly keys: () => KeyDirectory;
  readonly node: string;
  readonly zone: string;
  readonly lane: string;
  readonly expectedSender: string;
}

/** What of the medium is not as its manifest says. */
export interface Fault {
  readonly file: string;
  readonly fault: "missing" | "foreign" | "not-a-file" | "size" | "digest";
}

export interface JudgedBundle {
  readonly entry: MediaBundle;
  /** Hex. */
  readonly bundleId: string;
  /** Why it is put away and not delivered. */
  readonly refusal: GatewayError | undefined;
}

export interface SignedMedium {
  readonly manifest: Manifest;
  /** SM3 of the manifest file. */
  readonly digest: Uint8Array;
}

export interface Inspection extends SignedMedium {
  readonly bundles: readonly JudgedBundle[];
  /** Left by operating systems: named and not opened. */
  readonly litter: readonly string[];
}

/** A medium that is refused, with everything that is wrong with its files. */
export class MediumRefused extends GatewayError {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    const [first] = faults;
    const more = faults.length > 1 ? `, ${faults.length - 1} more` : "";
    super("media.content-mismatch", { detail: `${first?.file}: ${first?.fault}${more}` });
    this.faults = faults;
  }
}

/**
 * The signed manifest, of the right parties and not from the future.
 * @throws GatewayError `media.manifest-*`, `media.signature-invalid`, `media.wrong-party`,
 * `media.from-future`, `media.unusable`, `certificate.*`
 */
export async function openMedium(dir: string, context: InspectContext): Promise<SignedMedium> {
  const bytes = await onMedium(() => manifestBytes(dir));
  const manifest = readManifest(verifierOf(context), bytes);
  const { node, zone, lane, expectedSender } = context;
  const parties: readonly [string, string, string][] = [
    ["lane", manifest.lane, lane],
    ["sender", manifest.sender, expectedSender],
    ["receiver", manifest.receiver, node],
    ["zone", manifest.receiverZone, zone],
  ];
  for (const [what, found, expected] of parties) {
    if (found === expected) continue;
    const detail = `${what} ${shownName(found)}`;
    throw new GatewayError("media.wrong-party", { detail });
  }
  if (manifest.createdMs > Date.now() + CLOCK_SKEW_MS) {
    const detail = new Date(manifest.createdMs).toISOString();
    throw new GatewayError("media.from-future", { detail });
  }
  return { manifest, digest: context.provider.sm3(bytes) };
}

/**
 * Everything else: all files, all digests, all bundles.
 * @throws MediumRefused, GatewayError `media.unusable`, `bundle.from-future`
 */
export async function inspectMedium(
  dir: string,
  signed: SignedMedium,
  context: InspectContext,
  signal: AbortSignal,
): Promise<Inspection> {
  const { bundles: entries } = signed.manifest;
  const names = await onMedium(() => namesIn(dir));
  if (names === undefined) throw new MediumRefused([{ file: "…", fault: "foreign" }]);
  const wanted = new Set(entries.map(({ bundleId }) => bundleName(bundleId)));
  const known = (name: string) =>
    wanted.has(name) || [MANIFEST_NAME, MARK_NAME, SHEET_NAME].includes(name);
  const litter = names.filter((name) => !known(name) && isLitter(name));
  const faults: Fault[] = names
    .filter((name) => !known(name) && !isLitter(name))
    .map((name) => ({ file: shownName(name), fault: "foreign" }));
  const there = new Set(names);
  for (const name of wanted) {
    if (!there.has(name)) faults.push({ file: name, fault: "missing" });
  }
  const bundles: JudgedBundle[] = [];
  for (const entry of entries) {
    signal.throwIfAborted();
    const name = bundleName(entry.bundleId);
    if (!there.has(name)) continue;
    const judged = await onMedium(() => judge(join(dir, name), entry, context));
    if (typeof judged === "string") faults.push({ file: name, fault: judged });
    else bundles.push(judged);
  }
  if (faults.length > 0) throw new MediumRefused(faults);
  return { ...signed, bundles, litter };
}

async function manifestBytes(dir: string): Promise<Uint8Array> {
  let file: PlainFile | undefined;
  try {
    file = await PlainFile.open(join(dir, MANIFEST_NAME));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new GatewayError("media.manifest-missing");
  }
  if (file === undefined) throw new GatewayError("media.manifest-missing", { detail: "no file" });
  try {
    if (file.size > MAX_MANIFEST_BYTES) {
      throw new GatewayError("media.manifest-invalid", { detail: `${file.size} bytes` });
    }
    const bytes = Buffer.alloc(file.size);
    for (let done = 0; done < bytes.length; ) {
      const count = await file.read(bytes.subarray(done), done);
      if (count === 0) throw new GatewayError("media.manifest-invalid", { detail: "cut short" });
      done += count;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** The sender's ferry keys: by this zone's certificates and by those that the manifest brings. */
function verifierOf({ provider, keys, expectedSender }: InspectContext): LinkVerifier {
  return {
    provider,
    sender: expectedSender,
    ferryKey: (keyId, presented, usedMs = Date.now()) => {
      const now = Date.now();
      const usedAt = Math.min(Math.max(usedMs, now - TRANSIT_MS), now + CLOCK_SKEW_MS);
      return keys().ferryKey(expectedSender, keyId, { presented, usedMs: usedAt });
    },
    refused: () => undefined,
  };
}

/** A fault of the medium, or the bundle with what is wrong with it. */
async function judge(
  path: string,
  entry: MediaBundle,
  context: InspectContext,
): Promise<JudgedBundle | Fault["fault"]> {
  const file = await PlainFile.open(path);
  if (file === undefined) return "not-a-file";
  try {
    if (file.size !== entry.size) return "size";
    const digest = await digestOf(context.provider, file.read, file.size);
    if (digest === undefined || Buffer.compare(digest, entry.digest) !== 0) return "digest";
    const bundleId = hex(entry.bundleId);
    return { entry, bundleId, refusal: await refusalOf(file, entry, context) };
  } finally {
    await file.close();
  }
}

/**
 * What receiving by the gate checks, and every chunk besides: there the gate does that.
 * @param entry where somebody named it: before all else it is the one that was named
 * @throws GatewayError of the first check that fails
 */
export async function verifyWhole(
  file: PlainFile,
  { provider, keys, lane, expectedSender: sender }: InspectContext,
  entry?: MediaBundle,
): Promise<VerifiedHeader> {
  const received = await readHeader(file);
  if (entry !== undefined) checkNamed(provider, received, entry);
  const now = Date.now();
  const verified = verifyHeader(provider, received, { now, lane, sender, keys: keys() });
  await verifyChunks(provider, verified, file);
  return verified;
}

/** @throws GatewayError `bundle.from-future`: a clock is wrong, not the bundle */
async function refusalOf(
  file: PlainFile,
  entry: MediaBundle,
  context: InspectContext,
): Promise<GatewayError | undefined> {
  try {
    checkEntry(await verifyWhole(file, context, entry), entry);
    return undefined;
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code === "bundle.from-future") throw error;
    return error;
  }
}

/** Of what is refused for a later reason the named id is told to the inbox. */
function checkNamed(
  provider: SmProvider,
  { header, headerBytes }: ReceivedBundle,
  entry: MediaBundle,
): void {
  assertSame([
    ["bundle id", hex(header.bundleId), hex(entry.bundleId)],
    ["header digest", hex(provider.sm3(headerBytes)), hex(entry.headerDigest)],
  ]);
}

function checkEntry({ size, header }: VerifiedHeader, entry: MediaBundle): void {
  assertSame([
    ["size", size, entry.size],
    ["stream", header.stream, entry.stream],
    ["sequence", header.sequence, entry.sequence],
  ]);
}

function assertSame(facts: readonly (readonly [string, unknown, unknown])[]): void {
  const fault = facts.find(([, found, said]) => found !== said);
  if (fault !== undefined) throw new GatewayError("ferry.object-mismatch", { detail: fault[0] });
}
