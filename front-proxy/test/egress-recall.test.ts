/** What was emitted is listed in ranges, and what a repair ticket names is sent once more. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatId, newId, parseId } from "@lightferry/proto/ids";
import { createClient, OutboxService } from "@lightferry/proto/rpc";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listEmitted } from "../src/egress/outbox-inventory.ts";
import { sweepOnce } from "../src/egress/sweep.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";
import { roomFor } from "./support/lease-room.ts";

const LANE = "inbound";
const NORMAL = "inbound/node-extranet/normal";
const BULK = "inbound/node-extranet/bulk";
const DAY_MS = 86_400_000;

let world: EgressWorld;

beforeAll(async () => {
  world = await createEgressWorld();
  await world.start();
});
afterAll(() => world.close());
beforeEach(() => world.pool.query("DELETE FROM outbox_bundle"));

interface Row {
  readonly stream?: string;
  readonly state?: string;
  readonly emittedMs?: number | null;
  readonly expiresMs?: number;
  readonly refuseCode?: string;
  readonly finishedMs?: number;
  readonly file?: boolean;
}

/** Rows as Lease and Ack leave them; with its file unless said otherwise. */
async function put(numbers: readonly number[], row: Row = {}): Promise<string[]> {
  const ids: string[] = [];
  for (const sequence of numbers) {
    const id = formatId(newId());
    const stream = row.stream ?? NORMAL;
    const now = Date.now();
    await world.pool.query(
      `INSERT INTO outbox_bundle (bundle_id, lane, stream, sequence, priority, file, size,
         header_digest, item_root, created_ms, expires_ms, state, passes_done, emitted_ms,
         finished_ms, refuse_code)
       VALUES ($1, $2, $3, $4, $5, $6, 6, $7, $7, $8, $9, $10, $14, $11, $12, $13)`,
      [
        ...[id, LANE, stream, sequence, stream.split("/")[2], `${id}.lfb`, Buffer.alloc(32), now],
        ...[row.expiresMs ?? now + DAY_MS, row.state ?? "finished"],
        row.emittedMs === undefined ? now : row.emittedMs,
        ...[row.finishedMs ?? now, row.refuseCode ?? "", row.emittedMs === null ? 0 : 2],
      ],
    );
    if (row.file !== false) await writeFile(join(world.dir, "outbox", `${id}.lfb`), "sealed");
    ids.push(id);
  }
  return ids;
}

const span = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const list = (sinceMs = 0) =>
  world.running.outbox.listEmitted({ lane: LANE, sinceMs, afterStream: "" });
const plain = (streams: unknown) => JSON.parse(JSON.stringify(streams)) as unknown;
const only = (stream: string, ...ranges: (readonly [number, number])[]) => [
  { stream, ranges: ranges.map(([first, last]) => ({ first, last })) },
];

