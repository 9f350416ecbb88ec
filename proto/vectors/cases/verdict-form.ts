/** Guarantee: verdicts that are signed and in their batch, and wrong in form (SPEC §7.2 step 3) or in a number that the schema does not name. */
import { encodeCanonical } from "../../src/canonical.ts";
import { lightferry } from "../../src/gen/index.js";
import { loadProvider } from "../../src/sm/index.ts";
import { type ForgedItem, type Forgery, NOW } from "../forge.ts";
import { readKeys } from "../keys.ts";
import { type Case, record } from "./case.ts";

const { VerdictBatch } = lightferry.bundle.v1;
const provider = loadProvider();
const keys = readKeys();
type Fields = NonNullable<ForgedItem["verdict"]>;

/** What the types of the schema do not let one write. */
const unnamed = (number: number) => number as 0;

const fields = (
  name: string,
  changed: string,
  verdict: Fields,
  code = "verdict.malformed",
): Case => ({
  name: `verdict-${name}`,
  changed,
  forgery: { items: [{ ...record, verdict }], early: { grade: "G2" } },
  code,
});

/** A batch of one leaf that is no verdict a policy service would write: signed all the same. */
const raw = (name: string, changed: string, ...bytes: number[]): Case => {
  const verdict = Buffer.from(bytes);
  const forgery: Omit<Forgery, "items"> = {
    batch: (batch) => {
      batch.root = provider.sm3(Buffer.of(0), verdict);
      const unsigned = encodeCanonical(VerdictBatch, { ...batch, signature: Buffer.of() });
      const message = [Buffer.from("lightferry/verdict-batch/1\0"), unsigned];
      batch.signature = provider.sm2Sign(keys.policy.key, Buffer.concat(message));
    },
    record: (item) => {
      item.verdict = verdict;
    },
  };
  return {
    name: `verdict-${name}`,
    changed,
    forgery: { items: [record], ...forgery },
    code: "verdict.malformed",
  };
};

export const VERDICT_FORM: readonly Case[] = [
  raw("cut", "verdict bytes that end inside a field", 0x0a, 0x10, 0x01),
  raw("not-canonical", "a verdict with a varint longer than it must be", 0x10, 0x81, 0x00),
  raw("unknown-field", "a verdict with an unknown field", 0x78, 0x01),
  fields("id-short", "a verdict id of 15 bytes", { verdictId: Buffer.alloc(15, 1) }),
  fields("commitment-short", "a commitment of 31 bytes", { commitment: Buffer.alloc(31, 1) }),
  fields("recipient-twice", "one recipient twice", {
    recipients: ["node-business", "node-business"],
  }),
  fields("grade-unknown", "grade G5", { grade: "G5" }),
  fields("decided-missing", "no time of the decision", { decidedMs: 0 }),
  fields("expires-with-decision", "it expires when it is decided", { expiresMs: NOW - 1000 }),
  fields("expires-2-53", "expires_ms 2^53", { expiresMs: 2 ** 53 }),
  fields(
    "decision-unknown",
    "a decision that the schema does not name",
    { decision: unnamed(9) },
    "verdict.not-permit",
  ),
  fields("decision-negative", "decision -1", { decision: unnamed(-1) }, "verdict.not-permit"),
  fields(
    "direction-unknown",
    "a direction that the schema does not name",
    { direction: unnamed(9) },
    "verdict.wrong-direction",
  ),
  fields("lane-missing", "a verdict for no lane", { lane: "" }, "verdict.wrong-lane"),
  fields("sender-missing", "a verdict for no sender", { sender: "" }, "verdict.wrong-sender"),
  {
    name: "verdict-batch-size-1025",
    changed: "the batch says it has 1,025 leaves",
    forgery: {
      items: [record],
      batch: (batch) => {
        batch.size = 1025;
      },
    },
    code: "verdict.path-invalid",
  },
  {
    name: "valid-verdict-at-its-ends",
    changed: "nothing; decided five minutes after the bundle and valid for one millisecond more",
    forgery: {
      items: [
        {
          ...record,
          verdict: { decidedMs: NOW + 5 * 60 * 1000, expiresMs: NOW + 5 * 60 * 1000 + 1 },
        },
      ],
    },
  },
  {
    name: "valid-verdict-last-moment",
    changed:
      "nothing; the verdict expires one millisecond after the bundle was made, other nodes are permitted too",
    forgery: {
      items: [
        { ...record, verdict: { expiresMs: NOW + 1, recipients: ["a", "node-business", "z"] } },
      ],
    },
  },
];
