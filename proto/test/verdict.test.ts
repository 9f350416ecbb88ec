import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lightferry } from "../src/gen/index.js";
import { newId } from "../src/ids.ts";
import { loadProvider, type SmProvider } from "../src/sm/index.ts";
import {
  assertVerdictCovers,
  itemCommitment,
  signVerdictBatch,
  VERDICT_BATCH_MAX,
  type VerdictUse,
  verifyVerdict,
} from "../src/verdict/index.ts";
import { NOW, policy, sender } from "./bundle-fixture.ts";

const { Decision, Direction } = lightferry.policy.v1;
const provider = loadProvider();
const signer = { policyNode: policy.nodeId, keyId: policy.keyId };

function verdict(over: lightferry.policy.v1.Verdict.$Properties = {}) {
  return {
    verdictId: newId(),
    direction: Direction.DIRECTION_EXPORT,
    decision: Decision.DECISION_PERMIT,
    commitment: new Uint8Array(32).fill(1),
    lane: "inbound",
    sender: sender.nodeId,
    recipients: ["node-business"],
    grade: "G2",
    decidedMs: NOW,
    expiresMs: NOW + 1000,
    ...over,
  };
}

const use: VerdictUse = {
  commitment: new Uint8Array(32).fill(1),
  lane: "inbound",
  sender: sender.nodeId,
  recipients: ["node-business"],
  direction: Direction.DIRECTION_EXPORT,
  atMs: NOW + 10,
};

/** Counts the SM2 verifications that really run. */
function counting(): { provider: SmProvider; count: () => number } {
  let calls = 0;
  const counted: SmProvider = Object.create(provider, {
    sm2Verify: {
      value: (...parts: Parameters<SmProvider["sm2Verify"]>) => {
        calls += 1;
        return provider.sm2Verify(...parts);
      },
    },
  });
  return { provider: counted, count: () => calls };
}

function signedOne(over: lightferry.policy.v1.Verdict.$Properties = {}) {
  const { batch, items } = signVerdictBatch(provider, policy.key, signer, [verdict(over)]);
  const [item] = items;
  if (item === undefined) throw new Error("one verdict gives one item");
  return { verdictBytes: item.verdict, leaf: item.leaf, path: item.path, batch };
}