describe("the inventory", () => {
  it("says what is held and what was given up, in ranges; nothing of what is neither", async () => {
    await put(span(1, 4));
    await put([5], { state: "leased" });
    await put([6], { state: "waiting" });
    // Never emitted yet; removed after its time; emitted, then refused: the far side may lack it.
    await put([7], { state: "waiting", emittedMs: null });
    await put([8], { state: "removed" });
    await put([9], { state: "refused", refuseCode: "bundle.expired" });
    await put([10, 11], { state: "refused", refuseCode: "bundle.expired", emittedMs: null });
    await put([12], { state: "removed", refuseCode: "bundle.expired", emittedMs: null });
    await put([13]);
    await put([14], { state: "removed" });
    await put([15]);
    await put([3], { stream: BULK });
    const { held, givenUp, more } = await list();
    expect(plain(held)).toEqual([
      ...only(BULK, [3, 3]),
      ...only(NORMAL, [1, 6], [13, 13], [15, 15]),
    ]);
    expect(plain(givenUp)).toEqual(only(NORMAL, [10, 12]));
    expect(more).toBe(false);
  });

  it("since a moment: only streams with something emitted since, from there on", async () => {
    await put(span(1, 3), { emittedMs: 1_000 });
    await put([4, 6], { emittedMs: 9_000 });
    await put([5], { state: "refused", refuseCode: "bundle.expired", emittedMs: null });
    await put(span(1, 9), { stream: BULK, emittedMs: 1_000 });
    const { held, givenUp } = await list(5_000);
    expect(plain(held)).toEqual(only(NORMAL, [4, 4], [6, 6]));
    expect(plain(givenUp)).toEqual(only(NORMAL, [5, 5]));
    expect(plain((await list(10_000)).held)).toEqual([]);
  });

  it("in pages: whole streams, and one that fills a page alone in pieces", async () => {
    await put(span(1, 3), { stream: "inbound/a/normal" });
    await put([1, 3, 4, 6, 8, 9], { stream: "inbound/b/normal" });
    await put([2, 5], { stream: "inbound/b/normal", state: "removed" });
    await put([7], {
      stream: "inbound/b/normal",
      state: "refused",
      refuseCode: "verdict.expired",
      emittedMs: null,
    });
    await put(span(5, 6), { stream: "inbound/c/normal" });
    const pages: unknown[] = [];
    let after = "";
    for (;;) {
      const page = await listEmitted(
        world.running.context.pool,
        { lane: LANE, sinceMs: 0, after },
        { streams: 64, ranges: 2 },
      );
      const named = [...(page.held ?? []), ...(page.givenUp ?? [])];
      pages.push(named.map((of) => [of.stream?.split("/")[1], plain(of.ranges)]));
      if (!page.more) break;
      const last =
        named
          .map((of) => of.stream ?? "")
          .sort()
          .at(-1) ?? "";
      const highest = Math.max(
        ...named.filter((of) => of.stream === last).map((of) => of.ranges?.at(-1)?.last ?? 0),
      );
      after = `${last}#${highest}`;
    }
    const range = (first: number, last: number) => ({ first, last });
    expect(pages).toEqual([
      [["a", [range(1, 3)]]],
      [["b", [range(1, 1), range(3, 4)]]],
      [
        ["b", [range(6, 6)]],
        ["b", [range(7, 7)]],
      ],
      [
        ["b", [range(8, 9)]],
        ["c", [range(5, 6)]],
      ],
    ]);
  });

  it("reads the holes, not what is held", async () => {
    await world.pool.query(
      `INSERT INTO outbox_bundle (bundle_id, lane, stream, sequence, priority, file, size,
         header_digest, item_root, created_ms, expires_ms, state, emitted_ms, finished_ms)
       SELECT gen_random_uuid(), $1, $2, n, 'bulk', n || '.lfb', 1, ''::bytea, ''::bytea, 1, 9e15,
         CASE WHEN n % 500 = 0 THEN 'removed' ELSE 'finished' END, 1, 1
         FROM generate_series(1, 5000) AS n`,
      [LANE, BULK],
    );
    await world.pool.query("ANALYZE outbox_bundle");
    const before = await read();
    // On this connection: what another one read is counted a second later.
    const { held } = await listEmitted(world.pool, { lane: LANE, sinceMs: 0, after: "" });
    expect(held?.[0]?.ranges).toHaveLength(10);
    await expect.poll(async () => (await read()).scans > before.scans).toBe(true);
    expect((await read()).rows - before.rows).toBeLessThan(1_000);
  });

  /** What was read of the table, by any index or none. */
  const read = async () => {
    await world.pool.query("SELECT pg_stat_force_next_flush()");
    const { rows } = await world.pool.query(
      `SELECT idx_scan AS scans, seq_tup_read + idx_tup_fetch AS rows
        FROM pg_stat_user_tables WHERE relname = 'outbox_bundle'`,
    );
    return { scans: Number(rows[0].scans), rows: Number(rows[0].rows) };
  };
});

