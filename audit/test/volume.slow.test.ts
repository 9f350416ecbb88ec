/** A hundred thousand events through validation, tree, signature and a durable commit, and back through the verifier. */
import { newId } from "@lightferry/proto/ids";
import { expect, it } from "vitest";
import { prepareEvents } from "../src/api/validate.ts";
import { verifyLog } from "../src/verify/verify.ts";
import { auditKey, event, NODE, provider, testLog, ZONE } from "./kit.ts";

const BATCHES = 200;
const BATCH = 512;

it("appends and verifies a hundred thousand events on a durable database", async () => {
  const log = await testLog({ durable: true });
  const batches = Array.from({ length: BATCHES }, (_, b) =>
    Array.from({ length: BATCH }, (_unused, i) =>
      event("front-proxy", 1 + b * BATCH + i, {
        ...{ exchangeId: newId(), lane: "inbound", actor: "registration-system", grade: "G2" },
        ...{ service: "registration-records", digest: new Uint8Array(32).fill(b), size: 1234 },
        ...{ policyVersion: "2026.11-3", ruleIds: ["grant/registration", "label/g2"] },
        attributes: [{ name: "state", value: "queued" }],
      }),
    ).map(({ bytes }) => bytes),
  );
  const sender = { zone: ZONE, node: NODE, emitter: "front-proxy" };
  await Promise.all(
    batches.map((list) =>
      log.sequencer.append({
        events: prepareEvents(provider.sm3, list, sender),
        trails: [],
        own: [],
      }),
    ),
  );
  const report = await verifyLog({
    databaseUrl: log.readerUrl,
    provider,
    node: NODE,
    auditKey: () => auditKey.publicKey,
    peerAuditKey: () => undefined,
  });
  expect(report.clean).toBe(true);
  expect(report.events).toBe(BATCHES * BATCH);
  await log.drop();
});
