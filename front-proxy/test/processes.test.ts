/** front-proxy and seal as the processes they are: start, work together, are killed, go on, end. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readHeader, verifyChunks, verifyHeader } from "@lightferry/proto/bundle";
import { createRequest } from "@lightferry/proto/pki";
import { openSdfProvider } from "@lightferry/proto/sm";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { buildDevice, noCompiler } from "../../proto/test/sdf-device.ts";
import { issueToken } from "../src/auth/tokens.ts";
import { ApiClient } from "./support/api-client.ts";
import { provider } from "./support/egress-keys.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";
import { expectEvent } from "./support/refusal.ts";

if (noCompiler !== undefined) console.warn(`skipped: ${noCompiler}`);

// As many programs are started: the limit tells a hang from a busy machine, it is no measure of speed.
vi.setConfig({ testTimeout: 90_000 });
const WAIT = { timeout: 30_000 };

let world: EgressWorld;
const children = new Set<ChildProcess>();

interface Started {
  readonly child: ChildProcess;
  readonly ready: Record<string, unknown>;
  readonly lines: string[];
}

async function launch(entry: string, config: object): Promise<Started> {
  const path = join(world.dir, `${entry}.json`);
  await writeFile(path, JSON.stringify(config));
  const main = new URL(`../src/${entry}.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, [main, "--config", path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const lines: string[] = [];
  const reading = createInterface({ input: child.stdout });
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    reading.on("line", (line) => {
      lines.push(line);
      if (line.includes('"event":"ready"')) resolve(JSON.parse(line));
    });
    child.on("exit", (code) => reject(new Error(`exit ${code}: ${lines.join("\n")}`)));
  });
  return { child, ready: await ready, lines };
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

function configs(apiPort: number, grpcPort: number) {
  const { dir, zone, peers, keys } = world;
  const base = (service: "front-proxy" | "seal") => ({
    zone: "extranet",
    node: "node-extranet",
    service,
    mode: "demo",
    stateDir: join(dir, "state", service),
    tls: zone.tls[service],
    peers: {
      policy: peers.policyAddress,
      audit: peers.auditAddress,
      frontProxy: `127.0.0.1:${grpcPort}`,
    },
    anchorPath: join(dir, "anchor.json"),
    trustRootPath: keys.rootPath,
    vaultPath: keys.vaultPath,
    spoolDir: join(dir, "spool"),
    outboxDir: join(dir, "outbox"),
  });
  return {
    frontProxy: {
      ...base("front-proxy"),
      listen: { host: "127.0.0.1", port: grpcPort },
      api: { host: "127.0.0.1", port: apiPort, tls: zone.tls["front-proxy"] },
      databaseUrl: world.databaseUrl,
      arrivalsDir: join(dir, "arrivals"),
      inboxDir: join(dir, "inbox"),
      encryptKeysDir: keys.encryptKeysDir,
      unlockPath: keys.encryptUnlockPath,
      limits: { spoolReserveBytes: 0 },
    },
    seal: {
      ...base("seal"),
      signKeysDir: keys.signKeysDir,
      unlockPath: keys.signUnlockPath,
    },
  };
}

beforeAll(async () => {
  world = await createEgressWorld();
  await mkdir(join(world.dir, "arrivals"));
  const anchor = { publicKey: Buffer.from(world.signed.authority).toString("hex"), demo: true };
  await writeFile(join(world.dir, "anchor.json"), JSON.stringify(anchor));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await world.close();
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Number of accepted exchanges in each state; what a kill kept from being accepted is closed apart. */
async function states(): Promise<Record<string, number>> {
  const { rows } = await world.pool.query(
    "SELECT state, count(*)::int AS n FROM exchange WHERE code <> 'exchange.not-accepted' GROUP BY 1",
  );
  return Object.fromEntries(rows.map((row) => [row.state, row.n]));
}

