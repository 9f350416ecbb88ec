/**
 * Guarantee: tests of `lightferry keys` have a home with passphrases and two zones, the part of each
 * zone's policy service that keeps trust, and the commands, run as people run them.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUnlockFile } from "@lightferry/proto/keystore";
import { type Certificate, parseCertificate, readPkiItems } from "@lightferry/proto/pki";
import { type RpcServer, startRpcServer } from "@lightferry/proto/rpc";
import { silentLogger } from "@lightferry/proto/service";
import { loadProvider } from "@lightferry/proto/sm";
import { runCaptured, type Said, type TestZone, testZone } from "@lightferry/proto/testing";
import { readTrustRoot } from "@lightferry/proto/trust";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { noun } from "../cli/keys.ts";
import { TrustKeeper } from "../src/trust/keeper.ts";
import { trustBinding } from "../src/trust/service.ts";

export const provider = loadProvider();
export const ZONES = ["extranet", "business"] as const;
export const DAY = 86_400_000;
export const ORGANISATION = "试验单位";

interface Zone {
  readonly tls: TestZone;
  keeper: TrustKeeper;
  server: RpcServer;
}

export let home = "";
export const zones = new Map<string, Zone>();
export const at = (...names: string[]): string => join(home, ...names);

/** Registers the hooks; a test file calls it once. */
export function keysWorld(): void {
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "lf-keys-cli-"));
    writeFileSync(at("root.pass"), "离线根口令 correct horse\n", { mode: 0o600 });
    writeFileSync(at("new.pass"), "恢复之后的新口令 battery staple", { mode: 0o600 });
    writeFileSync(at("backup.pass"), "节点备份口令 0123456789", { mode: 0o600 });
    createUnlockFile(at("root.unlock")).fill(0);
    for (const zone of ZONES) {
      createUnlockFile(at(`${zone}-ca.unlock`)).fill(0);
      writeConfig(zone, await testZone(zone), 1);
    }
  });

  afterAll(async () => {
    vi.useRealTimers();
    for (const { server, tls } of zones.values()) {
      await server.close();
      await tls.cleanup();
    }
    rmSync(home, { recursive: true, force: true });
  });
}

const certificates = new Map<string, TestZone>();

function writeConfig(zone: string, tls: TestZone, port: number): void {
  certificates.set(zone, tls);
  mkdirSync(at(zone, "config"), { recursive: true });
  writeFileSync(
    at(zone, "config", "cli.json"),
    JSON.stringify({
      ...{ zone, node: `node-${zone}`, tls: tls.tls.operator, databaseUrls: {} },
      peers: { policy: `127.0.0.1:${port}` },
      anchorPath: at("anchor.json"),
    }),
  );
}

/** The part of a zone's policy service that keeps trust. */
export async function startTrust(zone: string): Promise<void> {
  const tls = certificates.get(zone);
  if (tls === undefined) expect.fail(zone);
  mkdirSync(at(zone, "trust"), { recursive: true });
  const keeper = await TrustKeeper.open({
    ...{ provider, folder: at(zone, "trust"), mode: "production", now: Date.now },
    root: readTrustRoot(at(zone, "registry", "root.pem")),
    journal: { record: async () => undefined },
  });
  const server = await startRpcServer({
    listen: { host: "127.0.0.1", port: 0 },
    ...{ tls: tls.tls.policy, zone, log: silentLogger() },
    services: [trustBinding(keeper, Date.now)],
  });
  zones.set(zone, { tls, keeper, server });
  writeConfig(zone, tls, server.port);
}

export const say = (words: readonly string[], language = "zh_CN.UTF-8"): Promise<Said> =>
  runCaptured(noun, [...words, "--home", home], language);

export const words = (line: string): string[] =>
  line.split(" ").map((word) => word.replace(/^@/, `${home}/`));

/** Words that begin with @ are files under the home. Expects success. */
export async function run<T = Record<string, never>>(line: string): Promise<T> {
  const said = await say([...words(line), "--json"]);
  expect(said, line).toMatchObject({ code: 0 });
  return JSON.parse(said.out) as T;
}

export async function refused(line: string, code: string): Promise<Said> {
  const said = await say([...words(line), "--json"]);
  expect(said.code, line).not.toBe(0);
  expect(`${said.out}${said.problem}`).toContain(code);
  return said;
}

export interface Key {
  readonly zone: string;
  readonly node: string;
  readonly use: string;
  readonly state: string;
  readonly keyId: string;
  readonly serial: string;
  readonly daysLeft: number;
  readonly inRing?: boolean;
}

export async function keysOf(zone: string, use: string, node = `node-${zone}`): Promise<Key[]> {
  const { keys } = await run<{ keys: Key[] }>(`list --zone ${zone}`);
  return keys.filter((key) => key.node === node && key.use === use);
}

export const pemOf = (file: string): Certificate[] =>
  readPkiItems(readFileSync(at(file)))
    .filter(({ label }) => label === "CERTIFICATE")
    .map(({ der }) => parseCertificate(der));

export const CA = (zone: string): string => `--ca @ca/${zone} --unlock-file @${zone}-ca.unlock`;
/** Passphrases cost 600,000 rounds each time: one CA and the restored root have one, the rest a file. */
export const ROOT = "--ca @ca/root --unlock-file @root.unlock";
