import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runNoun } from "@lightferry/proto/cli";
import { lightferry } from "@lightferry/proto/gen";
import {
  createUnlockFile,
  createVaultFile,
  generateKeyFile,
  loadKeyFile,
  readUnlockFile,
} from "@lightferry/proto/keystore";
import { fetchRegistry } from "@lightferry/proto/registry";
import { createClient, PolicyService, TrustService } from "@lightferry/proto/rpc";
import { domainSeparated, loadProvider } from "@lightferry/proto/sm";
import {
  type TestDatabase,
  type TestPki,
  type TestZone,
  testDatabase,
  testPki,
  testZone,
} from "@lightferry/proto/testing";
import { writeTrustItems } from "@lightferry/proto/trust";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { noun } from "../cli/policy.ts";
import { DEMO_PACK, fileItem, requestItem, testRegistry } from "./world.ts";

const { Decision } = lightferry.policy.v1;
const DAY = 86_400_000;
const VALID = "510104199003077217";
const NODE = "node-extranet";
/** Starts that end in the middle of imports; one more shows what they left. */
const KILLED_LIVES = 2;

let database: TestDatabase;
let zone: TestZone;
let pki: TestPki;
let folder: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  [database, zone, pki] = await Promise.all([
    testDatabase(),
    testZone("extranet"),
    testPki({ zones: { extranet: NODE, business: "node-business" } }),
  ]);
  folder = mkdtempSync(join(tmpdir(), "lightferry-policy-run-"));
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await zone.cleanup();
  await pki.cleanup();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);

/** Writes keys, signed registry and pack as a set-up would; the registry names the fresh policy key and today. */
async function prepare(pack: Uint8Array): Promise<void> {
  const provider = loadProvider();
  createUnlockFile(path("unlock"));
  const unlock = () => readUnlockFile(path("unlock"));
  generateKeyFile(path("authority.json"), unlock(), "authority-sign", { demo: true });
  createVaultFile(path("vault"));
  const { key } = loadKeyFile(path("authority.json"), { file: path("unlock") }, "authority-sign");
  const now = Date.now();
  const term = { notBeforeMs: now - DAY, notAfterMs: now + DAY };
  const registry = testRegistry();
  const document = Buffer.from(
    JSON.stringify({
      ...registry,
      nodes: registry.nodes.map((node) => ({
        ...node,
        licence: { ...node.licence, ...term },
      })),
      grants: registry.grants.map((grant) => ({ ...grant, ...term })),
    }),
  );
  writeFileSync(path("registry.json"), document);
  writeFileSync(
    path("registry.sig"),
    provider.sm2Sign(key, domainSeparated("registry/1", document)),
  );
  writeFileSync(
    path("anchor.json"),
    JSON.stringify({ publicKey: Buffer.from(key.publicKey).toString("hex"), demo: true }),
  );
  key.destroy();
  await signPack(pack);
  await keepTrust();
}

/** The trust folder as a set-up leaves it. */
async function keepTrust(): Promise<void> {
  const { certificates, revocationLists } = pki.store;
  await writeTrustItems(loadProvider(), path("trust"), [
    ...certificates.map(({ der }) => ({ kind: "certificate" as const, der })),
    ...revocationLists.map(({ der }) => ({ kind: "revocation-list" as const, der })),
  ]);
}

async function signPack(pack: Uint8Array): Promise<void> {
  writeFileSync(path("pack.yaml"), pack);
  const args = [
    "--pack",
    path("pack.yaml"),
    "--key",
    path("authority.json"),
    "--unlock",
    path("unlock"),
    "--out",
    path("pack.sig"),
  ];
  expect(await runNoun(noun, ["sign-pack", ...args, "--json"])).toBe(0);
}

interface Line {
  readonly event?: string;
  readonly port?: number;
  readonly code?: string;
}

