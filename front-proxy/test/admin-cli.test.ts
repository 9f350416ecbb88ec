import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, newId } from "@lightferry/proto/ids";
import { AdminService, createClient, type RpcServer, startRpcServer } from "@lightferry/proto/rpc";
import { runCaptured, type TestZone, testZone } from "@lightferry/proto/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noun as exchangeNoun } from "../cli/exchange.ts";
import { noun as tokenNoun } from "../cli/token.ts";
import { startAdmin } from "../src/admin/index.ts";
import { TokenDesk } from "../src/auth/desk.ts";
import type { EgressDesk, FrontProxyContext } from "../src/context.ts";
import { type HttpTargetServer, httpTarget } from "./support/http-target.ts";
import { createWorld, type World } from "./support/ingress-world.ts";
import { registrationAt } from "./support/receiving.ts";

let world: World;
let target: HttpTargetServer;
let zone: TestZone;
let server: RpcServer;
let home: string;
const cancelled: unknown[] = [];

/** The sending side of this zone knows one exchange, which was sealed already. */
const sealed = newId();
const egress: EgressDesk = {
  bindings: [],
  find: async () => undefined,
  list: async () => [],
  backlog: async () => {
    throw new GatewayError("submit.lane-unknown");
  },
  async cancel(exchangeId, reason, actor) {
    if (Buffer.compare(exchangeId, sealed) === 0) throw new GatewayError("exchange.wrong-state");
    cancelled.push([formatId(exchangeId), reason, actor]);
    return "cancelled";
  },
  retry: async () => {
    throw new GatewayError("exchange.not-found");
  },
};

/** Receipts have tests of their own. */
const NO_RECEIPTS = {} as Parameters<typeof startAdmin>[3];

beforeAll(async () => {
  [world, target, zone, home] = await Promise.all([
    createWorld(),
    httpTarget(),
    testZone("business"),
    mkdtemp(join(tmpdir(), "lf-home-")),
  ]);
  await world.start(registrationAt(target, { idempotency: false }));
  const context: FrontProxyContext = { ...world.context, tokens: new TokenDesk(world.context) };
  server = await startRpcServer({
    listen: { host: "127.0.0.1", port: 0 },
    tls: zone.tls["front-proxy"],
    zone: "business",
    services: [...startAdmin(context, egress, world.ingress(), NO_RECEIPTS)],
    log: world.context.shell.log,
  });
  await mkdir(join(home, "business", "config"), { recursive: true });
  await writeFile(
    join(home, "business", "config", "cli.json"),
    JSON.stringify({
      zone: "business",
      node: "node-business",
      tls: zone.tls.operator,
      peers: { frontProxy: `127.0.0.1:${server.port}` },
      databaseUrls: {},
      anchorPath: join(home, "anchor.json"),
    }),
  );
});

afterAll(async () => {
  await server.close();
  await world.close();
  await target.close();
  await zone.cleanup();
  await rm(home, { recursive: true });
});

const run = (noun: typeof tokenNoun, line: string, language?: string) =>
  runCaptured(noun, [...line.split(" "), "--home", home], language);

test("a token is issued, listed without itself, rotated and revoked", async () => {
  const issued = await run(tokenNoun, "issue desk --days 30 --note 试运行 --json");
  const { tokenId, token } = JSON.parse(issued.out);
  expect(token).toMatch(/^lft_/);
  const rotated = JSON.parse((await run(tokenNoun, `rotate ${tokenId} --overlap 60 --json`)).out);
  expect(rotated.tokenId).not.toBe(tokenId);
  const listed = await run(tokenNoun, "list");
  expect(listed.out).toContain("试运行");
  expect(listed.out).not.toContain(token);
  expect(await run(tokenNoun, `revoke ${rotated.tokenId}`)).toMatchObject({ code: EXIT.done });
  expect((await run(tokenNoun, "list")).out).toContain("已吊销");
  await expect
    .poll(() => world.events.map(({ type }) => type).filter((type) => type.startsWith("token.")))
    .toEqual(["token.issued", "token.rotated", "token.revoked"]);
  // A caller of the other zone, or none, gets no token here.
  expect((await run(tokenNoun, "issue demo-caller")).problem).toContain("token.caller-unknown");
  expect((await run(tokenNoun, "issue nobody")).problem).toContain("token.caller-unknown");
  expect((await run(tokenNoun, "revoke 0000000000000000")).problem).toContain("token.not-found");
  expect((await run(tokenNoun, "issue")).code).toBe(EXIT.usage);
  expect((await run(tokenNoun, "issue desk --days 4000")).code).toBe(EXIT.usage);
});

