/**
 * Guarantee tested: after the gate was away for longer than bundles last, with as much queued as there is room for,
 * what lasted drains in the order of its class, what did not is decided and sealed anew, what was cancelled never
 * leaves, and second passes wait. Sending front-proxy and sending half of the ferry are the real ones.
 */
import { mkdirSync } from "node:fs";
import { parseId } from "@lightferry/proto/ids";
import { formatKeyId } from "@lightferry/proto/sm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sweepOnce } from "../../front-proxy/src/egress/sweep.ts";
import {
  createEgressWorld,
  type EgressWorld,
} from "../../front-proxy/test/support/egress-world.ts";
import { expectProblem } from "../../front-proxy/test/support/refusal.ts";
import { FLAG_REPEAT, FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { DEFAULT_CODE } from "../src/object.ts";
import { Sender } from "../src/tx/sender.ts";
import { RecordingGate } from "./tx-gate.ts";
import { linkOf, quiet } from "./world.ts";

const DAY = 86_400_000;
const NODE = "node-extranet";
const MEBIBYTE = 2 ** 20;
const REQUESTS = 6;
const LIMITS = {
  spoolHighWaterBytes: 1e9,
  uploadShareBytes: 5e8,
  spoolReserveBytes: 0,
  outboxRetentionSeconds: undefined,
  sendingHighWaterBytes: 12 * MEBIBYTE,
};

let world: EgressWorld;
let token: string;
beforeEach(async () => {
  world = await createEgressWorld();
  await world.start({ limits: LIMITS });
  token = await world.token();
  await world.sealer();
  mkdirSync(`${world.dir}/ferry`);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world.close();
});

const request = (body: unknown) =>
  world.api.call("POST", "/v1/requests", {
    token,
    body: {
      ...{ lane: "inbound", service: "registration", grade: "G2" },
      ...{ method: "POST", path: "/records/1", body },
    },
  });
const file = (bytes: number) =>
  world.api.call("POST", "/v1/files?lane=inbound&service=maps&grade=G2&filename=a.bin", {
    token,
    headers: { "content-type": "application/octet-stream" },
    body: Buffer.alloc(bytes, "map"),
  });
const idOf = ({ status, json }: Awaited<ReturnType<typeof file>>): string => {
  expect(status).toBe(202);
  return json.exchangeId ?? json.uploadId;
};
const backlog = async (bytesPerSecond: number) => {
  const { lanes, room } = await world.running.egress.desk.backlog("inbound", bytesPerSecond);
  return { ...(lanes[0] as (typeof lanes)[number]), room };
};

const realNow = Date.now.bind(Date);
/** Every clock of this process is so much later. */
function shift(ms: number): void {
  world.sealClock = () => realNow() + ms;
  vi.spyOn(Date, "now").mockImplementation(world.sealClock);
}

/** The gate is back, and slower than a disk is read: 6 MB/s. */
class SlowGate extends RecordingGate {
  readonly #timer = setInterval(() => {
    this.limit += 1;
    this.ring();
  }, 10);

  constructor() {
    super();
    this.limit = 4;
  }

  override async close(): Promise<void> {
    clearInterval(this.#timer);
    await super.close();
  }
}

function startSender(gate: RecordingGate): Promise<Sender> {
  const { trust } = world.keys;
  const key = trust.pki.key(NODE, "ferry");
  return Sender.start({
    node: NODE,
    lanes: [{ name: "inbound", number: 0, weight: 1, outboxDir: `${world.dir}/outbox` }],
    links: [{ number: 0, gate, rateBytesPerSecond: 1, frameSize: 8_944 }],
    stateDir: `${world.dir}/ferry`,
    code: DEFAULT_CODE,
    secondPassMs: 50,
    receiverOf: () => "node-business",
    signer: linkOf({ key, keyId: formatKeyId(key.publicKey) }),
    keys: () => trust.current().keyDirectory(),
    outbox: world.running.outbox,
    events: { record: async () => undefined },
    log: quiet,
  });
}

