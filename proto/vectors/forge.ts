/**
 * Guarantee: a second writer of the format, straight from SPEC.md and sharing no
 * code with proto/src/bundle, that also writes what a sealer never would.
 */
import { encodeCanonical } from "../src/canonical.ts";
import { lightferry } from "../src/gen/index.js";
import { merkleRoot } from "../src/merkle/index.ts";
import { loadProvider, type Sm2PrivateKey } from "../src/sm/index.ts";
import { signVerdictBatch } from "../src/verdict/index.ts";
import { readKeys, type VectorParty } from "./keys.ts";

type HeaderFields = lightferry.bundle.v1.Header.$Properties;
type EntryFields = lightferry.bundle.v1.ManifestEntry.$Properties;
type VerdictFields = lightferry.policy.v1.Verdict.$Properties;
type ManifestFields = lightferry.bundle.v1.Manifest.$Properties;
type Record = lightferry.bundle.v1.ItemRecord.$Properties;

const { Header, Manifest, ManifestEntry } = lightferry.bundle.v1;
const { Decision, Direction } = lightferry.policy.v1;
const provider = loadProvider();
const sm3 = (...parts: readonly Uint8Array[]) => provider.sm3(...parts);
const text = (value: string) => Buffer.from(value, "utf8");

export const NOW = Date.UTC(2026, 0, 15, 8);
export const DAY = 24 * 60 * 60 * 1000;
export const CHUNK = 4096;

/** UUIDv7 with a fixed time and the number in its tail. */
export function id(number: number): Buffer {
  const bytes = Buffer.from("019bbf5c-0000-7000-8000-000000000000".replaceAll("-", ""), "hex");
  bytes.writeUInt32BE(number, 12);
  return bytes;
}

export interface ForgedItem {
  readonly content: Uint8Array;
  /** Alters the entry that policy commits to. */
  readonly entry?: EntryFields;
  /** Replaces the encoded entry in the manifest and under the commitment. */
  readonly entryBytes?: (bytes: Uint8Array) => Uint8Array;
  readonly verdict?: VerdictFields;
}

/** Each hook alters one thing at the moment it is made; what follows is made consistently with it. */
export interface Forgery {
  /** Another id than the usual one, and with it another secret. */
  readonly bundleId?: Buffer;
  readonly items: readonly ForgedItem[];
  readonly recipients?: readonly VectorParty[];
  readonly policy?: VectorParty;
  readonly signKey?: Sm2PrivateKey;
  /** Splits the items into verdict batches of this many. */
  readonly batchSize?: number;
  readonly record?: (record: Record, index: number) => void;
  readonly batch?: (batch: lightferry.bundle.v1.VerdictBatch.$Properties) => void;
  readonly manifest?: (manifest: ManifestFields) => void;
  readonly manifestBytes?: (bytes: Uint8Array) => Uint8Array;
  readonly manifestLength?: number;
  /** Header fields before anything is derived from them. */
  readonly early?: HeaderFields;
  /** The secret that recipients get, when it is not the one that was used. */
  readonly wrapped?: Uint8Array;
  readonly nonce?: (index: number, count: number) => Uint8Array;
  readonly aad?: HeaderFields;
  /** Chunks after encryption, before they are hashed and signed. */
  readonly chunks?: (chunks: Buffer[]) => Buffer[];
  readonly header?: (header: HeaderFields) => void;
  readonly headerBytes?: (bytes: Buffer) => Buffer;
  /** After signing. */
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  readonly sealedChunks?: (chunks: Buffer[]) => Buffer[];
  readonly file?: (bytes: Buffer, marks: Marks) => Buffer;
}

export interface Marks {
  readonly signatureAt: number;
  readonly tableAt: number;
  readonly chunksAt: number;
}

const domain = (label: string, ...parts: Uint8Array[]) =>
  Buffer.concat([text(`lightferry/${label}`), Buffer.of(0), ...parts]);

export function forge(forgery: Forgery): Buffer {
  const keys = readKeys();
  const recipients = forgery.recipients ?? [keys.recipient];
  const { manifest, records, batches, grade } = permit(forgery, keys, recipients);
  const bundleId = forgery.bundleId ?? id(1);
  const secret = sm3(text("published test secret"), bundleId);
  const header: HeaderFields = {
    version: 1,
    bundleId,
    lane: "inbound",
    stream: "inbound/node-extranet/normal",
    sequence: 1,
    previousDigest: new Uint8Array(32),
    sender: keys.sender.nodeId,
    signKeyId: keys.sender.keyId,
    createdMs: NOW,
    expiresMs: NOW + 7 * DAY,
    grade,
    chunkSize: CHUNK,
    verdictBatches: batches,
    items: records,
    policyVersion: "pack-1",
    ...forgery.early,
  };
  header.recipients ??= recipients.map(({ nodeId, keyId, key }) => ({
    nodeId,
    keyId,
    wrappedSecret: provider.sm2Encrypt(key.publicKey, forgery.wrapped ?? secret),
  }));
  const plaintext = Buffer.concat([manifest, ...forgery.items.map((item) => item.content)]);
  const chunks = encrypt(forgery, header, plaintext, secret);
  header.chunkCount = chunks.length;
  header.plaintextSize = chunks.reduce((sum, chunk) => sum + chunk.length - 16, 0);
  const table = chunks.map((chunk) => sm3(Buffer.of(0), chunk));
  header.ciphertextRoot = merkleRoot(sm3, table);
  header.itemRoot = merkleRoot(
    sm3,
    records.map((record) => record.commitment ?? new Uint8Array()),
  );
  header.keyCommitment = provider.hmacSm3(secret, domain("bundle-key-commitment/1", bundleId));
  forgery.header?.(header);
  return assemble(forgery, keys.sender.key, header, chunks, table);
}

