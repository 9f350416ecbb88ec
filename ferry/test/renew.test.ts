/** Guarantee tested: leases are taken while there are object ids for them, renewed in pieces for as long as the ferry lives, and what is another's by now is not sent on. */
import { randomBytes } from "node:crypto";
import { GatewayError } from "@lightferry/proto/errors";
import { expect, test } from "vitest";
import { DEFAULT_CODE } from "../src/object.ts";
import { GATE_LIMITS, leaseBundles } from "../src/tx/outbox.ts";
import { Places } from "../src/tx/places.ts";
import { renewLeases } from "../src/tx/renew.ts";
import { Sender } from "../src/tx/sender.ts";
import { directory, eventually, FROM, keys, LANE, linkOf, place, quiet, TO } from "./fixture.ts";
import { roomFor } from "./outbox.ts";
import { RecordingGate } from "./tx-gate.ts";

test("many leases are renewed in several calls, a call that fails costs one round, and what is lost is told", async () => {
  const stop = new AbortController();
  const held = Array.from({ length: 12_001 }, (_, at) => `lease-${at}`);
  const calls: number[] = [];
  const lost: string[] = [];
  const warned: unknown[] = [];
  let over = false;
  const running = renewLeases({
    lane: LANE,
    carrier: { leases: () => held, lost: (leaseIds) => void lost.push(...leaseIds) },
    renew: async ({ lane, leaseIds }) => {
      expect(lane).toBe(LANE);
      calls.push(leaseIds?.length ?? 0);
      if (calls.length === 2) throw new GatewayError("rpc.unavailable");
      return { lost: leaseIds?.includes("lease-12000") ? ["lease-12000"] : [] };
    },
    log: { ...quiet, warn: (facts) => void warned.push(facts) },
    signal: stop.signal,
    everyMs: 1,
  }).finally(() => {
    over = true;
  });
  await eventually(() => lost).toContain("lease-12000");
  expect(calls.slice(0, 5)).toEqual([5_000, 5_000, 5_000, 5_000, 2_001]);
  expect(warned).toMatchObject([{ code: "rpc.unavailable", lane: LANE }]);
  expect(over).toBe(false);
  stop.abort();
  await running;
});

test("a bundle whose lease another ferry has by now is forgotten: no acknowledgement, nothing under way", async () => {
  const at = place();
  const gate = new RecordingGate();
  const sender = await Sender.start({
    lanes: [{ name: LANE, number: 0, weight: 1, outboxDir: at.outboxDir }],
    links: [{ number: 3, gate, rateBytesPerSecond: 1, frameSize: 1456 }],
    ...{ node: FROM, stateDir: at.txState, code: DEFAULT_CODE },
    ...{ secondPassMs: 10, signer: linkOf(keys.ferry), keys: () => directory },
    ...{ outbox: at.outbox, events: at.txEvents, log: quiet, receiverOf: () => TO },
  });
  const { ack } = at.outbox;
  let taken = 0;
  at.outbox.ack = async (request) => {
    const answer = await ack(request);
    // Before the second pass the lease runs out, and somebody else is there first.
    at.outbox.leaseAgain(`${FROM}/3/ferry-tx`);
    const other = await at.outbox.lease({
      ...{ lane: LANE, worker: `${FROM}/5/ferry-tx` },
      ...roomFor(1),
    });
    taken += other.bundles?.length ?? 0;
    return answer;
  };
  at.outbox.put(await at.seal(randomBytes(9_000)));
  await eventually(() => sender.status()).toMatchObject({
    bundles: { emitted: 1, finished: 0, takenOver: 1, held: 0 },
  });
  expect(taken).toBe(1);
  expect(at.outbox.acks).toMatchObject([{ passesDone: 1 }]);
  const closing = sender.close();
  gate.ring();
  await closing;
  at.remove();
});

test("an epoch without object ids ends the leasing and the program; a lease that cannot be taken on does not", async () => {
  const stop = new AbortController();
  const failed: unknown[] = [];
  const warned: unknown[] = [];
  const codes = ["ferry.file-invalid", "ferry.epoch-exhausted"] as const;
  let taken = 0;
  const take = (): void => {
    taken += 1;
    throw new GatewayError(codes[taken - 1] ?? "internal.fault");
  };
  await leaseBundles({
    ...{ lane: LANE, worker: "w", places: new Places(GATE_LIMITS), take, signal: stop.signal },
    lease: async () => ({ bundles: [{}, {}] }),
    log: { ...quiet, warn: (facts) => void warned.push(facts) },
    failed: (error) => void failed.push(error),
  });
  expect(taken).toBe(2);
  expect(warned).toMatchObject([{ code: "ferry.file-invalid" }]);
  expect(failed).toMatchObject([{ code: "ferry.epoch-exhausted" }]);
});
