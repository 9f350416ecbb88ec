import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import { expect, test } from "vitest";
import { bothServices, receivingZone, target, world } from "./support/receiving.ts";

const { Decision } = lightferry.policy.v1;

receivingZone();

async function rowOf(exchangeId: Uint8Array) {
  const { rows } = await world.pool.query("SELECT * FROM delivery WHERE exchange_id = $1", [
    exchangeId,
  ]);
  return rows[0];
}

test("requests reach their target once, rebuilt from the entry, and their content is shredded", async () => {
  await world.start(bothServices());
  const trail = [
    encodeCanonical(lightferry.audit.v1.Event, {
      eventId: newId(),
      timeMs: 1,
      type: "exchange.sealed",
    }),
  ];
  const bundle = await world.seal(
    Array.from({ length: 40 }, (_, index) => ({
      content: Buffer.from(`{"n":${index}}`),
      trail,
      ...(index === 0
        ? {
            entry: {
              http: {
                method: "POST",
                path: "/records/0?x=1",
                headers: [
                  { name: "authorization", value: "Bearer stolen" },
                  { name: "content-type", value: "application/json" },
                ],
              },
            },
          }
        : {}),
    })),
  );
  expect(await world.deliver(bundle.request)).toEqual({ status: "accepted" });
  for (const id of bundle.exchangeIds) await world.until(id, "delivered");
  expect(target.calls).toHaveLength(40);
  const [id] = bundle.exchangeIds;
  const call = target.calls.find(({ path }) => path === "/api/records/0?x=1");
  expect(call?.headers["idempotency-key"]).toBe(formatId(id ?? new Uint8Array()));
  expect(call?.headers["x-lightferry-exchange"]).toBe(formatId(id ?? new Uint8Array()));
  expect(call?.headers["content-type"]).toBe("application/json");
  expect(call?.headers.authorization).toBeUndefined();
  expect(call?.body).toBe('{"n":0}');
  const row = await rowOf(id ?? new Uint8Array());
  expect([row.wrapped_key, row.ciphertext, row.staged_file]).toEqual([null, null, null]);
  const document = await world.ingress().findDelivery(id ?? new Uint8Array());
  expect(document?.timeline.map(({ state }) => state)).toEqual([
    "arrived",
    "verified",
    "permitted",
    "dispatched",
    "delivered",
  ]);
  expect(await world.ingress().findDelivery(id ?? new Uint8Array(), "another")).toBeUndefined();
  const page = await world.ingress().listDeliveries({ limit: 15, state: "delivered" });
  expect(page).toHaveLength(15);
  const types = new Map<string, number>();
  await expect.poll(() => world.trails.length).toBe(40);
  await expect
    .poll(() => world.events.filter(({ type }) => type === "exchange.delivered").length)
    .toBe(40);
  for (const { type } of world.events) types.set(type, (types.get(type) ?? 0) + 1);
  expect(Object.fromEntries(types)).toEqual({
    "bundle.arrived": 1,
    "exchange.arrived": 40,
    "exchange.verified": 40,
    "exchange.import-permitted": 40,
    "exchange.dispatching": 40,
    "exchange.delivered": 40,
  });
  expect(world.trails[0]?.zone).toBe("extranet");
});

test("a large file passes through encrypted staging into the drop folder, whole and only once", async () => {
  await world.start(bothServices());
  const content = Buffer.alloc(3_000_000, "村界 boundary;");
  const file = { name: "一张图/../村.csv".replaceAll("/", "-"), contentType: "text/csv" };
  const bundle = await world.seal([
    { content, entry: { kind: "file", service: "maps", file } },
    { content: Buffer.from("small"), entry: { kind: "file", service: "maps", file } },
  ]);
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
  for (const id of bundle.exchangeIds) await world.until(id, "delivered");
  // The hidden mark goes once the outcome is committed.
  await expect.poll(() => readdir(world.dirs.drop)).toHaveLength(2);
  const names = await readdir(world.dirs.drop);
  const [id = new Uint8Array()] = bundle.exchangeIds;
  const name = names.find((candidate) => candidate.includes(formatId(id))) ?? "";
  expect(name).toBe(`一张图-..-村.${formatId(id)}.csv`);
  expect((await readFile(join(world.dirs.drop, name))).equals(content)).toBe(true);
  await expect.poll(() => readdir(join(world.dirs.inbox, "staging"))).toEqual([]);
});