function permit(
  forgery: Forgery,
  keys: ReturnType<typeof readKeys>,
  recipients: readonly VectorParty[],
) {
  const policy = forgery.policy ?? keys.policy;
  const entries = forgery.items.map((item, index) => {
    const entry: EntryFields = {
      exchangeId: id(1000 + index),
      kind: "request",
      service: "registration",
      caller: "registry-office",
      grant: "grant-1",
      grade: "G2",
      purpose: "conformance",
      http: {
        method: "POST",
        path: `/records/${index}`,
        headers: [{ name: "content-type", value: "application/json" }],
      },
      size: item.content.length,
      digest: sm3(item.content),
      submittedMs: NOW - 2000,
      ...item.entry,
    };
    const bytes = encodeCanonical(ManifestEntry, entry);
    const salt = sm3(text("published test salt"), Buffer.of(index));
    return { entry: item.entryBytes?.(bytes) ?? bytes, salt, grade: entry.grade ?? "" };
  });
  const verdicts = entries.map(
    ({ entry, salt, grade }, index): VerdictFields => ({
      verdictId: id(2000 + index),
      direction: Direction.DIRECTION_EXPORT,
      decision: Decision.DECISION_PERMIT,
      commitment: sm3(Buffer.of(0), salt, entry),
      lane: "inbound",
      sender: keys.sender.nodeId,
      recipients: recipients.map(({ nodeId }) => nodeId),
      grade,
      decidedMs: NOW - 1000,
      expiresMs: NOW + DAY,
      policyVersion: "pack-1",
      ruleIds: ["permit-registration"],
      ...forgery.items[index]?.verdict,
    }),
  );
  const size = forgery.batchSize ?? Math.max(verdicts.length, 1);
  const batches: lightferry.bundle.v1.VerdictBatch.$Properties[] = [];
  const records: Record[] = [];
  for (let at = 0; at < verdicts.length; at += size) {
    const { nodeId, keyId, key } = policy;
    const part = verdicts.slice(at, at + size);
    const signed = signVerdictBatch(provider, key, { policyNode: nodeId, keyId }, part);
    for (const [offset, { verdict, leaf, path }] of signed.items.entries()) {
      const { entry, salt } = entries[at + offset] ?? { entry: Buffer.of(), salt: Buffer.of() };
      const commitment = sm3(Buffer.of(0), salt, entry);
      records.push({ commitment, verdict, batch: batches.length, leaf, path });
    }
    batches.push(signed.batch);
  }
  for (const batch of batches) forgery.batch?.(batch);
  for (const [index, record] of records.entries()) forgery.record?.(record, index);
  const order = ["G1", "G2", "G3", "G4", "IMPORTANT", "CORE"];
  const grade = verdicts
    .map((verdict) => verdict.grade ?? "")
    .sort((a, b) => order.indexOf(a) - order.indexOf(b))
    .at(-1);
  const fields: ManifestFields = {
    items: entries.map(({ entry, salt }) => ({ salt, entry, trail: [text("sender's half")] })),
  };
  forgery.manifest?.(fields);
  const plain = encodeCanonical(Manifest, fields);
  const bytes = forgery.manifestBytes?.(plain) ?? plain;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(forgery.manifestLength ?? bytes.length);
  return { manifest: Buffer.concat([length, bytes]), records, batches, grade: grade ?? "G1" };
}

function encrypt(
  forgery: Forgery,
  header: HeaderFields,
  plaintext: Buffer,
  secret: Uint8Array,
): Buffer[] {
  const id16 = forgery.bundleId ?? id(1);
  const key = provider.hmacSm3(secret, domain("bundle-key/1", id16)).subarray(0, 16);
  const preamble = encodeCanonical(Header, {
    version: header.version ?? 0,
    bundleId: header.bundleId ?? Buffer.of(),
    lane: header.lane ?? "",
    sender: header.sender ?? "",
    chunkSize: header.chunkSize ?? 0,
    recipients: (header.recipients ?? []).map(({ nodeId = "", keyId = "" }) => ({ nodeId, keyId })),
    ...forgery.aad,
  });
  const aad = sm3(domain("bundle-preamble/1", preamble));
  const count = Math.ceil(plaintext.length / CHUNK);
  const chunks = Array.from({ length: count }, (_, index) => {
    const nonce = forgery.nonce?.(index, count) ?? nonceOf(index, index === count - 1);
    const part = plaintext.subarray(index * CHUNK, (index + 1) * CHUNK);
    return Buffer.from(provider.sm4GcmEncrypt(key, nonce, part, aad));
  });
  return forgery.chunks?.(chunks) ?? chunks;
}

export function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function assemble(
  forgery: Forgery,
  signKey: Sm2PrivateKey,
  header: HeaderFields,
  chunks: Buffer[],
  table: readonly Uint8Array[],
): Buffer {
  const plain = Buffer.from(encodeCanonical(Header, header));
  const headerBytes = forgery.headerBytes?.(plain) ?? plain;
  const message = domain("bundle-header/1", headerBytes);
  const signature = provider.sm2Sign(forgery.signKey ?? signKey, message);
  const prefix = Buffer.from("LFB1\0\0\0\0", "latin1");
  prefix.writeUInt32BE(headerBytes.length, 4);
  const signatureAt = 8 + headerBytes.length;
  const tableAt = signatureAt + 64;
  const marks = { signatureAt, tableAt, chunksAt: tableAt + 32 * table.length };
  const bytes = Buffer.concat([
    prefix,
    headerBytes,
    forgery.signature?.(signature) ?? signature,
    ...table,
    ...(forgery.sealedChunks?.(chunks) ?? chunks),
  ]);
  return forgery.file?.(bytes, marks) ?? bytes;
}
