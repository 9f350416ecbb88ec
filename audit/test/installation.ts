/** Guarantee: a zone on disk as set-up leaves it, as far as audit needs: keys, certificates, registry, settings. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { createUnlockFile, generateKeyFile, readUnlockFile } from "@lightferry/proto/keystore";
import { bind, PolicyService, type RpcServer, startRpcServer } from "@lightferry/proto/rpc";
import { silentLogger } from "@lightferry/proto/service";
import { domainSeparated, formatKeyId } from "@lightferry/proto/sm";
import { type TestZone, testZone } from "@lightferry/proto/testing";
import { NODE, provider, ZONE } from "./kit.ts";

/** Audit key of the other node. */
export const farKey = provider.generateSm2();

export interface Installation {
  readonly home: string;
  readonly zone: TestZone;
  readonly auditConfig: string;
  /** Writes cli.json, once the port is known. */
  writeCliConfig(auditPort: number): Promise<void>;
  cleanup(): Promise<void>;
}

export async function installation(urls: {
  ownerUrl: string;
  writerUrl: string;
  readerUrl: string;
}): Promise<Installation> {
  const zone = await testZone(ZONE);
  const home = join(zone.dir, "home");
  const at = (...path: string[]) => join(home, ZONE, ...path);
  for (const folder of ["config", "keys", "registry", "state"]) {
    await mkdir(at(folder), { recursive: true, mode: 0o700 });
  }
  createUnlockFile(at("keys", "unlock.key"));
  const audit = generateKeyFile(
    at("keys", "audit-sign.key.json"),
    readUnlockFile(at("keys", "unlock.key")),
    "audit-sign",
    { demo: true },
  );
  const document = registryDocument(audit.publicKey);
  const authority = provider.generateSm2();
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", document));
  await writeFile(at("registry", "registry.json"), document);
  await writeFile(at("registry", "registry.sig"), signature);
  await writeFile(
    at("registry", "anchor.json"),
    JSON.stringify({ publicKey: hex(authority.publicKey), demo: true }),
  );
  const policy = await policyServer(zone, document, signature);
  const base = { zone: ZONE, node: NODE, anchorPath: at("registry", "anchor.json") };
  const auditConfig = at("config", "audit.json");
  await writeFile(
    auditConfig,
    JSON.stringify({
      ...base,
      ...{ service: "audit", mode: "demo", stateDir: at("state", "audit"), tls: zone.tls.audit },
      listen: { host: "127.0.0.1", port: 0 },
      peers: { policy: `127.0.0.1:${policy.port}` },
      unlockPath: at("keys", "unlock.key"),
      auditKeyPath: at("keys", "audit-sign.key.json"),
      ...{ databaseUrl: urls.writerUrl, ownerUrl: urls.ownerUrl, witnessZone: "extranet" },
    }),
  );
  return {
    home,
    zone,
    auditConfig,
    writeCliConfig: (auditPort) =>
      writeFile(
        at("config", "cli.json"),
        JSON.stringify({
          ...base,
          tls: zone.tls.operator,
          peers: { audit: `127.0.0.1:${auditPort}` },
          databaseUrls: { audit: urls.readerUrl },
        }),
      ),
    cleanup: async () => {
      await policy.close();
      await zone.cleanup();
    },
  };
}

function policyServer(
  zone: TestZone,
  document: Uint8Array,
  signature: Uint8Array,
): Promise<RpcServer> {
  const refuse = () => Promise.reject(new GatewayError("internal.fault"));
  return startRpcServer({
    ...{ listen: { host: "127.0.0.1", port: 0 }, tls: zone.tls.policy, zone: ZONE },
    log: silentLogger(),
    services: [
      bind(
        PolicyService,
        {
          decide: refuse,
          // biome-ignore lint/correctness/useYield: this policy only hands out the registry.
          decideStream: async function* () {
            await refuse();
          },
          getRegistry: async () => ({ document, signature }),
        },
        { decide: [], decideStream: [], getRegistry: ["audit"] },
      ),
    ],
  });
}

function registryDocument(auditKey: Uint8Array): Buffer {
  const other = provider.generateSm2().publicKey;
  const entry = (key: Uint8Array) => ({ keyId: formatKeyId(key as never), publicKey: hex(key) });
  const node = (id: string, zone: string, audit: Uint8Array) => ({
    ...{ id, zone, organisation: "自然资源厅" },
    keys: {
      ...{ sign: entry(other), encrypt: entry(other), policy: entry(other) },
      ...{ audit: entry(audit), ferry: entry(other) },
    },
    licence: {
      ...{ number: "演示-1", notBeforeMs: 0, notAfterMs: 4_000_000_000_000 },
      ...{ lanes: [], gradeCeiling: "G3" },
    },
  });
  return Buffer.from(
    JSON.stringify({
      ...{ format: "lightferry-registry/1", number: 1, issuedMs: 1_700_000_000_000, demo: true },
      nodes: [node("node-extranet", "extranet", farKey.publicKey), node(NODE, ZONE, auditKey)],
      ...{ lanes: [], services: [], callers: [], grants: [] },
    }),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
