/** What a ferry has room for is given, class by class and at once; what is under way is not read for it. */

import type { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { LEASE_SQL, leaseValues, readLease } from "../src/egress/outbox-lease.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";
import { roomFor } from "./support/lease-room.ts";

type Request = lightferry.ferry.v1.LeaseRequest.$Properties;

const LANE = "inbound";
let world: EgressWorld;

beforeAll(async () => {
  world = await createEgressWorld();
  await world.start();
});
afterAll(() => world.close());
beforeEach(() => world.pool.query("DELETE FROM outbox_bundle"));

interface Put {
  readonly priority?: string;
  readonly size?: number;
  readonly passes?: number;
  readonly repair?: boolean;
}

let sequence = 0;
/** @returns its number, which is its age as well */
async function put({ priority = "bulk", size = 1, passes = 0, repair = false }: Put = {}) {
  sequence += 1;
  const id = formatId(newId());
  await world.pool.query(
    `INSERT INTO outbox_bundle (bundle_id, lane, stream, sequence, priority, file, size, header_digest,
       item_root, created_ms, expires_ms, state, passes_done, repair)
     VALUES ($1, $2, $3, $4, $5, $1::uuid || '.lfb', $6, '', '', $4, 9e15, 'waiting', $7, $8)`,
    [id, LANE, `${LANE}/n/${priority}`, sequence, priority, size, passes, repair],
  );
  return sequence;
}

async function lease(room: Partial<Request>, waitMs = 0) {
  const worker = "node/0/ferry-tx";
  const answer = await world.running.outbox.lease({ lane: LANE, worker, waitMs, ...room });
  return answer.bundles.map((bundle) => bundle.sequence);
}
const any = (bundles: number) => ({ bundles, anySize: bundles, bytes: 0 });

it("gives what there is room for and nothing else, the most urgent first, what left before last", async () => {
  const bulk = [await put(), await put(), await put()];
  const repeated = [await put({ repair: true }), await put({ priority: "normal", passes: 1 })];
  const odd = await put({ priority: "of a later version" });
  const normal = [await put({ priority: "normal" }), await put({ priority: "normal" })];
  const urgent = await put({ priority: "urgent" });
  expect(await lease({ normal: any(1) })).toEqual(normal.slice(0, 1));
  expect(await lease({ urgent: any(3), repeated: any(1) })).toEqual([urgent, repeated[1]]);
  expect(await lease({ normal: any(9), bulk: any(3), max: 3 })).toEqual([
    normal[1],
    bulk[0],
    bulk[1],
  ]);
  expect(await lease(roomFor(64))).toEqual([bulk[2], odd, repeated[0]]);
  expect(await lease(roomFor(64))).toEqual([]);
});

it("gives by size as long as those before are fewer bytes, and so many however large", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 });
  const number = fc.nat({ max: 6 });
  await fc.assert(
    fc.asyncProperty(sizes, number, number, fc.nat({ max: 30 }), async (of, ...room) => {
      await world.pool.query("DELETE FROM outbox_bundle");
      const numbers: number[] = [];
      for (const size of of) numbers.push(await put({ size }));
      const [bundles, anySize, bytes] = room;
      const before = (index: number) => of.slice(0, index).reduce((sum, size) => sum + size, 0);
      const fits = (index: number) => index < bundles && (index < anySize || before(index) < bytes);
      const asked = lease({ bulk: { bundles, anySize, bytes } });
      if (bundles === 0 || (anySize === 0 && bytes === 0)) {
        await expect(asked).rejects.toMatchObject({ code: "rpc.bad-message" });
      } else expect(await asked).toEqual(numbers.filter((_, index) => fits(index)));
    }),
    { numRuns: 30 },
  );
});

it("a ferry whose places for bulk are taken is given an urgent bundle while it waits", async () => {
  for (let file = 0; file < 4; file += 1) await put();
  expect(await lease({ bulk: any(2) })).toHaveLength(2);
  const room = { urgent: any(1), normal: any(1), repeated: any(1) };
  const { rings } = world.running.egress.sweep.outbox;
  const answer = lease(room, 20_000);
  // What it has no room for does not end the wait.
  await put();
  world.running.egress.sweep.outbox.ring();
  const urgent = await put({ priority: "urgent" });
  world.running.egress.sweep.outbox.ring();
  expect(await answer).toEqual([urgent]);
  expect(world.running.egress.sweep.outbox.rings).toBe(rings + 2);
});

interface Plan {
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
  readonly "Node Type": string;
}

/** Every step that reads the table. */
function scansOf(plan: Plan): readonly Plan[] {
  const own =
    plan["Relation Name"] !== undefined && plan["Node Type"] !== "ModifyTable" ? [plan] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(scansOf)];
}

it("reads what it gives, however much waits or is under way", async () => {
  await world.pool.query(
    `INSERT INTO outbox_bundle (bundle_id, lane, stream, sequence, priority, file, size, header_digest,
       item_root, created_ms, expires_ms, state, lease_id, lease_expires_ms)
     SELECT gen_random_uuid(), $1, $1 || '/n/' || p, n, p, p || n || '.lfb', 1, '', '', n, 9e15,
       CASE WHEN n <= 3000 THEN 'leased' ELSE 'waiting' END,
       CASE WHEN n <= 3000 THEN gen_random_uuid() END, 9e15
       FROM generate_series(1, 6000) AS n, unnest(ARRAY['normal', 'bulk']) AS p`,
    [LANE],
  );
  await world.pool.query("ANALYZE outbox_bundle");
  const ask = readLease({ ...roomFor(64), lane: LANE, worker: "w", max: 0 } as never);
  const values = leaseValues(ask, Date.now());
  const client = await world.pool.connect();
  try {
    for (const mode of ["force_custom_plan", "force_generic_plan"]) {
      await client.query("BEGIN");
      await client.query(`SET LOCAL plan_cache_mode = ${mode}`);
      const { rows } = await client.query({
        name: `explained-${mode}`,
        text: `EXPLAIN (ANALYZE, FORMAT JSON) ${LEASE_SQL}`,
        values,
      });
      await client.query("ROLLBACK");
      const scans = scansOf(rows[0]["QUERY PLAN"][0].Plan);
      expect(scans.map((scan) => scan["Index Name"])).toEqual([
        "outbox_free",
        "outbox_bundle_pkey",
      ]);
      // 64 of each of two classes to choose from, 64 of them given.
      const read = scans.reduce((sum, scan) => sum + scan["Actual Rows"] * scan["Actual Loops"], 0);
      expect(read).toBe(3 * 64);
      for (const scan of scans) expect(scan["Rows Removed by Filter"] ?? 0).toBe(0);
    }
  } finally {
    client.release();
  }
});