it("work together, are killed in the middle, lose nothing accepted, and end when asked", async () => {
  const [apiPort, grpcPort] = [await freePort(), await freePort()];
  const config = configs(apiPort, grpcPort);
  // Any order will do: seal waits for the front-proxy.
  const sealing = launch("seal-main", config.seal);
  let frontProxy = await launch("main", config.frontProxy);
  let seal = await sealing;
  expect(frontProxy.ready).toMatchObject({ api: `https://127.0.0.1:${apiPort}` });

  const { token } = await issueToken(world.pool, provider, world.registry, {
    zone: "extranet",
    caller: "city",
    days: 1,
    note: "",
  });
  const api = new ApiClient(world.zone.tls["front-proxy"].ca, () => apiPort);
  const accepted: string[] = [];
  const submit = async (index: number) => {
    const answer = await api
      .call("POST", "/v1/requests", {
        token,
        headers: { "idempotency-key": `order-${index}` },
        body: {
          lane: "inbound",
          service: "registration",
          grade: "G2",
          method: "POST",
          path: `/records/${index}`,
          body: "x".repeat(index % 7 === 0 ? 80_000 : 500),
        },
      })
      .catch(() => undefined);
    if (answer?.status === 202) accepted.push(answer.json.exchangeId);
    return answer?.status === 202;
  };
  expect(await submit(0)).toBe(true);
  await expect.poll(states, WAIT).toEqual({ queued: 1 });

  const orders = Array.from({ length: 150 }, (_, index) => index + 1);
  const first = Promise.all(orders.map(submit));
  await expect.poll(() => accepted.length, WAIT).toBeGreaterThan(20);
  frontProxy.child.kill("SIGKILL");
  seal.child.kill("SIGKILL");
  await Promise.all([first, ended(frontProxy.child), ended(seal.child)]);

  [frontProxy, seal] = await Promise.all([
    launch("main", config.frontProxy),
    launch("seal-main", config.seal),
  ]);
  // What the callers were not told about they send again, under the same keys.
  for (const answers of [await Promise.all(orders.map(submit))]) {
    expect(answers.every(Boolean)).toBe(true);
  }
  await expect.poll(states, WAIT).toEqual({ queued: 151 });
  expect(new Set(accepted).size).toBe(151);
  // Nothing that a caller was promised is among those closed as never accepted.
  const closed = await world.pool.query(
    "SELECT id::text FROM exchange WHERE code = 'exchange.not-accepted'",
  );
  expect(closed.rows.filter((row) => accepted.includes(row.id))).toEqual([]);

  const { rows } = await world.pool.query(
    "SELECT file, sequence FROM outbox_bundle ORDER BY sequence",
  );
  expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, index) => index + 1));
  for (const { file } of rows) {
    const bundle = await readHeader(join(world.dir, "outbox", file));
    const keys = world.keys.trust.current().keyDirectory();
    await verifyChunks(provider, verifyHeader(provider, bundle, { now: Date.now(), keys }));
  }

  // A new signing key: the running seal hears of it and goes over to it.
  const { trust } = world.keys;
  const fresh = trust.pki.rotate("node-extranet", "sign", { notBeforeMs: Date.now() - 1_000 });
  trust.renew();
  let further = 1_000;
  const newest = "SELECT file FROM outbox_bundle ORDER BY sequence DESC LIMIT 1";
  const signedWith = async () => {
    await submit(further++);
    const { rows: bundles } = await world.pool.query(newest);
    return (await readHeader(join(world.dir, "outbox", bundles[0].file))).header.signKeyId;
  };
  await expect.poll(signedWith, WAIT).toBe(fresh);

  for (const { child } of [frontProxy, seal]) child.kill("SIGTERM");
  expect([await ended(frontProxy.child), await ended(seal.child)]).toEqual([0, 0]);
  api.close();
});

