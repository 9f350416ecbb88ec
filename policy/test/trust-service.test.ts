/** The trust service as its peers see it: who may do what, long polls that wake, and a follower of it. */
import type { lightferry } from "@lightferry/proto/gen";
import {
  type Client,
  createClient,
  type RpcServer,
  type ServiceName,
  startRpcServer,
  TrustService,
} from "@lightferry/proto/rpc";
import { silentLogger } from "@lightferry/proto/service";
import { type TestZone, testZone } from "@lightferry/proto/testing";
import { followTrust, type TrustPeer, type TrustStore } from "@lightferry/proto/trust";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { trustBinding } from "../src/trust/service.ts";
import { provider } from "./plan.ts";
import { FAR_NODE, NODE, type TrustWorld, trustWorld } from "./trust-world.ts";

/** Far longer than any test may last: whatever ends earlier was woken. */
const LONG_MS = 60_000;

let world: TrustWorld;
let zone: TestZone;
let server: RpcServer;
let stop: AbortController;
const clients = new Map<ServiceName, Client<typeof TrustService>>();

async function serve(port = 0): Promise<RpcServer> {
  return startRpcServer({
    listen: { host: "127.0.0.1", port },
    ...{ tls: zone.tls.policy, zone: "extranet", log: silentLogger() },
    services: [trustBinding(world.keeper, () => world.nowMs)],
  });
}
function as(peer: ServiceName): Client<typeof TrustService> {
  const address = `127.0.0.1:${server.port}`;
  const client =
    clients.get(peer) ??
    createClient(TrustService, { address, tls: zone.tls[peer], zone: "extranet", peer: "policy" });
  clients.set(peer, client);
  return client;
}

beforeEach(async () => {
  [world, zone] = await Promise.all([trustWorld(), testZone("extranet")]);
  server = await serve();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  for (const client of clients.values()) client.close();
  clients.clear();
  await server.close();
  await zone.cleanup();
  await world.close();
});

describe("calls", () => {
  test("who may do what", async () => {
    const keyId = world.pki.keyId(NODE, "sign");
    for (const peer of ["front-proxy", "seal", "audit", "ferry-tx", "ferry-rx"] as const) {
      expect((await as(peer).getTrust({})).trust?.version).toBe(world.keeper.version);
      const denial = as(peer).denyKey({ keyId, reason: "" });
      await expect(denial).rejects.toMatchObject({ code: "rpc.peer-not-allowed" });
    }
    const items = [world.pki.list("business")];
    const brought = as("seal").importTrust({ items, source: "medium" });
    await expect(brought).rejects.toMatchObject({ code: "rpc.peer-not-allowed" });
    const bundleId = new Uint8Array(16).fill(7);
    const { results, version } = await as("front-proxy").importTrust({
      ...{ items, source: "bundle", bundleId },
    });
    expect(results).toMatchObject([{ kind: "revocation-list", status: "known" }]);
    expect(version).toBe(world.keeper.version);
  });

  test.each([
    ["no items", { items: [], source: "medium" }],
    ["65 items", { items: Array.from({ length: 65 }, () => Buffer.from("x")), source: "qr" }],
    ["a source that is none", { items: [Buffer.from("x")], source: "letter" }],
    ["a bundle without its id", { items: [Buffer.from("x")], source: "bundle" }],
    ["a medium with one", { items: [Buffer.from("x")], source: "qr", bundleId: Buffer.alloc(16) }],
  ])("an import with %s is refused whole", async (_name, request) => {
    world.told();
    const refused = as("operator").importTrust(request);
    await expect(refused).rejects.toMatchObject({ code: "rpc.bad-message" });
    expect(world.told()).toEqual([]);
  });

  test.each([
    ["key id", { keyId: "abc", reason: "" }],
    ["reason of two lines", { keyId: "0".repeat(32), reason: "a\nb" }],
    ["reason too long", { keyId: "0".repeat(32), reason: "失".repeat(201) }],
  ])("a denial with a wrong %s is refused", async (_name, request) => {
    await expect(as("operator").denyKey(request)).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
    expect(world.keeper.set.denials).toEqual([]);
  });
});

