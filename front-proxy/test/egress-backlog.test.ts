/** `lightferry ferry backlog`: real rows, real RPC, both languages. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT } from "@lightferry/proto/cli";
import { formatId, newId } from "@lightferry/proto/ids";
import { type RpcServer, startRpcServer } from "@lightferry/proto/rpc";
import { runCaptured } from "@lightferry/proto/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verbs } from "../cli/backlog.ts";
import { startAdmin } from "../src/admin/index.ts";
import type { IngressDesk } from "../src/context.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";

let world: EgressWorld;
let server: RpcServer;

beforeAll(async () => {
  world = await createEgressWorld();
  await world.start();
  const { context, egress } = world.running;
  server = await startRpcServer({
    listen: { host: "127.0.0.1", port: 0 },
    tls: world.zone.tls["front-proxy"],
    zone: "extranet",
    services: [...startAdmin(context, egress.desk, {} as IngressDesk, egress.receipts)],
    log: context.shell.log,
  });
  await mkdir(join(world.dir, "extranet", "config"), { recursive: true });
  await writeFile(
    join(world.dir, "extranet", "config", "cli.json"),
    JSON.stringify({
      zone: "extranet",
      node: "node-extranet",
      tls: world.zone.tls.operator,
      peers: { frontProxy: `127.0.0.1:${server.port}` },
      databaseUrls: {},
      anchorPath: join(world.dir, "anchor.json"),
    }),
  );
});
afterAll(async () => {
  await server.close();
  await world.close();
});
beforeEach(() => world.pool.query("DELETE FROM outbox_bundle"));

function run(line: string, language?: string) {
  const noun = { name: "ferry", summary: { zh: "", en: "" }, verbs };
  return runCaptured(noun, [...line.split(" "), "--home", world.dir], language);
}
const asked = async (line: string) => JSON.parse((await run(`${line} --json`)).out);

let sequence = 1_000;
async function put(change: {
  readonly priority?: string;
  readonly size: number;
  readonly state?: string;
  readonly repair?: boolean;
  readonly emittedMs?: number;
  readonly createdMs?: number;
  readonly expiresMs?: number;
}): Promise<void> {
  sequence += 1;
  const { priority = "bulk", state = "waiting", repair = false, emittedMs = null } = change;
  const id = formatId(newId());
  await world.pool.query(
    `INSERT INTO outbox_bundle (bundle_id, lane, stream, sequence, priority, file, size,
       header_digest, item_root, created_ms, expires_ms, state, emitted_ms, finished_ms, repair)
     VALUES ($1, 'inbound', $2, $3, $4, $5, $6, '', '', $7, $8, $9, $10, $10, $11)`,
    [
      ...[id, `inbound/n/${priority}`, sequence, priority, `${id}.lfb`, change.size],
      ...[change.createdMs ?? sequence, change.expiresMs ?? Date.now() + 1e9, state, emittedMs],
      repair,
    ],
  );
}

describe("the backlog", () => {
  it("tells by lane and priority what waits, and what is kept", async () => {
    await put({ priority: "normal", size: 1_000, createdMs: 77 });
    await put({ priority: "normal", size: 2_000, state: "leased" });
    await put({ priority: "urgent", size: 500 });
    await put({ size: 5_000_000 });
    await put({ size: 7_000_000, repair: true, emittedMs: 1 });
    await put({ size: 9_000_000, emittedMs: 1, state: "leased" });
    await put({ size: 11_000_000, emittedMs: 1, state: "finished" });
    await put({ size: 13_000_000, emittedMs: 1, state: "removed" });
    const { lanes, room } = await asked("backlog");
    expect(lanes).toMatchObject([
      {
        lane: "inbound",
        waiting: [
          { priority: "urgent", kind: "new", bundles: 1, bytes: 500 },
          { priority: "normal", kind: "new", bundles: 2, bytes: 3_000, oldestMs: 77 },
          { priority: "bulk", kind: "new", bundles: 1, bytes: 5_000_000 },
          { priority: "bulk", kind: "repair", bundles: 1, bytes: 7_000_000 },
          { priority: "bulk", kind: "further-passes", bundles: 1, bytes: 9_000_000 },
        ],
        bundles: 5,
        bytes: 12_003_500,
        kept: { bundles: 1, bytes: 11_000_000 },
        observedBytesPerSecond: 0,
      },
    ]);
    // Nothing leaves: no figure rather than a wrong one.
    expect(lanes[0]).not.toHaveProperty("drainSeconds");
    expect(room).toMatchObject({ accepting: true });
    const said = await run("backlog");
    expect(said.out).toContain("没有发出");
    expect(said.out).toMatch(/紧急请求\s+待发\s+1 /);
    expect(said.out).toMatch(/文件\s+补发\s+1\s+6\.7 MiB/);
  });

  it("reckons with what left in the last minutes", async () => {
    await put({ size: 3_000_000_000, emittedMs: Date.now() - 1_000, state: "finished" });
    await put({ size: 9_000_000_000, emittedMs: Date.now() - 400_000, state: "finished" });
    await put({ size: 360_000_000 });
    const [lane] = (await asked("backlog --lane inbound")).lanes;
    expect(lane).toMatchObject({ observedBytesPerSecond: 10_000_000, drainSeconds: 36 });
    expect((await run("backlog", "en_US.UTF-8")).out).toContain(
      "drained in about 36 s at 80.0 Mb/s",
    );
  });

  it("says what will have expired before it leaves, in the order in which it leaves", async () => {
    const inSeconds = (seconds: number) => Date.now() + seconds * 1_000;
    // At 1 MB/s: the request leaves after one second, the files after 101 and 201.
    await put({ size: 100_000_000, expiresMs: inSeconds(150) });
    await put({ size: 100_000_000, expiresMs: inSeconds(150) });
    await put({ priority: "normal", size: 1_000_000, expiresMs: inSeconds(60) });
    await put({ size: 1, state: "leased", emittedMs: 1, expiresMs: 1 });
    const [lane] = (await asked("backlog --mbps 8")).lanes;
    expect(lane).toMatchObject({
      bytesPerSecond: 1_000_000,
      drainSeconds: 201,
      expiring: { bundles: 1, bytes: 100_000_000 },
    });
    const { out } = await run("backlog --mbps 8");
    expect(out).toContain("约 3 分 21 秒 排空");
    expect(out).toContain("发出前将过期 1 包");
    // Without a rate only what has expired already is certain.
    expect((await asked("backlog")).lanes[0].expiring).toEqual({ bundles: 0, bytes: 0 });
  });

  it("is empty when nothing waits, and knows its lanes", async () => {
    const [lane] = (await asked("backlog")).lanes;
    expect(lane).toMatchObject({ bundles: 0, drainSeconds: 0, waiting: [] });
    const unknown = await run("backlog --lane nowhere");
    expect(unknown.problem).toContain("submit.lane-unknown");
    // It leads into this zone: nothing of it waits here.
    expect((await run("backlog --lane outbound")).problem).toContain("submit.lane-unknown");
    expect((await run("backlog --mbps 0")).code).toBe(EXIT.usage);
  });
});
