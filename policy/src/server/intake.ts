/**
 * Guarantee: an item of the wire becomes a decision request with every field
 * bounded. What only a broken peer program can send is refused as a bad
 * message; what a caller can send is left to the decision.
 */
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { isId } from "@lightferry/proto/ids";
import type { SmProvider } from "@lightferry/proto/sm";
import { itemCommitment } from "@lightferry/proto/verdict";
import type { DeclaredContent } from "../content/format.ts";
import type { ArrivalFault } from "../decide/decide.ts";
import type { PolicyDocument } from "../decide/policy-document.ts";
import type { DecisionRequest } from "../decide/request.ts";

const { Direction, Decision, Verdict } = lightferry.policy.v1;
const { ManifestEntry } = lightferry.bundle.v1;

/** As in the bundle format (proto/SPEC.md §9). */
const ENTRY_MAX = 64 * 1024;
const VERDICT_MAX = 8 * 1024;
const SALT_BYTES = 32;
/** Clocks of two zones may differ by this much before a person looks. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

export type WireItem = lightferry.policy.v1.DecideItem.$Properties;

export interface Item {
  readonly request: DecisionRequest;
  readonly declared: DeclaredContent;
  readonly clientAddress: string;
  /** Import: the signed item as it arrived. */
  readonly arrived: Arrived | undefined;
}

export interface Arrived {
  readonly salt: Uint8Array;
  readonly entryBytes: Uint8Array;
  /** Undefined when the bytes are no canonical entry. */
  readonly entry: lightferry.bundle.v1.ManifestEntry | undefined;
  readonly exportVerdict: Uint8Array;
  readonly commitment: Uint8Array;
}

function bad(detail: string): never {
  throw new GatewayError("rpc.bad-message", { detail });
}

/** @throws GatewayError `rpc.bad-message`. */
export function readItem(policy: PolicyDocument, provider: SmProvider, wire: WireItem): Item {
  if (wire.direction === Direction.DIRECTION_EXPORT) return readExport(policy, wire);
  if (wire.direction === Direction.DIRECTION_IMPORT) return readImport(provider, wire);
  return bad("direction");
}

function readExport(policy: PolicyDocument, wire: WireItem): Item {
  const submission = wire.submission;
  if (submission === null || submission === undefined) bad("submission");
  const exchangeId = submission.exchangeId ?? new Uint8Array();
  const size = submission.size ?? 0;
  const submittedMs = submission.submittedMs ?? 0;
  if (!isId(exchangeId)) bad("exchange_id");
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(submittedMs)) bad("size or time");
  const request: DecisionRequest = {
    direction: "export",
    exchangeId,
    kind: submission.kind ?? "",
    lane: submission.lane ?? "",
    service: submission.service ?? "",
    caller: submission.caller ?? "",
    grade: submission.declaredGrade ?? "",
    purpose: submission.purpose ?? "",
    http: submission.http ?? undefined,
    file: submission.file ?? undefined,
    size,
    submittedMs,
    orderingKey: submission.orderingKey ?? "",
    sender: policy.node,
    grant: "",
  };
  const clientAddress = submission.clientAddress ?? "";
  return { request, declared: declaredContent(request), clientAddress, arrived: undefined };
}

function readImport(provider: SmProvider, wire: WireItem): Item {
  const salt = wire.salt ?? new Uint8Array();
  const entryBytes = wire.entry ?? new Uint8Array();
  const exportVerdict = wire.exportVerdict ?? new Uint8Array();
  if (salt.length !== SALT_BYTES) bad("salt");
  if (entryBytes.length > ENTRY_MAX || exportVerdict.length > VERDICT_MAX)
    bad("entry or verdict length");
  const entry = readEntry(entryBytes);
  const request: DecisionRequest = {
    direction: "import",
    exchangeId: entry?.exchangeId ?? new Uint8Array(),
    kind: entry?.kind ?? "",
    lane: wire.lane ?? "",
    service: entry?.service ?? "",
    caller: entry?.caller ?? "",
    grade: entry?.grade ?? "",
    purpose: entry?.purpose ?? "",
    http: entry?.http ?? undefined,
    file: entry?.file ?? undefined,
    size: entry?.size ?? 0,
    submittedMs: entry?.submittedMs ?? 0,
    orderingKey: entry?.orderingKey ?? "",
    sender: wire.sender ?? "",
    grant: entry?.grant ?? "",
  };
  const commitment = itemCommitment(provider, salt, entryBytes);
  const arrived = { salt, entryBytes, entry, exportVerdict, commitment };
  return { request, declared: declaredContent(request), clientAddress: "", arrived };
}

function readEntry(bytes: Uint8Array): lightferry.bundle.v1.ManifestEntry | undefined {
  try {
    const entry = decodeCanonical(ManifestEntry, bytes);
    return isId(entry.exchangeId) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function declaredContent({ http, file }: DecisionRequest): DeclaredContent {
  if (file !== undefined) {
    return { contentType: file.contentType ?? "", fileName: file.name ?? "" };
  }
  // Every header of the name counts: which of two a reader goes by, nobody knows.
  const header = (wanted: string) =>
    (http?.headers ?? []).flatMap(({ name, value }) => (name === wanted ? [value ?? ""] : []));
  return {
    contentType: header("content-type").join(";"),
    contentEncoding: header("content-encoding").join(","),
    fileName: "",
  };
}

/**
 * What is wrong with an arrived item besides its content's meaning: the entry
 * must describe these very bytes, and the sending side's verdict must permit
 * this very entry, on this lane, from this sender, to this node. The verdict's
 * signature and expiry were checked by whoever opened the bundle.
 */
export function arrivalFault(
  policy: PolicyDocument,
  item: Item,
  content: { readonly size: number; readonly digest: Uint8Array },
  nowMs: number,
): ArrivalFault | undefined {
  const { arrived, request } = item;
  if (arrived === undefined) return undefined;
  const { entry } = arrived;
  if (entry === undefined || entry.size !== content.size) return "policy.import-entry";
  if (Buffer.compare(entry.digest, content.digest) !== 0) return "policy.import-entry";
  if (!verdictCovers(policy, request, arrived)) return "policy.import-verdict";
  return request.submittedMs > nowMs + CLOCK_SKEW_MS ? "policy.import-time" : undefined;
}

function verdictCovers(
  policy: PolicyDocument,
  request: DecisionRequest,
  arrived: Arrived,
): boolean {
  try {
    const verdict = decodeCanonical(Verdict, arrived.exportVerdict);
    return (
      verdict.direction === Direction.DIRECTION_EXPORT &&
      verdict.decision === Decision.DECISION_PERMIT &&
      Buffer.compare(verdict.commitment, arrived.commitment) === 0 &&
      verdict.lane === request.lane &&
      verdict.sender === request.sender &&
      verdict.grade === request.grade &&
      verdict.recipients.includes(policy.node)
    );
  } catch {
    return false;
  }
}
