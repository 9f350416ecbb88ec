/** Witnessing: signed by the other node, ahead of what was seen, linked by a proof, durable before the answer. */

import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { MerkleTree } from "@lightferry/proto/merkle";
import type { Registry } from "@lightferry/proto/registry";
import { formatKeyId, type Sm2PrivateKey } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkpointSigner } from "../src/checkpoint/sign.ts";
import { readerPool } from "../src/store/connect.ts";
import { knownCheckpoints } from "../src/store/witnessed.ts";
import { verifyLog } from "../src/verify/verify.ts";
import { Witness } from "../src/witness/witness.ts";
import { always, auditKey, NODE, provider, type TestLog, testLog, ZONE } from "./kit.ts";

const farKey = provider.generateSm2();
const registry = {
  nodeOfZone: (zone: string) => (zone === "extranet" ? { id: "node-extranet" } : undefined),
} as unknown as Registry;
const keys = {
  auditKey: (node: string, keyId: string) =>
    node === "node-extranet" && keyId === formatKeyId(farKey.publicKey)
      ? farKey.publicKey
      : undefined,
} as unknown as KeyDirectory;

/** The other zone's log; `fork` gives another history from the start. */
function farTree(size: number, fork = ""): MerkleTree {
  const tree = new MerkleTree(provider.sm3);
  for (let i = 0; i < size; i += 1) tree.append(provider.sm3(Buffer.from(`${fork}${i}`)));
  return tree;
}

let log: TestLog;
let pool: pg.Pool;
let witness: Witness;
beforeAll(async () => {
  log = await testLog();
});
beforeEach(async () => {
  await log.renew();
  pool = readerPool(log.writerUrl);
  await log.sequencer.append({
    events: [],
    trails: [],
    own: [{ type: "audit.read", outcome: "ok" }],
  });
  witness = new Witness({
    provider,
    sequencer: log.sequencer,
    zone: "extranet",
    registry: async () => registry,
    keys: () => keys,
    known: (zone, size, oldSize) => knownCheckpoints(pool, zone, size, oldSize),
  });
});
afterEach(() => pool.end());
afterAll(() => log.drop());

function request(
  size: number,
  oldSize: number,
  options: { fork?: string; key?: Sm2PrivateKey; node?: string } = {},
) {
  const tree = farTree(size, options.fork);
  const sign = checkpointSigner(
    provider,
    always(options.key ?? farKey),
    options.node ?? "node-extranet",
  );
  return new lightferry.audit.v1.WitnessRequest({
    zone: "extranet",
    note: Buffer.from(sign(size, tree.root(), 1_700_000_000_000 + size)),
    oldSize,
    consistency: oldSize === 0 ? [] : tree.consistencyPath(oldSize),
    bundleId: newId(),
  });
}

function verify() {
  return verifyLog({
    databaseUrl: log.readerUrl,
    provider,
    node: NODE,
    auditKey: () => auditKey.publicKey,
    peerAuditKey: (zone) =>
      zone === "extranet" ? { nodeId: "node-extranet", key: farKey.publicKey } : undefined,
  });
}

describe("witness", () => {
  it("records a growing log and is idempotent", async () => {
    expect(await witness.record(request(10, 0))).toBe("recorded");
    expect(await witness.record(request(25, 10))).toBe("recorded");
    expect(await witness.record(request(25, 10))).toBe("recorded");
    expect(await witness.record(request(300, 25))).toBe("recorded");
    const rows = await log.sql("select size::int, verdict from audit.witness order by size");
    expect(rows).toEqual([
      { size: 10, verdict: "first" },
      { size: 25, verdict: "linked" },
      { size: 300, verdict: "linked" },
    ]);
    expect(await verify()).toMatchObject({ clean: true, witnessed: 3, witnessGaps: 0 });
  });

  it("takes a lost bundle as a gap and closes it when it arrives late", async () => {
    await witness.record(request(10, 0));
    expect(await witness.record(request(40, 25))).toBe("recorded");
    expect(await verify()).toMatchObject({ clean: true, witnessGaps: 1 });
    expect(await witness.record(request(25, 10))).toBe("stale");
    expect(await verify()).toMatchObject({ clean: true, witnessed: 3, witnessGaps: 0 });
  });

  it("names a fork, whether by root, by a proof that fails, or by a later proof", async () => {
    await witness.record(request(10, 0));
    await witness.record(request(40, 25));
    expect(await witness.record(request(10, 0, { fork: "x" }))).toBe("inconsistent");
    expect(await witness.record(request(30, 10, { fork: "x" }))).toBe("inconsistent");
    expect(await witness.record(request(25, 0, { fork: "x" }))).toBe("inconsistent");
    const alarms = await log.sql(
      "select 1 from audit.event where code = 'audit.witness-inconsistent' and outcome = 'error'",
    );
    expect(alarms).toHaveLength(3);
    expect((await verify()).counts.get("witness.inconsistent")).toBe(3);
    expect(await witness.record(request(41, 40))).toBe("recorded");
  });

  it("refuses and records notes that the other node did not sign", async () => {
    const bad = [
      request(10, 0, { key: provider.generateSm2() }),
      request(10, 0, { node: "node-elsewhere" }),
      new lightferry.audit.v1.WitnessRequest({ ...request(10, 0), zone: ZONE }),
      new lightferry.audit.v1.WitnessRequest({ ...request(10, 0), note: Buffer.from("no note") }),
      new lightferry.audit.v1.WitnessRequest({ ...request(10, 0), consistency: [Buffer.alloc(5)] }),
    ];
    for (const wrong of bad) {
      await expect(witness.record(wrong)).rejects.toMatchObject({ code: "audit.witness-invalid" });
    }
    const refusals = await log.sql("select 1 from audit.event where outcome = 'refused'");
    expect(refusals).toHaveLength(bad.length);
    expect((await verify()).clean).toBe(true);
  });

  it("finds altered, removed and added records", async () => {
    await witness.record(request(10, 0));
    await witness.record(request(25, 10));
    await log.unguard();
    await log.sql("update audit.witness set old_size = 9 where size = 25");
    expect((await verify()).counts.get("witness.altered")).toBe(1);
    await log.sql("update audit.witness set old_size = 10 where size = 25");
    expect((await verify()).clean).toBe(true);
    await log.sql("update audit.witness set consistency = '' where size = 25");
    expect((await verify()).counts.get("witness.inconsistent")).toBe(1);
    await log.sql("delete from audit.witness where size = 25");
    expect((await verify()).counts.get("witness.altered")).toBe(1);
  });
});
