/** Guarantee: the peers of both programs on real gRPC with mutual TLS, and their configuration files. */
import { EventEmitter, once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { lightferry } from "@lightferry/proto/gen";
import { REGISTRY_FORMAT, type RegistryDocument } from "@lightferry/proto/registry";
import {
  bind,
  type CallContext,
  InboxService,
  OutboxService,
  PolicyService,
  type RpcServer,
  startRpcServer,
  TrustService,
} from "@lightferry/proto/rpc";
import { createLogger } from "@lightferry/proto/service";
import { domainSeparated } from "@lightferry/proto/sm";
import { type TestZone, testZone } from "@lightferry/proto/testing";
import { FROM, HOST, LANE, type Place, pki, provider, TO } from "./world.ts";

const DAY = 86_400_000;

export interface Peers {
  /** Write the configuration file of a program and give its path. */
  txConfig(port: number): string;
  rxConfig(port: number): string;
  /** Policy of both zones has what the PKI has now. */
  publish(): void;
  close(): Promise<void>;
}

export interface GateSettings {
  readonly frameSize?: number;
  readonly rate?: number;
  readonly secondPassSeconds?: number;
  readonly receiveBufferBytes?: number;
  /** IPv4 address at which rx listens and to which tx sends. */
  readonly host?: string;
  readonly socket?: "auto" | "dgram";
  /** At both ends; off when absent. */
  readonly tags?: boolean;
  /** Of the registry; one alone when absent. */
  readonly lanes?: readonly string[];
  /** For which the registry has them; `udp` when absent. */
  readonly driver?: "udp" | "directory" | "media";
}

/** Runs what opens a zone's listening sockets where that zone's programs reach them. */
export type Within = <T>(zone: "extranet" | "business", open: () => Promise<T>) => Promise<T>;

function document(
  lanes: readonly string[],
  driver: "udp" | "directory" | "media",
): RegistryDocument {
  const now = Date.now();
  const node = (id: string, zone: string) => ({
    id,
    zone,
    organisation: "test",
    licence: {
      number: "test-1",
      notBeforeMs: now - DAY,
      notAfterMs: now + DAY,
      lanes,
      gradeCeiling: "G3" as const,
    },
  });
  return {
    format: REGISTRY_FORMAT,
    number: 1,
    issuedMs: now,
    demo: true,
    nodes: [node(FROM, "extranet"), node(TO, "business")],
    lanes: lanes.map((id) => ({
      id,
      from: "extranet",
      to: "business",
      driver,
      state: driver === "media" ? "media" : "open",
      kinds: ["request", "file"],
      gradeCeiling: "G3",
      expirySeconds: 7 * 86_400,
      revocationFreshnessSeconds: 30 * 86_400,
      maxRequestBytes: 1 << 20,
      maxFileBytes: 1 << 30,
    })),
    services: [],
    callers: [],
    grants: [],
  };
}

export async function startPeers(
  at: Place,
  gate: GateSettings,
  within: Within = (_, open) => open(),
): Promise<Peers> {
  const zones = { extranet: await testZone("extranet"), business: await testZone("business") };
  const log = createLogger({ service: "peers" });
  const bytes = Buffer.from(JSON.stringify(document(gate.lanes ?? [LANE], gate.driver ?? "udp")));
  const authority = provider.generateSm2();
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", bytes));
  const anchorPath = join(at.root, "anchor.json");
  const anchor = { publicKey: Buffer.from(authority.publicKey).toString("hex"), demo: true };
  writeFileSync(anchorPath, JSON.stringify(anchor));

  const changes = new EventEmitter();
  const getTrust = async (
    { knownVersion }: lightferry.policy.v1.GetTrustRequest,
    { signal, closing }: CallContext,
  ) => {
    if (knownVersion === pki.set.version) {
      const over = AbortSignal.any([signal, closing]);
      await once(changes, "changed", { signal: over }).catch(() => undefined);
    }
    return knownVersion === pki.set.version ? {} : { trust: pki.set };
  };
  const servers: RpcServer[] = [];
  const serve = async (zone: TestZone, name: "extranet" | "business") => {
    const policy = await startRpcServer({
      listen: { host: HOST, port: 0 },
      tls: zone.tls.policy,
      zone: name,
      log,
      services: [
        bind(
          { getRegistry: PolicyService.getRegistry },
          { getRegistry: async () => ({ document: bytes, signature }) },
          { getRegistry: ["ferry-tx", "ferry-rx"] },
        ),
        bind(
          { getTrust: TrustService.getTrust },
          { getTrust },
          { getTrust: ["ferry-tx", "ferry-rx"] },
        ),
      ],
    });
    const door =
      name === "extranet"
        ? bind(
            OutboxService,
            {
              lease: (request, call) => at.outbox.lease(request, call),
              ack: (request) => at.outbox.ack(request),
              renew: (request) => at.outbox.renew(request),
              listEmitted: () => at.outbox.listEmitted(),
              recall: (request) => at.outbox.recall(request),
            },
            {
              ...{ lease: ["ferry-tx"], ack: ["ferry-tx"], renew: ["ferry-tx"] },
              ...{ listEmitted: ["ferry-tx"], recall: ["ferry-tx"] },
            },
          )
        : bind(
            InboxService,
            {
              deliver: (request) => at.inbox.deliver(request),
              openLinkKey: (request) => at.inbox.openLinkKey(request),
            },
            { deliver: ["ferry-rx"], openLinkKey: ["ferry-rx"] },
          );
    const frontProxy = await startRpcServer({
      listen: { host: HOST, port: 0 },
      tls: zone.tls["front-proxy"],
      zone: name,
      log,
      services: [door],
    });
    servers.push(policy, frontProxy);
    return { policy: `${HOST}:${policy.port}`, frontProxy: `${HOST}:${frontProxy.port}` };
  };
  const peers = {
    extranet: await within("extranet", () => serve(zones.extranet, "extranet")),
    business: await within("business", () => serve(zones.business, "business")),
  };
  const config = (zone: "extranet" | "business", own: object): string => {
    const service = zone === "extranet" ? "ferry-tx" : "ferry-rx";
    const path = join(at.root, `${service}.json`);
    const base = {
      zone,
      node: zone === "extranet" ? FROM : TO,
      service,
      mode: "demo",
      tls: zones[zone].tls[service],
      peers: peers[zone],
      anchorPath,
      trustRootPath: pki.rootPath,
      lane: LANE,
      metrics: { port: 0 },
    };
    writeFileSync(path, JSON.stringify({ ...base, ...own }));
    return path;
  };
  const link = (port: number) => ({
    ...{ driver: "udp", host: gate.host ?? HOST, port },
    socket: gate.socket ?? "auto",
    tags: gate.tags ?? false,
  });
  return {
    txConfig: (port) =>
      config("extranet", {
        stateDir: at.txState,
        outboxDir: at.outboxDir,
        ferryKeysDir: pki.ringDir(FROM, "ferry"),
        unlockPath: pki.unlockPath(FROM, "ferry"),
        gate: {
          ...link(port),
          frameSize: gate.frameSize ?? 1456,
          rateBytesPerSecond: gate.rate ?? 60_000_000,
          secondPassSeconds: gate.secondPassSeconds ?? 1,
        },
      }),
    rxConfig: (port) =>
      config("business", {
        stateDir: at.rxState,
        arrivalsDir: at.arrivalsDir,
        expectedSender: FROM,
        gate: {
          ...link(port),
          frameSize: gate.frameSize ?? 1456,
          receiveBufferBytes: gate.receiveBufferBytes ?? 1 << 24,
        },
      }),
    publish: () => void changes.emit("changed"),
    close: async () => {
      for (const server of servers) await server.close();
      await zones.extranet.cleanup();
      await zones.business.cleanup();
    },
  };
}