it.skipIf(noCompiler !== undefined)(
  "with a cipher machine seal has no key file, signs in the machine, and does not start on a wrong password",
  async () => {
    const device = buildDevice();
    const hsm = (kind: "sign" | "encrypt", index: number, password?: string) => ({
      library: device.library,
      keys: { [kind]: [{ index, passwordFile: device.passwordFile(index, password) }] },
    });
    try {
      const machine = openSdfProvider(hsm("sign", 1));
      const [keyId = ""] = machine.signKeys?.keyIds() ?? [];
      const key = machine.signKeys?.privateKey(keyId);
      if (key === undefined) expect.fail("no key");
      const identity = { zone: "extranet", node: "node-extranet", use: "sign" } as const;
      const subject = { identity, organisation: "test", demo: true };
      const request = createRequest(machine.provider, key, subject);
      machine.close();
      world.keys.trust.pki.certify(request, { notBeforeMs: Date.now() - 1_000 });
      world.keys.trust.renew();

      const [apiPort, grpcPort] = [await freePort(), await freePort()];
      const config = configs(apiPort, grpcPort);
      const { signKeysDir: _, ...withoutKeys } = config.seal;
      const wrong = { ...withoutKeys, hsm: hsm("sign", 1, "password-9") };
      const stateDir = join(world.dir, "state", "wrong-password");
      await expect(launch("seal-main", { ...wrong, stateDir })).rejects.toThrow("sm.hsm-password");

      const encrypt = hsm("encrypt", 2);
      const [frontProxy, seal] = await Promise.all([
        launch("main", { ...config.frontProxy, hsm: encrypt }),
        launch("seal-main", { ...withoutKeys, hsm: hsm("sign", 1) }),
      ]);
      expect(seal.ready).toMatchObject({ signKeyId: keyId });
      const terms = { zone: "extranet", caller: "city", days: 1, note: "" };
      const { token } = await issueToken(world.pool, provider, world.registry, terms);
      const api = new ApiClient(world.zone.tls["front-proxy"].ca, () => apiPort);
      const body = { lane: "inbound", service: "registration", grade: "G2", method: "POST" };
      const answer = await api.call("POST", "/v1/requests", {
        token,
        body: { ...body, path: "/records/1", body: "sealed in a machine" },
      });
      expect(answer.status).toBe(202);
      const bundle = async () => {
        const { rows } = await world.pool.query(
          "SELECT file FROM outbox_bundle ORDER BY outbox_bundle.sequence DESC LIMIT 1",
        );
        return rows.length === 0 ? "" : join(world.dir, "outbox", rows[0].file);
      };
      const signedWith = async () => (await readHeader(await bundle())).header.signKeyId;
      await expect.poll(signedWith, WAIT).toBe(keyId);
      const keys = world.keys.trust.current().keyDirectory();
      verifyHeader(provider, await readHeader(await bundle()), { now: Date.now(), keys });
      for (const { child } of [frontProxy, seal]) child.kill("SIGTERM");
      expect([await ended(frontProxy.child), await ended(seal.child)]).toEqual([0, 0]);
      api.close();
    } finally {
      device.remove();
    }
  },
);

it("seal refuses a demonstration key in production", async () => {
  const { seal } = configs(1, 1);
  const stateDir = join(world.dir, "state", "production");
  await expect(launch("seal-main", { ...seal, stateDir, mode: "production" })).rejects.toThrow(
    "key.demo-in-production",
  );
  await expectEvent(world.peers.events, "service.stopped", "key.demo-in-production");
});

it("front-proxy refuses a demonstration anchor, and a demonstration registry, in production", async () => {
  const { frontProxy } = configs(await freePort(), await freePort());
  const anchorPath = join(world.dir, "real-anchor.json");
  const publicKey = Buffer.from(world.signed.authority).toString("hex");
  await writeFile(anchorPath, JSON.stringify({ publicKey, demo: false }));
  for (const [name, change] of [
    ["anchor", {}],
    ["registry", { anchorPath }],
  ] as const) {
    const stateDir = join(world.dir, "state", `production-${name}`);
    await expect(
      launch("main", { ...frontProxy, ...change, stateDir, mode: "production" }),
    ).rejects.toThrow("registry.demo-in-production");
  }
  await expectEvent(world.peers.events, "service.stopped", "registry.demo-in-production");
});

it("front-proxy names the setting that is wrong", async () => {
  const { frontProxy } = configs(1, 1);
  await expect(launch("main", { ...frontProxy, spoolDir: 7 })).rejects.toThrow("spoolDir");
});