describe("verdict batches", () => {
  it("verify item by item, for any number of verdicts", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (count) => {
        const verdicts = Array.from({ length: count }, () => verdict());
        const { batch, items } = signVerdictBatch(provider, policy.key, signer, verdicts);
        for (const [index, { verdict: verdictBytes, leaf, path }] of items.entries()) {
          const proof = { verdictBytes, leaf, path, batch };
          const checked = verifyVerdict(provider, proof, policy.key.publicKey);
          expect(Buffer.from(checked.verdictId)).toEqual(
            Buffer.from(verdicts[index]?.verdictId ?? []),
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it("are neither empty nor over their limit", () => {
    expect(() => signVerdictBatch(provider, policy.key, signer, [])).toThrow("verdict.malformed");
    const many = Array.from({ length: VERDICT_BATCH_MAX + 1 }, () => verdict());
    expect(() => signVerdictBatch(provider, policy.key, signer, many)).toThrow("verdict.malformed");
  });

  it("cost one SM2 verification, however many items are checked", () => {
    const verdicts = Array.from({ length: 9 }, () => verdict());
    const { batch, items } = signVerdictBatch(provider, policy.key, signer, verdicts);
    const counted = counting();
    for (const { verdict: verdictBytes, leaf, path } of items) {
      verifyVerdict(counted.provider, { verdictBytes, leaf, path, batch }, policy.key.publicKey);
    }
    expect(counted.count()).toBe(1);
  });

  it("remember a good signature only for its own key, batch and bytes", () => {
    const proof = signedOne();
    verifyVerdict(provider, proof, policy.key.publicKey);
    const verify = (over: lightferry.bundle.v1.VerdictBatch.$Properties, key = policy.key) => {
      const batch = new lightferry.bundle.v1.VerdictBatch(proof.batch);
      Object.assign(batch, over);
      return () => verifyVerdict(provider, { ...proof, batch }, key.publicKey);
    };
    expect(verify({})).not.toThrow();
    expect(verify({}, sender.key)).toThrow("verdict.signature-invalid");
    expect(verify({ keyId: sender.keyId })).toThrow("verdict.signature-invalid");
    expect(verify({ policyNode: "node-other" })).toThrow("verdict.signature-invalid");
    const altered = Buffer.from(proof.batch.signature);
    altered[0] = (altered[0] ?? 0) ^ 1;
    expect(verify({ signature: altered })).toThrow("verdict.signature-invalid");
    expect(verify({ signature: Buffer.concat([proof.batch.signature, Buffer.of(0)]) })).toThrow(
      "verdict.signature-invalid",
    );
  });

  it("refuse a wrong proof also when the neighbours were found good", () => {
    const verdicts = Array.from({ length: 8 }, () => verdict());
    const { batch, items } = signVerdictBatch(provider, policy.key, signer, verdicts);
    const check = (index: number, flip: number | undefined) => () => {
      const item = items[index];
      if (item === undefined) throw new Error("eight items");
      const path = item.path.map((hash, height) => {
        const copy = Buffer.from(hash);
        if (height === flip) copy[0] = (copy[0] ?? 0) ^ 1;
        return copy;
      });
      const proof = { verdictBytes: item.verdict, leaf: item.leaf, path, batch };
      return verifyVerdict(provider, proof, policy.key.publicKey);
    };
    for (const index of items.keys()) expect(check(index, undefined)).not.toThrow();
    for (const index of items.keys()) {
      for (const height of [0, 1, 2]) {
        expect(check(index, height)).toThrow("verdict.path-invalid");
      }
    }
  });
});

describe("what a verdict covers", () => {
  const cases: [string, lightferry.policy.v1.Verdict.$Properties, Partial<VerdictUse>, string][] = [
    ["a hold", { decision: Decision.DECISION_HOLD }, {}, "verdict.not-permit"],
    ["a denial", { decision: Decision.DECISION_DENY }, {}, "verdict.not-permit"],
    [
      "the other direction",
      {},
      { direction: Direction.DIRECTION_IMPORT },
      "verdict.wrong-direction",
    ],
    ["another item", {}, { commitment: new Uint8Array(32) }, "verdict.wrong-item"],
    ["another lane", {}, { lane: "outbound" }, "verdict.wrong-lane"],
    ["another sender", {}, { sender: "node-x" }, "verdict.wrong-sender"],
    [
      "one more recipient",
      {},
      { recipients: ["node-business", "node-x"] },
      "verdict.wrong-recipient",
    ],
    ["the moment it expires", {}, { atMs: NOW + 1000 }, "verdict.expired"],
    ["long before it was made", {}, { atMs: NOW - 5 * 60 * 1000 - 1 }, "verdict.not-yet-valid"],
  ];
  it.each(cases)("is not %s", (_, fields, over, code) => {
    const checked = verifyVerdict(provider, signedOne(fields), policy.key.publicKey);
    expect(() => assertVerdictCovers(checked, { ...use, ...over })).toThrow(code);
  });

  it("is its own item until the last millisecond, for one of several recipients", () => {
    const recipients = ["node-business", "node-releaser"];
    const checked = verifyVerdict(provider, signedOne({ recipients }), policy.key.publicKey);
    expect(() => assertVerdictCovers(checked, { ...use, atMs: NOW + 999 })).not.toThrow();
  });
});

it("commits to salt and entry as SPEC §6.1 says", () => {
  const salt = new Uint8Array(32).fill(7);
  const entry = Buffer.from("entry");
  const expected = provider.sm3(Buffer.concat([Buffer.of(0), salt, entry]));
  expect(Buffer.from(itemCommitment(provider, salt, entry))).toEqual(Buffer.from(expected));
});