/** Starts the service; resolves with the ready line, or the line it died with. */
async function start(mode: "demo" | "production"): Promise<Line> {
  const config = {
    zone: "extranet",
    node: "node-extranet",
    service: "policy",
    mode,
    stateDir: path("state"),
    listen: { host: "127.0.0.1", port: 0 },
    tls: zone.tls.policy,
    peers: {},
    anchorPath: path("anchor.json"),
    trustRootPath: pki.rootPath,
    unlockPath: pki.unlockPath(NODE, "policy"),
    policyKeysDir: pki.ringDir(NODE, "policy"),
    trustDir: path("trust"),
    registry: { document: path("registry.json"), signature: path("registry.sig") },
    pack: { document: path("pack.yaml"), signature: path("pack.sig") },
    databaseUrl: database.url,
    sealedAwayDir: path("sealed-away"),
    vaultPath: path("vault"),
  };
  mkdirSync(path("state"), { recursive: true });
  writeFileSync(path("config.json"), JSON.stringify(config));
  const main = new URL("../src/main.ts", import.meta.url).pathname;
  // A test that failed before its end leaves none behind.
  child?.kill("SIGKILL");
  child = spawn(process.execPath, [main, "--config", path("config.json")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { stdout } = child;
  if (stdout === null) return {};
  for await (const text of createInterface({ input: stdout })) {
    const line = JSON.parse(text) as Line;
    if (line.event !== "ready" && line.code === undefined) continue;
    // A pipe that nobody empties stops its writer in the end.
    stdout.resume();
    return line;
  }
  return {};
}

async function stop(): Promise<number | null> {
  const ending = child;
  if (ending === undefined || ending.exitCode !== null) return ending?.exitCode ?? null;
  // Killed and gone already: its "exit" will not come again.
  if (ending.signalCode !== null) return null;
  const ended = new Promise<number | null>((resolve) => ending.once("exit", resolve));
  ending.kill("SIGTERM");
  return ended;
}

// Each of these starts processes: the limit tells a hang from a busy machine, it is no measure of speed.
vi.setConfig({ testTimeout: 90_000 });

test("the service starts, serves the registry, decides inline and streamed, and stops", async () => {
  await prepare(DEMO_PACK);
  const ready = await start("demo");
  expect(ready.event).toBe("ready");
  const address = `127.0.0.1:${ready.port}`;
  const client = (service: "front-proxy" | "seal") =>
    createClient(PolicyService, {
      address,
      tls: zone.tls[service],
      zone: "extranet",
      peer: "policy",
    });
  const frontProxy = client("front-proxy");
  const registry = await fetchRegistry(frontProxy, loadProvider(), {
    anchorPath: path("anchor.json"),
    mode: "demo",
  });
  expect(registry.service("documents")?.kind).toBe("file");

  const submittedMs = Date.now();
  const items = [
    requestItem(`{"id":"${VALID}"}`, { submittedMs }),
    requestItem("{", { submittedMs }),
  ];
  const { outcomes } = await frontProxy.decide({ items });
  expect(outcomes?.map(({ decision }) => decision)).toEqual([
    Decision.DECISION_PERMIT,
    Decision.DECISION_HOLD,
  ]);
  expect(Buffer.from(outcomes?.[0]?.content ?? []).toString()).toBe('{"id":"510104********7217"}');

  const text = Buffer.from(`${VALID}\n`.repeat(60_000));
  async function* parts() {
    yield { item: fileItem("household-survey", "a.csv", text.length, { submittedMs }) };
    for (let at = 0; at < text.length; at += 200_000)
      yield { chunk: text.subarray(at, at + 200_000) };
  }
  const out: Uint8Array[] = [];
  let decision: lightferry.policy.v1.Decision | null | undefined;
  for await (const { chunk, result } of frontProxy.decideStream(parts())) {
    if (chunk) out.push(chunk);
    if (result) decision = result.outcomes?.[0]?.decision;
  }
  expect(decision).toBe(Decision.DECISION_PERMIT);
  expect(Buffer.concat(out).toString()).toBe("510104********7217\n".repeat(60_000));

  const seal = client("seal");
  await expect(seal.decide({ items })).rejects.toMatchObject({ code: "rpc.peer-not-allowed" });
  expect((await seal.getRegistry({})).policyVersion).toMatch(/^1-/);
  frontProxy.close();
  seal.close();
  expect(await stop()).toBe(0);
});

test("kill -9 around imports: what was acknowledged is there, and the version only rises", async () => {
  const kept = new Set<string>();
  let version = 0;
  for (let life = 0; life <= KILLED_LIVES; life += 1) {
    const ready = await start("demo");
    const client = createClient(TrustService, {
      ...{ address: `127.0.0.1:${ready.port}`, tls: zone.tls.operator },
      ...{ zone: "extranet", peer: "policy" },
    });
    const { trust } = await client.getTrust({});
    expect(trust?.version).toBeGreaterThan(version);
    const there = (trust?.certificates ?? []).map((der) => Buffer.from(der).toString("hex"));
    expect([...kept].filter((der) => !there.includes(der))).toEqual([]);
    version = trust?.version ?? 0;
    if (life === KILLED_LIVES) {
      client.close();
      expect(await stop()).toBe(0);
      break;
    }
    const keyIds = Array.from({ length: 12 }, (_, i) =>
      pki.rotate(NODE, "encrypt", { notBeforeMs: i * 1_000 }),
    );
    const certificates = keyIds.map((keyId) => pki.store.certificate(keyId));
    let acknowledged = 0;
    const imports = certificates.map(async (certificate) => {
      const der = certificate?.der ?? new Uint8Array();
      const answer = await client.importTrust({ items: [der], source: "medium" });
      expect(answer.results).toMatchObject([{ status: "new" }]);
      version = Math.max(version, answer.version ?? 0);
      kept.add(Buffer.from(der).toString("hex"));
      acknowledged += 1;
      // In the midst of the others.
      if (acknowledged === 3 + life) child?.kill("SIGKILL");
    });
    const ended = await Promise.allSettled(imports);
    const codes = ended.flatMap((end) => (end.status === "rejected" ? [end.reason.code] : []));
    expect(new Set(codes)).toEqual(new Set(["rpc.unavailable"]));
    client.close();
    await stop();
  }
  expect(kept.size).toBeGreaterThanOrEqual(7);
});

test("it refuses to start with what it may not use", async () => {
  expect((await start("production")).code).toBe("registry.demo-in-production");
  await stop();
  const higher = Buffer.from(DEMO_PACK.toString().replace(/^number: 1$/m, "number: 2"));
  await signPack(higher);
  expect((await start("demo")).event).toBe("ready");
  await stop();
  await signPack(DEMO_PACK);
  expect((await start("demo")).code).toBe("policy.pack-rollback");
  await stop();
  writeFileSync(path("pack.yaml"), higher);
  expect((await start("demo")).code).toBe("policy.pack-signature-invalid");
  await stop();
});