describe("long polls", () => {
  const poll = (peer: ServiceName, waitMs: number, knownVersion = world.keeper.version) =>
    as(peer).getTrust({ knownVersion, waitMs }, { deadlineMs: LONG_MS + 5_000 });

  test("wait for a change and wake with it; without one they end empty", async () => {
    expect((await poll("seal", 1)).trust ?? null).toBeNull();
    expect((await poll("seal", 0)).trust ?? null).toBeNull();
    expect((await poll("seal", LONG_MS, world.keeper.version - 1)).trust).not.toBeNull();
    const waiting = [poll("seal", LONG_MS), poll("audit", LONG_MS)];
    const keyId = world.pki.keyId(FAR_NODE, "sign");
    const { version } = await as("operator").denyKey({ keyId, reason: "失窃" });
    for (const answer of waiting) {
      expect((await answer).trust).toMatchObject({
        version,
        denials: [{ keyId, reason: "失窃", actor: "operator", deniedMs: world.nowMs }],
      });
    }
  });

  test("longer than a minute is refused; so is the 65th that waits", async () => {
    await expect(poll("seal", 60_001)).rejects.toMatchObject({ code: "rpc.bad-message" });
    const waiting = Array.from({ length: 65 }, () => poll("seal", LONG_MS).catch((e) => e.code));
    expect(await Promise.race(waiting)).toBe("trust.busy");
    await as("operator").denyKey({ keyId: "0".repeat(32), reason: "" });
    const ended = await Promise.all(waiting);
    expect(ended.filter((answer) => answer === "trust.busy")).toHaveLength(1);
  });

  test("end at once when the service closes or the caller goes", async () => {
    const gone = new AbortController();
    const left = as("audit").getTrust(
      { knownVersion: world.keeper.version, waitMs: LONG_MS },
      { signal: gone.signal, deadlineMs: LONG_MS },
    );
    const waiting = poll("seal", LONG_MS);
    await Promise.all([as("seal").getTrust({}), as("audit").getTrust({})]);
    gone.abort();
    await expect(left).rejects.toMatchObject({ code: "rpc.cancelled" });
    await server.close();
    expect((await waiting).trust ?? null).toBeNull();
  });
});

describe("a follower", () => {
  const errors: unknown[] = [];
  const follow = (peer: TrustPeer) =>
    followTrust(
      peer,
      provider,
      { rootPath: world.pki.rootPath, mode: "demo" },
      { signal: stop.signal, onError: (error) => errors.push(error) },
    );
  const next = (source: { changed(listener: (store: TrustStore) => void): void }) =>
    new Promise<TrustStore>((resolve) => source.changed(resolve));
  beforeEach(() => {
    errors.length = 0;
  });

  test("sees a denial and an import within its poll, and outlives the service", async () => {
    const port = server.port;
    const source = await follow(as("seal"));
    const keyId = world.pki.keyId(FAR_NODE, "sign");
    const signKey = (store: TrustStore) => store.keyDirectory().signKey(FAR_NODE, keyId);
    expect(signKey(source.current())).toBeDefined();
    const denied = next(source);
    await as("operator").denyKey({ keyId, reason: "" });
    const store = await denied;
    expect(() => signKey(store)).toThrow(expect.objectContaining({ code: "certificate.denied" }));
    expect(source.current()).toBe(store);
    await server.close();
    await world.reopen();
    const again = next(source);
    server = await serve(port);
    expect((await again).version).toBe(world.keeper.version);
    const lifted = next(source);
    await world.keeper.deny({ keyId, deniedMs: 0, reason: "", actor: "operator" }, true);
    expect(signKey(await lifted)).toBeDefined();
  });

  test("waits for policy at the start, and gives up only when told to", async () => {
    const port = server.port;
    await server.close();
    const starting = follow(as("audit"));
    server = await serve(port);
    expect((await starting).current().version).toBe(world.keeper.version);
    await server.close();
    const never = follow(as("seal"));
    stop.abort();
    await expect(never).rejects.toMatchObject({ name: /AbortError|GatewayError/ });
  });

  test("takes no older set, and keeps its own when a new one cannot be used", async () => {
    const set = world.pki.set;
    const answers: lightferry.policy.v1.TrustSet.$Properties[] = [
      { ...set, version: 10 },
      { ...set, version: 9, certificates: [] },
      { ...set, version: 11, revocationLists: [world.pki.list()] },
    ];
    const asked: number[] = [];
    let over: () => void = () => undefined;
    const end = new Promise<void>((resolve) => {
      over = resolve;
    });
    const source = await follow({
      getTrust: async ({ knownVersion = 0 }, { signal } = {}) => {
        asked.push(knownVersion ?? 0);
        const trust = answers.shift();
        if (trust !== undefined) return { trust };
        over();
        return new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))),
        );
      },
    });
    const { certificates } = source.current();
    await end;
    expect(asked).toEqual([0, 10, 10, 11]);
    // An older version; then one that forgot what it had revoked.
    expect(source.current()).toMatchObject({ version: 10, certificates });
    expect(errors).toMatchObject([{ code: "trust.stale" }, { code: "trust.stale" }]);
  });
});