test("an exchange is shown, given back with a reason, and then stays as it is", async () => {
  target.respond = (response) => response.destroy();
  const bundle = await world.seal([{ content: Buffer.from("x") }, { content: Buffer.from("y") }]);
  await world.deliver(bundle.request);
  const [first = newId(), second = newId()] = bundle.exchangeIds;
  await world.until(first, "in-doubt");
  await world.until(second, "in-doubt");
  const id = formatId(first);
  const shown = await run(exchangeNoun, `show ${id}`);
  expect(shown.code).toBe(EXIT.done);
  expect(shown.out).toContain("结果存疑");
  expect((await run(exchangeNoun, `show ${id}`, "en_US.UTF-8")).out).toContain("in doubt");
  const page = await run(exchangeNoun, "list --state in-doubt --limit 1 --json");
  const { exchanges, next } = JSON.parse(page.out);
  expect(exchanges).toHaveLength(1);
  const rest = await run(exchangeNoun, `list --state in-doubt --limit 1 --after ${next} --json`);
  expect(JSON.parse(rest.out).exchanges).toHaveLength(1);
  expect((await run(exchangeNoun, `return ${id}`)).code).toBe(EXIT.usage);
  const returned = await run(exchangeNoun, `return ${id} --reason 已人工登记 --json`);
  expect(JSON.parse(returned.out)).toEqual({ exchangeId: id, state: "returned" });
  const again = await run(exchangeNoun, `retry ${id}`);
  expect(again.code).not.toBe(EXIT.done);
  expect(again.problem).toContain("exchange.not-retryable");
  target.respond = (response) => response.writeHead(200).end();
  const revived = await run(exchangeNoun, `retry ${formatId(second)} --json`);
  expect(JSON.parse(revived.out)).toMatchObject({ state: "permitted" });
  await world.until(second, "delivered");
  await expect
    .poll(() => world.events.filter(({ type }) => type === "exchange.returned").length)
    .toBe(1);
});

test("cancel reaches the sending side; what arrived here can only be returned", async () => {
  const mine = formatId(newId());
  const done = await run(exchangeNoun, `cancel ${mine} --reason 重复提交 --json`);
  expect(done).toMatchObject({ code: EXIT.done });
  expect(cancelled).toEqual([[mine, "重复提交", "operator"]]);
  const late = await run(exchangeNoun, `cancel ${formatId(sealed)} --reason x`);
  expect(late.problem).toContain("exchange.wrong-state");
  const [arrived] = await world.ingress().listDeliveries({ limit: 1 });
  const refused = await run(exchangeNoun, `cancel ${arrived?.exchangeId} --reason x`);
  expect(refused.problem).toContain("exchange.wrong-state");
  expect((await run(exchangeNoun, "show not-an-id")).code).not.toBe(EXIT.done);
  expect((await run(exchangeNoun, `show ${mine}`)).problem).toContain("exchange.not-found");
});

test("a quarantined bundle is shown first, destroyed by its digest, and not before that", async () => {
  const { pki } = world.keys.trust;
  const empty = await run(exchangeNoun, "quarantine --json");
  expect(JSON.parse(empty.out)).toEqual([]);
  world.keys.trust.deny(pki.keyId("node-extranet", "sign"));
  const bundles = [
    await world.seal([{ content: Buffer.from("x") }], { sequence: 50 }),
    await world.seal([{ content: Buffer.from("y") }], { sequence: 51 }),
  ];
  for (const { request } of bundles) {
    expect(await world.deliver(request)).toMatchObject({ code: "certificate.denied" });
  }
  const [doomed, spared] = bundles.map(({ request }) => formatId(request.bundleId ?? newId()));
  const listed = await run(exchangeNoun, "quarantine");
  expect(listed.out).toContain(doomed);
  expect(listed.out).toContain("certificate.denied");
  const files = async () => (await readdir(join(world.dirs.inbox, "quarantine"))).length;
  const looked = await run(exchangeNoun, `discard ${doomed} --json`);
  expect(looked.code).toBe(EXIT.refused);
  const { discarded, bundles: shown } = JSON.parse(looked.out);
  expect(discarded).toBe(false);
  const digest = String(shown[0].headerDigest);
  const confirm = `discard ${doomed} --confirm ${digest.slice(0, 16)}`;
  expect((await run(exchangeNoun, confirm)).problem).toContain("--reason");
  const short = `discard ${doomed} --confirm ${digest.slice(0, 8)} --reason x`;
  expect((await run(exchangeNoun, short)).code).toBe(EXIT.usage);
  const wrong = `discard ${spared} --confirm ${digest.slice(0, 16)} --reason x`;
  expect((await run(exchangeNoun, wrong)).code).toBe(EXIT.usage);
  expect(await files()).toBe(2);
  expect((await run(exchangeNoun, `${confirm} --reason 安全管理员批准`)).code).toBe(EXIT.done);
  expect(await files()).toBe(1);
  await expect
    .poll(() => world.events.filter(({ type }) => type === "bundle.discarded"))
    .toMatchObject([{ actor: "operator", code: "certificate.denied" }]);
  const again = await run(exchangeNoun, `${confirm} --reason 再来`);
  expect(again.problem).toContain("inbox.not-quarantined");
  // Its neighbour is delivered as soon as the denial is lifted; what was destroyed does not come back.
  world.keys.trust.lift(pki.keyId("node-extranet", "sign"));
  await world.until(bundles[1]?.exchangeIds[0] ?? newId(), "delivered");
  expect(await world.ingress().findDelivery(bundles[0]?.exchangeIds[0] ?? newId())).toBeUndefined();
});

test("no other service of the zone may administrate", async () => {
  const admin = createClient(AdminService, {
    address: `127.0.0.1:${server.port}`,
    tls: zone.tls["ferry-rx"],
    zone: "business",
    peer: "front-proxy",
  });
  await expect(admin.listTokens({})).rejects.toMatchObject({ code: "rpc.peer-not-allowed" });
  admin.close();
});