describe("a recall", () => {
  const recall = (ticket: string, ...streams: ReturnType<typeof only>) =>
    world.running.outbox.recall({ lane: LANE, ticket, streams });
  const lease = async (worker = "ferry@test/1") =>
    (await world.running.outbox.lease({ lane: LANE, worker, waitMs: 0, ...roomFor(8) })).bundles;
  const stateOf = async (id: string) =>
    (
      await world.pool.query(
        "SELECT state, repair, finished_ms, emitted_ms FROM outbox_bundle WHERE bundle_id = $1",
        [id],
      )
    ).rows[0];

  it("queues what was finished, counts what is under way and names what is gone", async () => {
    const [id = ""] = await put([2], { finishedMs: 1_000, emittedMs: 900 });
    await put([3], { state: "waiting", emittedMs: null });
    await put([4], { state: "refused", refuseCode: "bundle.expired" });
    await put([6], { state: "removed" });
    await put([7], { expiresMs: Date.now() - 1 });
    await put([8], { file: false });
    const answer = await recall("ticket-1", ...only(NORMAL, [1, 9]), ...only("unknown", [4, 5]));
    expect(answer).toMatchObject({ recalled: 1, underWay: 1 });
    expect(plain(answer.gone)).toEqual([
      ...only(NORMAL, [1, 1], [4, 9]),
      ...only("unknown", [4, 5]),
    ]);
    await expect
      .poll(() => world.peers.events.find((event) => event.type === "bundle.recalled"))
      .toMatchObject({
        lane: LANE,
        actor: "ferry-tx",
        size: 6,
        attributes: [
          { name: "gone", value: "9" },
          { name: "gone-ranges", value: `${NORMAL}: 1, 4-9; unknown: 4-5` },
          { name: "recalled", value: "1" },
          { name: "ticket", value: "ticket-1" },
          { name: "under-way", value: "1" },
        ],
      });

    // What was never sent goes first, then the repair, said to be one.
    const bundles = await lease();
    expect(bundles.map(({ sequence, repair }) => [sequence, repair])).toEqual([
      [3, false],
      [2, true],
    ]);
    await world.running.outbox.ack({
      bundleId: parseId(id),
      leaseId: bundles[1]?.leaseId ?? null,
      passesDone: 3,
      finished: true,
    });
    const after = await stateOf(id);
    expect(after).toMatchObject({ state: "finished", repair: false, emitted_ms: 900 });
    // Kept for as long again: the repeated pass may be lost like the first.
    expect(Date.now() - after.finished_ms).toBeLessThan(60_000);
  });

  it("brings a bundle back once per ticket", async () => {
    const [id = ""] = await put([2]);
    const named = only(NORMAL, [2, 2]);
    expect(await recall("ticket-2", ...named)).toMatchObject({ recalled: 1, underWay: 0 });
    expect(await recall("ticket-2", ...named)).toMatchObject({ recalled: 0, underWay: 1 });
    const [bundle] = await lease();
    await world.running.outbox.ack({
      bundleId: parseId(id),
      leaseId: bundle?.leaseId ?? null,
      passesDone: 2,
      finished: true,
    });
    const again = await recall("ticket-2", ...named);
    expect(again).toMatchObject({ recalled: 0, underWay: 1 });
    expect(plain(again.gone)).toEqual([]);
    expect((await stateOf(id)).state).toBe("finished");
    expect(await recall("ticket-3", ...named)).toMatchObject({ recalled: 1 });
  });

  it("of two at once only one puts it back", async () => {
    await put(span(1, 50));
    const named = only(NORMAL, [1, 50]);
    const answers = await Promise.all(
      ["a", "b", "a", "b"].map((ticket) => recall(ticket, ...named)),
    );
    expect(answers.reduce((sum, { recalled }) => sum + recalled, 0)).toBe(50);
    expect(answers.map(({ recalled, underWay }) => recalled + underWay)).toEqual([50, 50, 50, 50]);
  });

  it("wakes a ferry that waits", async () => {
    await put([5]);
    const waiting = world.running.outbox.lease({
      lane: LANE,
      worker: "f/1",
      waitMs: 10_000,
      ...roomFor(1),
    });
    await recall("ticket-4", ...only(NORMAL, [5, 5]));
    expect((await waiting).bundles[0]).toMatchObject({ sequence: 5, repair: true });
  });

  it("is gone once retention is over, and the sweep leaves alone what was recalled", async () => {
    const [kept = "", over = ""] = await put([1, 2], { finishedMs: 1 });
    await recall("ticket-5", ...only(NORMAL, [1, 1]));
    await sweepOnce(world.running.context, world.running.egress.sweep);
    expect((await stateOf(kept)).state).toBe("waiting");
    expect((await stateOf(over)).state).toBe("removed");
    expect(plain((await recall("ticket-6", ...only(NORMAL, [2, 2]))).gone)).toEqual(
      only(NORMAL, [2, 2]),
    );
    await rm(join(world.dir, "outbox", `${kept}.lfb`), { force: true });
  });

  it("is refused when it is not well-formed or asks for too much", async () => {
    for (const [ticket, streams, code] of [
      ["", only(NORMAL, [1, 1]), "outbox.recall-invalid"],
      ["a b", only(NORMAL, [1, 1]), "outbox.recall-invalid"],
      ["t", only("", [1, 1]), "outbox.recall-invalid"],
      ["t", [...only(NORMAL, [1, 1]), ...only(NORMAL, [3, 3])], "outbox.recall-invalid"],
      ["t", only(NORMAL, [0, 1]), "outbox.recall-invalid"],
      ["t", only(NORMAL, [5, 4]), "outbox.recall-invalid"],
      ["t", only(NORMAL, [3, 4], [4, 5]), "outbox.recall-invalid"],
      ["t", only(NORMAL, [1, 100_001]), "outbox.recall-too-large"],
      ["t", only(NORMAL, [1, Number.MAX_SAFE_INTEGER]), "outbox.recall-too-large"],
      ["t", span(0, 64).flatMap((n) => only(`s${n}`, [1, 1])), "outbox.recall-too-large"],
    ] as const) {
      await expect(recall(ticket, ...streams)).rejects.toMatchObject({ code });
    }
  });

  it("and the inventory are for ferry-tx alone", async () => {
    const stranger = createClient(OutboxService, {
      tls: world.zone.tls.seal,
      zone: "extranet",
      address: world.running.address,
      peer: "front-proxy",
    });
    for (const asked of [
      stranger.recall({ lane: LANE, ticket: "t", streams: [] }),
      stranger.listEmitted({ lane: LANE }),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: "rpc.peer-not-allowed" });
    }
    stranger.close();
  });
});