test("the gate away for eight days, with a full queue", { timeout: 120_000 }, async () => {
  // Before and early in the outage: what will not last.
  const old = [];
  for (let n = 0; n < REQUESTS; n += 1) old.push(idOf(await request({ n })));
  for (let n = 0; n < 2; n += 1) old.push(idOf(await file(MEBIBYTE)));
  const before = new Map<string, unknown>();
  for (const id of old) before.set(id, (await world.until(id, "queued")).bundle_id);
  shift(8 * DAY);

  // Someone changes their mind before it is sealed.
  world.peers.policyDown = true;
  const changed = idOf(await file(1_000));
  expect(await world.running.egress.desk.cancel(parseId(changed), "no", "city")).toBe("cancelled");
  world.peers.policyDown = false;

  // What comes late in the outage, until there is no room.
  const young = [];
  for (let n = 0; n < REQUESTS; n += 1) young.push(idOf(await request({ n })));
  let full = await file(MEBIBYTE);
  for (; full.status === 202; full = await file(MEBIBYTE)) young.push(idOf(full));
  expectProblem(full, "spool.full");
  expect(Number(full.headers["retry-after"])).toBeGreaterThan(0);
  for (const id of young) await world.until(id, "queued");

  // What it says: as much as was queued, in how long, and what has expired meanwhile.
  const waiting = await backlog(MEBIBYTE);
  expect(waiting.room.accepting).toBe(false);
  expect(waiting.waiting.map(({ priority, kind }) => `${priority} ${kind}`)).toEqual([
    "normal new",
    "bulk new",
  ]);
  expect(waiting.drainSeconds).toBe(Math.ceil(waiting.bytes / MEBIBYTE));
  expect(waiting.bytes).toBeGreaterThan(5 * MEBIBYTE);
  expect(waiting.expiring.bundles).toBe(new Set(before.values()).size);

  const gate = new SlowGate();
  const sender = await startSender(gate);
  const sweeping = setInterval(() => {
    void sweepOnce(world.running.context, world.running.egress.sweep);
  }, 200);
  const all = [...old, ...young];
  const rows: Record<string, unknown>[] = [];
  for (const id of all) rows.push(await world.until(id, "emitted"));
  clearInterval(sweeping);

  // What had expired left under another number, decided anew; the rest as it was queued.
  for (const row of rows.slice(0, old.length)) {
    expect(row.bundle_id).not.toBe(before.get(String(row.id)));
    const states = (row.timeline as [number, string][]).map(([, state]) => state);
    expect(states).toEqual([
      ...["received", "permitted", "sealed", "queued"],
      ...["expired", "received", "permitted", "sealed", "queued", "emitted"],
    ]);
  }
  for (const row of rows.slice(old.length)) {
    expect((row.timeline as [number, string][]).map(([, state]) => state)).not.toContain("expired");
  }
  expect((await world.until(changed, "cancelled")).state).toBe("cancelled");

  // Requests were through before the files that were queued with them.
  const emittedMs = (row: Record<string, unknown>) =>
    (row.timeline as [number, string][]).at(-1)?.[0] ?? 0;
  const late = rows.slice(old.length).map(emittedMs);
  expect(Math.max(...late.slice(0, REQUESTS))).toBeLessThanOrEqual(
    Math.max(...late.slice(REQUESTS)),
  );

  // While those files had first passes to send, second ones had little more than their tenth.
  const frames = gate.frames.filter(
    ({ type }) => type !== FRAME_TYPE.HEARTBEAT && type !== FRAME_TYPE.INVENTORY,
  );
  const isFirst = ({ flags }: (typeof frames)[number]) => (flags & FLAG_REPEAT) === 0;
  const bulk = frames.filter((frame) => isFirst(frame) && frame.channel === 2);
  const files = [...new Set(bulk.map(({ objectId }) => objectId))].slice(
    0,
    young.length - REQUESTS,
  );
  const over = frames.findLastIndex((frame) => isFirst(frame) && files.includes(frame.objectId));
  const bytes = (list: typeof frames) =>
    list.reduce((sum, { payload }) => sum + payload.length + FRAME_HEADER, 0);
  const sent = frames.slice(0, over + 1);
  expect(bytes(sent.filter((frame) => !isFirst(frame))) / bytes(sent)).toBeLessThan(0.4);

  // Nothing waits any more; what was sent is kept for repair, so there is no room until that is over.
  await expect.poll(async () => (await backlog(0)).waiting, { timeout: 20_000 }).toEqual([]);
  expect((await backlog(0)).kept.bundles).toBeGreaterThan(0);
  await sender.close();
  shift(16 * DAY);
  await sweepOnce(world.running.context, world.running.egress.sweep);
  idOf(await request({ after: true }));
});