test("import policy holds, denies and would alter: nothing of it reaches a target, the others go on", async () => {
  await world.start(bothServices());
  world.decide = (item) => {
    const { http } = lightferry.bundle.v1.ManifestEntry.decode(item.entry ?? new Uint8Array());
    if (http?.path === "/records/0") return { decision: Decision.DECISION_HOLD, ruleId: "r-hold" };
    if (http?.path === "/records/1") {
      return {
        decision: Decision.DECISION_DENY,
        code: "lane.closed",
        ruleId: "r-deny",
        sealedAway: true,
      };
    }
    if (http?.path === "/records/2") {
      return { decision: Decision.DECISION_PERMIT, contentChanged: true };
    }
    if (http?.path === "/records/3") return { decision: Decision.DECISION_PERMIT, leaf: 2 };
    return { decision: Decision.DECISION_PERMIT };
  };
  const drafts = Array.from({ length: 5 }, () => ({ content: Buffer.from("x") }));
  const bundle = await world.seal(drafts);
  await world.deliver(bundle.request);
  const states = [];
  for (const id of bundle.exchangeIds) {
    await world.until(id, "quarantined", "delivered");
    const document = await world.ingress().findDelivery(id);
    states.push([document?.state, document?.refusal?.code]);
  }
  expect(states).toEqual([
    ["quarantined", "import.held"],
    ["quarantined", "import.refused"],
    ["quarantined", "import.would-alter"],
    ["quarantined", "import.verdict-invalid"],
    ["delivered", undefined],
  ]);
  expect(target.calls).toHaveLength(1);
  // A suspected secret: neither our copy of the content nor the bundle stays.
  const row = await rowOf(bundle.exchangeIds[1] ?? new Uint8Array());
  expect(row.wrapped_key).toBeNull();
  await expect
    .poll(async () => (await readdir(world.dirs.inbox)).filter((n) => n.endsWith(".lfb")))
    .toEqual([]);
});

test("policy away: the bundle stays accepted and is opened once policy is back", async () => {
  await world.start(bothServices());
  world.policyDown = true;
  const bundle = await world.seal([{ content: Buffer.from("x") }]);
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
  await expect.poll(() => world.asked).toBeGreaterThan(1);
  expect(target.calls).toHaveLength(0);
  world.policyDown = false;
  await world.until(bundle.exchangeIds[0] ?? new Uint8Array(), "delivered");
  expect(target.calls).toHaveLength(1);
});

test("checkpoints of the other zone are witnessed", async () => {
  await world.start(bothServices());
  const checkpoint = { note: Buffer.from("note"), oldSize: 0, consistency: [] };
  const bundle = await world.seal([{ content: Buffer.from("x") }], { checkpoint });
  await world.deliver(bundle.request);
  await expect.poll(() => world.witnessed.length).toBe(1);
  expect(world.witnessed[0]?.zone).toBe("extranet");
});

test("a service without a target ends as a dead letter that a later start can revive", async () => {
  const { maps } = bothServices();
  await world.start({ maps });
  const bundle = await world.seal([{ content: Buffer.from("x") }]);
  const [id = new Uint8Array()] = bundle.exchangeIds;
  await world.deliver(bundle.request);
  await world.until(id, "failed");
  await expect(world.ingress().retry(id, "operator")).rejects.toMatchObject({
    code: "target.unknown",
  });
  await world.restart(bothServices());
  expect(await world.ingress().retry(id, "operator")).toBe("permitted");
  await world.until(id, "delivered");
});
