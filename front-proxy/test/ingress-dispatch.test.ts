import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatId, newId } from "@lightferry/proto/ids";
import type { DraftItem } from "@lightferry/proto/testing";
import { expect, test } from "vitest";
import { dropName } from "../src/ingress/targets/drop-name.ts";
import { QUICK } from "./support/ingress-world.ts";
import { bothServices, receivingZone, target, world } from "./support/receiving.ts";

const one = [{ content: Buffer.from("x") }];
const NONE = newId();

receivingZone();

async function send(drafts: readonly DraftItem[] = one, sequence = 1): Promise<Uint8Array[]> {
  const bundle = await world.seal(drafts, { sequence });
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
  return [...bundle.exchangeIds];
}

async function stateOf(id: Uint8Array): Promise<unknown[]> {
  const found = await world.ingress().findDelivery(id);
  return [found?.state, found?.refusal?.code];
}

test("a target that answers 500 and then works gets it again, with the same key", async () => {
  let failures = 2;
  target.respond = (response) => response.writeHead(failures-- > 0 ? 500 : 200).end();
  await world.start(bothServices());
  const [id = NONE] = await send();
  await world.until(id, "delivered");
  expect(target.calls).toHaveLength(3);
  expect(new Set(target.calls.map(({ headers }) => headers["idempotency-key"]))).toEqual(
    new Set([formatId(id)]),
  );
  await expect
    .poll(() => world.events.filter(({ type }) => type === "exchange.retried").length)
    .toBe(2);
});

test("a target that is down for a while gets everything once it is back", async () => {
  await target.close();
  await world.start(bothServices({ idempotency: false }), { ...QUICK, attempts: 1_000 });
  const ids = await send(Array.from({ length: 60 }, () => ({ content: Buffer.from("x") })));
  await expect
    .poll(() => world.events.filter(({ type }) => type === "exchange.retried").length)
    .toBeGreaterThan(3);
  await target.again();
  for (const id of ids) await world.until(id, "delivered");
  // Refused connections were surely not received: even without idempotency nothing is in doubt.
  expect(target.calls).toHaveLength(60);
});

test("a target that stays down makes a dead letter, which a person revives", async () => {
  target.respond = (response) => response.writeHead(503).end();
  await world.start(bothServices());
  const [id = NONE] = await send();
  await world.until(id, "failed");
  expect(await stateOf(id)).toEqual(["failed", "target.unavailable"]);
  expect(target.calls).toHaveLength(QUICK.attempts);
  target.respond = (response) => response.writeHead(200).end();
  expect(await world.ingress().retry(id, "operator")).toBe("permitted");
  await world.until(id, "delivered");
  await expect(world.ingress().retry(id, "operator")).rejects.toMatchObject({
    code: "exchange.not-retryable",
  });
});

test("4xx is a dead letter at once; 429 is not", async () => {
  let first = true;
  target.respond = (response, { path }) => {
    if (path.endsWith("/0")) response.writeHead(422).end("no");
    else if (first) {
      first = false;
      response.writeHead(429, { "retry-after": "0" }).end();
    } else response.writeHead(204).end();
  };
  await world.start(bothServices({ idempotency: false }));
  const [rejected = NONE, busy = NONE] = await send([...one, ...one]);
  await world.until(busy, "delivered");
  await world.until(rejected, "failed");
  expect(await stateOf(rejected)).toEqual(["failed", "target.rejected"]);
  target.respond = (response) => response.writeHead(201).end();
  await world.ingress().retry(rejected, "operator");
  await world.until(rejected, "delivered");
});

test("a target without idempotency that dies mid-request leaves a doubt, never a silent double", async () => {
  target.respond = (response) => response.destroy();
  await world.start(bothServices({ idempotency: false }));
  const [id = NONE, other = NONE] = await send([...one, ...one]);
  await world.until(id, "in-doubt");
  await world.until(other, "in-doubt");
  expect(await stateOf(id)).toEqual(["in-doubt", "target.in-doubt"]);
  expect(target.calls).toHaveLength(2);
  // A person looked: one had not been received, the other had.
  target.respond = (response) => response.writeHead(200).end();
  await world.ingress().retry(id, "operator");
  await world.until(id, "delivered");
  expect(await world.ingress().giveBack(other, "registered by hand", "operator")).toBe("returned");
  expect((await world.ingress().findDelivery(other))?.timeline.at(-1)?.state).toBe("returned");
  await expect(world.ingress().giveBack(other, "again", "operator")).rejects.toMatchObject({
    code: "exchange.not-returnable",
  });
  await expect(world.ingress().giveBack(newId(), "none", "operator")).rejects.toMatchObject({
    code: "exchange.not-found",
  });
});

