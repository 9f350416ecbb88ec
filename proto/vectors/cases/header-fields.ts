/** Guarantee: every field of the header once wrong in each way that SPEC §4.2 names; all else about these bundles is good and signed. */
import { type Forgery, NOW } from "../forge.ts";
import { readKeys } from "../keys.ts";
import { type Case, record } from "./case.ts";

type HeaderChange = NonNullable<Forgery["header"]>;

const field = (name: string, changed: string, header: HeaderChange): Case => ({
  name: `header-${name}`,
  changed,
  forgery: { items: [record], header },
  code: "bundle.header-invalid",
});

const recipient = (name: string, changed: string, fields: object): Case =>
  field(`recipient-${name}`, changed, (h) => {
    h.recipients = [{ ...h.recipients?.[0], ...fields }];
  });

const batch = (name: string, changed: string, fields: object): Case =>
  field(`batch-${name}`, changed, (h) => {
    h.verdictBatches = [{ ...h.verdictBatches?.[0], ...fields }];
  });

const item = (name: string, changed: string, fields: object): Case =>
  field(`item-${name}`, changed, (h) => {
    h.items = [{ ...h.items?.[0], ...fields }];
  });

const checkpoint = (name: string, changed: string, fields: object): Case =>
  field(`checkpoint-${name}`, changed, (h) => {
    h.checkpoint = { note: Buffer.from("note\n"), ...fields };
  });

/** Not certificates, but of their size: what they say is not looked at here. */
const certificate = (seed: number, length = 700) => Buffer.alloc(length, seed);
const certificates = (count: number, length?: number) =>
  Array.from({ length: count }, (_, index) => certificate(index + 1, length));

const withCertificates = (name: string, changed: string, list: readonly Buffer[]): Case =>
  field(`certificates-${name}`, changed, (h) => {
    h.certificates = [...list];
  });

const valid = (name: string, changed: string, early: Forgery["early"]): Case => ({
  name: `valid-${name}`,
  changed: `nothing; ${changed}`,
  forgery: { items: [record], early: early ?? {} },
});

const keys = readKeys();
const sixteen = Array.from({ length: 15 }, (_, index) => ({
  ...keys.recipient,
  nodeId: `node-${String(index + 10)}`,
}));

export const HEADER_FIELDS: readonly Case[] = [
  withCertificates("too-many", "9 certificates", certificates(9)),
  withCertificates("too-long", "a certificate of 2,049 bytes", [certificate(1, 2049)]),
  withCertificates("empty", "an empty certificate", [certificate(1), Buffer.alloc(0)]),
  withCertificates("twice", "one certificate twice", [
    certificate(1),
    certificate(2),
    certificate(1),
  ]),
  valid("certificates", "two certificates ride along", { certificates: certificates(2) }),
  valid("certificates-most", "as many and as long certificates as may be", {
    certificates: certificates(8, 2048),
  }),
  valid("policy-version-astral", "policy_version of 64 characters outside the basic plane", {
    policyVersion: "𠮷".repeat(64),
  }),
  {
    name: "valid-recipients-most",
    changed: "nothing; 16 recipients",
    forgery: { items: [record], recipients: [...sixteen, keys.recipient] },
  },
  field("policy-version-astral-too-long", "65 characters outside the basic plane", (h) => {
    h.policyVersion = "𠮷".repeat(65);
  }),
  field("sender-name", "sender with an underscore", (h) => {
    h.sender = "node_extranet";
    h.stream = "inbound/node_extranet/normal";
  }),
  field("sender-begins-with-hyphen", "sender that begins with a hyphen", (h) => {
    h.sender = "-node";
    h.stream = "inbound/-node/normal";
  }),
  field("stream-of-another-sender", "the stream belongs to another sender", (h) => {
    h.stream = "inbound/node-stranger/normal";
  }),
  field("stream-priority-name", "the priority in capitals", (h) => {
    h.stream = "inbound/node-extranet/Normal";
  }),
  field("stream-four-parts", "a stream of four parts", (h) => {
    h.stream = "inbound/node-extranet/normal/a";
  }),
  field("sign-key-id-short", "sign_key_id of 31 characters", (h) => {
    h.signKeyId = (h.signKeyId ?? "").slice(1);
  }),
  field("previous-digest-short", "previous_digest of 31 bytes", (h) => {
    h.sequence = 2;
    h.previousDigest = Buffer.alloc(31, 7);
  }),
  field("expires-2-53", "expires_ms 2^53", (h) => {
    h.expiresMs = 2 ** 53;
  }),
  field("lifetime-by-one", "expires 366 days and 1 ms after it was created", (h) => {
    h.expiresMs = NOW + 366 * 24 * 60 * 60 * 1000 + 1;
  }),
  field("plaintext-size-2-53", "plaintext_size 2^53", (h) => {
    h.plaintextSize = 2 ** 53;
  }),
  field("item-root-short", "item_root of 31 bytes", (h) => {
    h.itemRoot = Buffer.alloc(31, 1);
  }),
  field("key-commitment-long", "key_commitment of 33 bytes", (h) => {
    h.keyCommitment = Buffer.alloc(33, 1);
  }),
  recipient("name", "a recipient's name in capitals", { nodeId: "NODE-BUSINESS" }),
  recipient("without-name", "a recipient without name", { nodeId: "" }),
  recipient("key-id", "a recipient's key id that is not hexadecimal", { keyId: "z".repeat(32) }),
  recipient("without-secret", "a recipient without wrapped_secret", { wrappedSecret: null }),
  batch("policy-node", "the policy node's name with a blank", { policyNode: "node extranet" }),
  batch("key-id", "the policy key id is one character too long", { keyId: "a".repeat(33) }),
  batch("root-short", "a batch root of 31 bytes", { root: Buffer.alloc(31, 1) }),
  batch("signature-short", "a batch signature of 63 bytes", { signature: Buffer.alloc(63, 1) }),
  field("no-batches", "no verdict batch", (h) => {
    h.verdictBatches = [];
  }),
  item("commitment-short", "a commitment of 31 bytes", { commitment: Buffer.alloc(31, 1) }),
  item("verdict-empty", "an item without verdict", { verdict: null }),
  field("items-too-many", "1,025 items", (h) => {
    const one = { ...h.items?.[0], verdict: Buffer.of(1) };
    h.items = Array.from({ length: 1025 }, () => one);
  }),
  checkpoint("note-too-long", "a checkpoint note of 4,097 bytes", { note: Buffer.alloc(4097, 1) }),
  checkpoint("old-size-2-53", "a checkpoint's old_size of 2^53", { oldSize: 2 ** 53 }),
  checkpoint("proof-too-long", "a consistency proof of 65 hashes", {
    consistency: Array.from({ length: 65 }, () => Buffer.alloc(32, 1)),
  }),
  checkpoint("hash-short", "a consistency proof with a hash of 31 bytes", {
    consistency: [Buffer.alloc(31, 1)],
  }),
];
