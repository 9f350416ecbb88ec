/** Guarantee: refusals of SPEC §7: a signed bundle whose items are not permitted. */
import { lightferry } from "../../src/gen/index.js";
import { DAY, type ForgedItem, type Forgery, id, NOW } from "../forge.ts";
import { readKeys } from "../keys.ts";
import { type Case, record, second } from "./case.ts";

const { Decision, Direction } = lightferry.policy.v1;
const keys = readKeys();
type Fields = NonNullable<ForgedItem["verdict"]>;

/** The second of two items has another verdict, properly signed. */
const verdict = (name: string, changed: string, fields: Fields, code: string): Case => ({
  name: `verdict-${name}`,
  changed,
  forgery: { items: [record, { ...second, verdict: fields }] },
  code,
});

const proof = (
  name: string,
  changed: string,
  forgery: Omit<Forgery, "items">,
  code: string,
): Case => ({
  name: `verdict-${name}`,
  changed,
  forgery: { items: [record, second], ...forgery },
  code,
});

export const VERDICT: readonly Case[] = [
  verdict(
    "other-item",
    "the verdict is for another commitment",
    { commitment: Buffer.alloc(32, 5) },
    "verdict.wrong-item",
  ),
  verdict(
    "other-lane",
    "the verdict is for another lane",
    { lane: "outbound" },
    "verdict.wrong-lane",
  ),
  verdict(
    "other-sender",
    "the verdict is for another sender",
    { sender: "node-stranger" },
    "verdict.wrong-sender",
  ),
  verdict(
    "other-recipient",
    "the verdict is for another recipient",
    { recipients: ["node-stranger"] },
    "verdict.wrong-recipient",
  ),
  {
    name: "verdict-one-recipient-of-two",
    changed: "the bundle has a recipient that the verdict does not name",
    forgery: {
      items: [{ ...record, verdict: { recipients: ["node-business"] } }],
      recipients: [keys.recipient, keys.releaser],
    },
    code: "verdict.wrong-recipient",
  },
  verdict(
    "import-as-export",
    "an import verdict is used for export",
    { direction: Direction.DIRECTION_IMPORT },
    "verdict.wrong-direction",
  ),
  verdict(
    "no-direction",
    "a verdict without direction",
    { direction: Direction.DIRECTION_UNSPECIFIED },
    "verdict.wrong-direction",
  ),
  verdict(
    "hold",
    "the verdict is to hold",
    { decision: Decision.DECISION_HOLD },
    "verdict.not-permit",
  ),
  verdict(
    "deny",
    "the verdict is to deny",
    { decision: Decision.DECISION_DENY },
    "verdict.not-permit",
  ),
  verdict(
    "no-decision",
    "a verdict without decision",
    { decision: Decision.DECISION_UNSPECIFIED },
    "verdict.not-permit",
  ),
  verdict(
    "expired",
    "the verdict expired when the bundle was created",
    { expiresMs: NOW },
    "verdict.expired",
  ),
  verdict(
    "from-future",
    "the verdict was made five minutes and 1 ms after the bundle",
    { decidedMs: NOW + 5 * 60 * 1000 + 1, expiresMs: NOW + DAY },
    "verdict.not-yet-valid",
  ),
  verdict("reused", "one verdict id twice", { verdictId: id(2000) }, "verdict.reused"),
  verdict(
    "id-missing",
    "a verdict without id",
    { verdictId: Buffer.alloc(0) },
    "verdict.malformed",
  ),
  verdict("no-recipients", "a verdict without recipients", { recipients: [] }, "verdict.malformed"),
  verdict(
    "recipients-unordered",
    "recipients in descending order",
    { recipients: ["node-business", "node-a"] },
    "verdict.malformed",
  ),
  verdict(
    "grade-secret",
    "a mark of state secrecy in the place of the grade",
    { grade: "SECRET_3" },
    "verdict.malformed",
  ),
  proof(
    "batch-signature-flipped",
    "one bit of the batch signature",
    {
      batch: (batch) => {
        const bytes = Buffer.from(batch.signature ?? []);
        bytes[9] = (bytes[9] ?? 0) ^ 1;
        batch.signature = bytes;
      },
    },
    "verdict.signature-invalid",
  ),
  proof(
    "batch-signed-by-stranger",
    "a stranger signed under the policy service's key id",
    { policy: { ...keys.policy, key: keys.stranger.key } },
    "verdict.signature-invalid",
  ),
  proof(
    "batch-of-stranger",
    "the policy key is not registered",
    { policy: { ...keys.policy, key: keys.stranger.key, keyId: keys.stranger.keyId } },
    "verdict.unknown-policy-key",
  ),
  proof(
    "batch-of-another-node",
    "another node's policy service decided",
    { policy: keys.stranger },
    "verdict.unknown-policy-key",
  ),
  proof(
    "signed-by-node-key",
    "the sender's own signing key in the place of the policy key",
    { policy: { ...keys.policy, key: keys.sender.key, keyId: keys.sender.keyId } },
    "verdict.unknown-policy-key",
  ),
  proof(
    "path-flipped",
    "one bit of a path",
    {
      record: (item) => {
        const [hash] = item.path ?? [];
        if (hash) hash[3] = (hash[3] ?? 0) ^ 1;
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "path-missing",
    "an empty path in a batch of two",
    {
      record: (item) => {
        item.path = [];
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "path-longer",
    "a path one hash longer than it can be",
    {
      record: (item) => {
        item.path = [...(item.path ?? []), Buffer.alloc(32, 1)];
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "leaf-other",
    "leaf index of its neighbour",
    {
      record: (item) => {
        item.leaf = 1 - (item.leaf ?? 0);
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "leaf-out-of-range",
    "leaf 2 of 2",
    {
      record: (item) => {
        item.leaf = 2;
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "batch-size-other",
    "the batch says it has three leaves",
    {
      batch: (batch) => {
        batch.size = 3;
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "batch-size-0",
    "the batch says it is empty",
    {
      batch: (batch) => {
        batch.size = 0;
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "batch-root-other",
    "another root in the batch",
    {
      batch: (batch) => {
        batch.root = Buffer.alloc(32, 3);
      },
    },
    "verdict.path-invalid",
  ),
  proof(
    "not-in-batch",
    "verdict bytes altered after signing",
    {
      record: (item) => {
        const bytes = Buffer.from(item.verdict ?? []);
        bytes[5] = (bytes[5] ?? 0) ^ 1;
        item.verdict = bytes;
      },
    },
    "verdict.path-invalid",
  ),
];
