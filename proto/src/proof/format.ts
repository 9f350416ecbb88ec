/**
 * Guarantee: a proof file has exactly one encoding: a line of JSON whose
 * members, order and base64 are fixed. What decodes here encodes to the same
 * bytes, so nothing can be hidden in or left out of it.
 */
import { GatewayError } from "../errors/index.ts";

const FORMAT = "lightferry-proof/1";
const MIB = 1024 * 1024;
/** A header of 1 MiB and an entry of 64 KiB are 1.5 MiB in base64. */
export const PROOF_MAX = 2 * MIB;

/** What opens the commitment: shows what was exchanged. */
export interface Opening {
  /** 32 bytes. */
  readonly salt: Uint8Array;
  /** Canonical `lightferry.bundle.v1.ManifestEntry`. */
  readonly entry: Uint8Array;
}

/** That the exchange was sealed: the header carries the sender's signature. */
export interface SealedProof {
  readonly form: "sealed";
  /** Position in the bundle, from 0. */
  readonly item: number;
  readonly commitment: Uint8Array;
  /** Canonical `lightferry.bundle.v1.Header`. */
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
  readonly opening: Opening | undefined;
}

/** That policy permitted the exchange; says nothing of its sealing, shows nothing of others. */
export interface PermittedProof {
  readonly form: "permitted";
  readonly commitment: Uint8Array;
  /** Canonical `lightferry.policy.v1.Verdict`. */
  readonly verdict: Uint8Array;
  readonly leaf: number;
  readonly path: readonly Uint8Array[];
  /** Canonical `lightferry.bundle.v1.VerdictBatch`. */
  readonly batch: Uint8Array;
  /** X.509 DER, as in the header. */
  readonly certificates: readonly Uint8Array[];
  readonly opening: Opening | undefined;
}

export type ExchangeProof = SealedProof | PermittedProof;

/** One line of JSON in UTF-8. */
export function encodeProof(proof: ExchangeProof): Uint8Array {
  const opening = proof.opening && {
    salt: base64(proof.opening.salt),
    entry: base64(proof.opening.entry),
  };
  const { form, commitment } = proof;
  const head = { format: FORMAT, form, commitment: base64(commitment) };
  const body =
    proof.form === "sealed"
      ? { item: proof.item, header: base64(proof.header), signature: base64(proof.signature) }
      : {
          verdict: base64(proof.verdict),
          leaf: proof.leaf,
          path: proof.path.map(base64),
          batch: base64(proof.batch),
          certificates: proof.certificates.map(base64),
        };
  return Buffer.from(`${JSON.stringify({ ...head, ...body, opening })}\n`, "utf8");
}

/**
 * Reads a proof; nothing about it is verified yet.
 * @throws GatewayError `proof.malformed`.
 */
export function decodeProof(bytes: Uint8Array): ExchangeProof {
  if (bytes.length > PROOF_MAX) throw malformed(`${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new GatewayError("proof.malformed", { detail: "JSON", cause });
  }
  const proof = proofOf(recordOf(value, "proof"));
  // Unknown and repeated members, other orders and loose base64 all show here.
  if (Buffer.compare(encodeProof(proof), bytes) !== 0) throw malformed("encoding");
  return proof;
}

function proofOf(value: Record<string, unknown>): ExchangeProof {
  if (value.format !== FORMAT) throw malformed("format");
  const commitment = bytesOf(value, "commitment");
  const opening = value.opening === undefined ? undefined : openingOf(value.opening);
  switch (value.form) {
    case "sealed":
      return {
        form: "sealed",
        item: indexOf(value, "item"),
        commitment,
        header: bytesOf(value, "header"),
        signature: bytesOf(value, "signature"),
        opening,
      };
    case "permitted":
      return {
        form: "permitted",
        commitment,
        verdict: bytesOf(value, "verdict"),
        leaf: indexOf(value, "leaf"),
        path: listOf(value, "path"),
        batch: bytesOf(value, "batch"),
        certificates: listOf(value, "certificates"),
        opening,
      };
    default:
      throw malformed("form");
  }
}

function openingOf(value: unknown): Opening {
  const record = recordOf(value, "opening");
  return { salt: bytesOf(record, "salt"), entry: bytesOf(record, "entry") };
}

function recordOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(name);
  return value as Record<string, unknown>;
}

function bytesOf(record: Record<string, unknown>, name: string): Uint8Array {
  return fromBase64(record[name], name);
}

function listOf(record: Record<string, unknown>, name: string): Uint8Array[] {
  const value = record[name];
  if (!Array.isArray(value)) throw malformed(name);
  return value.map((element) => fromBase64(element, name));
}

function indexOf(record: Record<string, unknown>, name: string): number {
  const value = record[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw malformed(name);
  return value;
}

function fromBase64(value: unknown, name: string): Uint8Array {
  if (typeof value !== "string") throw malformed(name);
  return Buffer.from(value, "base64");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function malformed(detail: string): GatewayError {
  return new GatewayError("proof.malformed", { detail });
}
