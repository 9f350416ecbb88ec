/** Guarantee: a policy service that decides imports as a test says and really signs its verdicts. */
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { formatKeyId } from "@lightferry/proto/sm";
import { itemCommitment, signVerdictBatch } from "@lightferry/proto/verdict";
import { DAY_MS, type Keys, provider } from "./ingress-keys.ts";

const { Decision, Direction } = lightferry.policy.v1;
export type Outcome = lightferry.policy.v1.Outcome.$Properties;
export type DecideItem = lightferry.policy.v1.DecideItem.$Properties;

/** What a test may change while the zone runs. */
export interface Mood {
  decide: (item: DecideItem) => Outcome;
  policyDown: boolean;
  /** Times that a decision was asked for, also while it was down. */
  asked: number;
}

/** Decides as the test says and signs import verdicts with the key that the registry names. */
export function fakePolicy(keys: Keys, world: () => Mood) {
  const answer = (items: readonly DecideItem[]) => {
    world().asked += 1;
    if (world().policyDown) throw new GatewayError("rpc.unavailable");
    const outcomes = items.map((item) => world().decide(item));
    const signed = signVerdictBatch(
      provider,
      keys.importPolicy,
      { policyNode: "node-business", keyId: formatKeyId(keys.importPolicy.publicKey) },
      items.map((item, index) => ({
        verdictId: newId(),
        direction: Direction.DIRECTION_IMPORT,
        decision: outcomes[index]?.decision ?? Decision.DECISION_DENY,
        commitment: itemCommitment(
          provider,
          item.salt ?? new Uint8Array(),
          item.entry ?? new Uint8Array(),
        ),
        lane: item.lane ?? "",
        sender: item.sender ?? "",
        recipients: ["node-business"],
        grade: lightferry.policy.v1.Verdict.decode(item.exportVerdict ?? new Uint8Array()).grade,
        decidedMs: Date.now(),
        expiresMs: Date.now() + DAY_MS,
        policyVersion: "pack-1",
        ruleIds: ["import-permit"],
      })),
    );
    return {
      outcomes: outcomes.map((outcome, index) => ({ ...signed.items[index], ...outcome })),
      batch: signed.batch,
      policyVersion: "pack-1",
    };
  };
  return {
    decide: async (request: lightferry.policy.v1.DecideRequest.$Properties) =>
      answer((request.items ?? []) as DecideItem[]),
    async *decideStream(
      requests: AsyncIterable<lightferry.policy.v1.DecideStreamRequest.$Properties>,
    ) {
      let item: DecideItem = {};
      const hash = provider.createSm3();
      for await (const request of requests) {
        if (request.item) item = request.item as DecideItem;
        if (request.chunk) hash.update(request.chunk);
      }
      const { digest } = lightferry.bundle.v1.ManifestEntry.decode(item.entry ?? new Uint8Array());
      if (Buffer.compare(hash.digest(), digest) !== 0) throw new GatewayError("rpc.bad-message");
      yield { result: answer([item]) };
    },
  };
}