test("the same with onDoubt retry, and with idempotency, is repeated", async () => {
  let deaths = 2;
  target.respond = (response) => {
    if (deaths-- > 0) response.destroy();
    else response.writeHead(200).end();
  };
  await world.start(bothServices({ idempotency: false, onDoubt: "retry" }));
  const [id = NONE] = await send();
  await world.until(id, "delivered");
  expect(target.calls.length).toBeGreaterThanOrEqual(3);
});

test("a call without an answer ends at its timeout", async () => {
  target.respond = () => {};
  await world.start(bothServices({ idempotency: false, timeoutMs: 100 }));
  const [id = NONE] = await send();
  await world.until(id, "in-doubt");
});

test.each([
  [true, "delivered"],
  [false, "in-doubt"],
])(
  "dispatched without outcome at a restart: idempotency %s ends %s",
  async (idempotency, state) => {
    target.respond = (response) => response.writeHead(400).end();
    await world.start(bothServices({ idempotency }));
    const [id = NONE] = await send();
    await world.until(id, "failed");
    await world.ingress().stop();
    // What a kill -9 between call and outcome leaves behind.
    await world.pool.query("UPDATE delivery SET state = 'dispatched', code = NULL");
    target.respond = (response) => response.writeHead(200).end();
    await world.start(bothServices({ idempotency }));
    await world.until(id, state);
    expect(target.calls).toHaveLength(idempotency ? 2 : 1);
  },
);

test("one ordering key keeps its order over bundles out of order; other exchanges pass by", async () => {
  await world.start(bothServices());
  const draft = (name: string, orderingKey = "parcel-7") => ({
    content: Buffer.from(name),
    entry: { orderingKey },
  });
  const first = await world.seal([draft("a1"), draft("a2")], { sequence: 1 });
  const second = await world.seal([draft("a3"), draft("free", "")], { sequence: 2 });
  await world.deliver(second.request);
  await world.until(second.exchangeIds[1] ?? NONE, "delivered");
  expect(target.calls.map(({ body }) => body)).toEqual(["free"]);
  expect((await stateOf(second.exchangeIds[0] ?? NONE))[0]).toBe("permitted");
  await world.deliver(first.request);
  await world.until(second.exchangeIds[0] ?? NONE, "delivered");
  expect(target.calls.map(({ body }) => body)).toEqual(["free", "a1", "a2", "a3"]);
});

test("a request whose path leaves the base of the target is not sent", async () => {
  await world.start(bothServices());
  const paths = ["/a/../../x", "/%2e%2E/x", "//evil/x", "/a b", "/x\\y", "/é"];
  const ids = await send(
    paths.map((path) => ({ content: Buffer.from("x"), entry: { http: { method: "POST", path } } })),
  );
  for (const id of ids) {
    await world.until(id, "failed");
    expect(await stateOf(id)).toEqual(["failed", "target.request-invalid"]);
  }
  expect(target.calls).toEqual([]);
});

function file(name: string, content: string): DraftItem {
  return {
    content: Buffer.from(content),
    entry: { kind: "file", service: "maps", file: { name, contentType: "text/plain" } },
  };
}

test("a drop never overwrites: same content counts as delivered, other content is a dead letter", async () => {
  await world.start(bothServices());
  await mkdir(world.dirs.drop, { recursive: true });
  const same = await world.seal([file("a.txt", "content")]);
  const other = await world.seal([file("b.txt", "content")], { sequence: 2 });
  const [sameId = NONE] = same.exchangeIds;
  const [otherId = NONE] = other.exchangeIds;
  const taken = join(world.dirs.drop, dropName("b.txt", formatId(otherId)));
  await writeFile(join(world.dirs.drop, dropName("a.txt", formatId(sameId))), "content");
  await writeFile(taken, "not ours");
  await world.deliver(same.request);
  await world.deliver(other.request);
  await world.until(sameId, "delivered");
  await world.until(otherId, "failed");
  expect(await stateOf(otherId)).toEqual(["failed", "target.file-conflict"]);
  expect(await readFile(taken, "utf8")).toBe("not ours");
});
