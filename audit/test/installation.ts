/** Guarantee: a zone on disk as set-up leaves it, as far as audit needs: keys, certificates, registry, settings. */
import { EventEmitter, once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import {
  bind,
  type CallContext,
  PolicyService,
  type RpcServer,
  startRpcServer,
  TrustService,
} from "@lightferry/proto/rpc";
import { silentLogger } from "@lightferry/proto/service";
import { domainSeparated } from "@lightferry/proto/sm";
import { type TestPki, type TestZone, testPki, testZone } from "@lightferry/proto/testing";
import { writeTrustItems } from "@lightferry/proto/trust";
import { NODE, provider, ZONE } from "./kit.ts";

export const FAR_NODE = "node-extranet";

export interface Installation {
  readonly home: string;
  readonly zone: TestZone;
  /** Root, CAs and keys of both zones; after a change of it, {@link publish}. */
  readonly pki: TestPki;
  readonly auditConfig: string;
  /** Policy and its folder have what the PKI has now. */
  publish(): Promise<void>;
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
  const pki = await testPki({ zones: { extranet: FAR_NODE, [ZONE]: NODE } });
  await writeTrustFolder(pki, at("trust"));
  await writeFile(at("registry", "root.pem"), await readFile(pki.rootPath));
  const document = registryDocument();
  const authority = provider.generateSm2();
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", document));
  await writeFile(at("registry", "registry.json"), document);
  await writeFile(at("registry", "registry.sig"), signature);
  await writeFile(
    at("registry", "anchor.json"),
    JSON.stringify({ publicKey: hex(authority.publicKey), demo: true }),
  );
  const changes = new EventEmitter();
  const policy = await policyServer(zone, { document, signature }, pki, changes);
  const base = { zone: ZONE, node: NODE, anchorPath: at("registry", "anchor.json") };
  const auditConfig = at("config", "audit.json");
  await writeFile(
    auditConfig,
    JSON.stringify({
      ...base,
      ...{ service: "audit", mode: "demo", stateDir: at("state", "audit"), tls: zone.tls.audit },
      listen: { host: "127.0.0.1", port: 0 },
      peers: { policy: `127.0.0.1:${policy.port}` },
      trustRootPath: at("registry", "root.pem"),
      unlockPath: pki.unlockPath(NODE, "audit"),
      auditKeysDir: pki.ringDir(NODE, "audit"),
      ...{ databaseUrl: urls.writerUrl, ownerUrl: urls.ownerUrl, witnessZone: "extranet" },
    }),
  );
  return {
    home,
    zone,
    pki,
    auditConfig,
    publish: async () => {
      await writeTrustFolder(pki, at("trust"));
      changes.emit("changed");
    },
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
      await pki.cleanup();
    },
  };
}

function policyServer(
  zone: TestZone,
  registry: { readonly document: Uint8Array; readonly signature: Uint8Array },
  pki: TestPki,
  changes: EventEmitter,
): Promise<RpcServer> {
  const getTrust = async (
    { knownVersion }: lightferry.policy.v1.GetTrustRequest,
    { signal, closing }: CallContext,
  ) => {
    const over = AbortSignal.any([signal, closing]);
    if (knownVersion === pki.set.version) {
      await once(changes, "changed", { signal: over }).catch(() => undefined);
    }
    return knownVersion === pki.set.version ? {} : { trust: pki.set };
  };
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
          getRegistry: async () => registry,
        },
        { decide: [], decideStream: [], getRegistry: ["audit"] },
      ),
      bind({ getTrust: TrustService.getTrust }, { getTrust }, { getTrust: ["audit"] }),
    ],
  });
}

/** As policy leaves it: one file for each item. */
async function writeTrustFolder(pki: TestPki, folder: string): Promise<void> {
  const { certificates = [], revocationLists = [] } = pki.set;
  await writeTrustItems(provider, folder, [
    ...(certificates ?? []).map((der) => ({ kind: "certificate" as const, der })),
    ...(revocationLists ?? []).map((der) => ({ kind: "revocation-list" as const, der })),
  ]);
}

function registryDocument(): Buffer {
  const node = (id: string, zone: string) => ({
    ...{ id, zone, organisation: "自然资源厅" },
    licence: {
      ...{ number: "演示-1", notBeforeMs: 0, notAfterMs: 4_000_000_000_000 },
      ...{ lanes: [], gradeCeiling: "G3" },
    },
  });
  return Buffer.from(
    JSON.stringify({
      ...{ format: "lightferry-registry/1", number: 1, issuedMs: 1_700_000_000_000, demo: true },
      nodes: [node(FAR_NODE, "extranet"), node(NODE, ZONE)],
      ...{ lanes: [], services: [], callers: [], grants: [] },
    }),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
