/**
 * Guarantee: every service of a zone gets exactly its own configuration file,
 * mode 0600, written anew at each start from the zone's options.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateUse } from "@lightferry/proto/pki";
import { actionsDirBeside } from "@lightferry/proto/service";
import {
  CALLERS,
  nodeIdOf,
  otherZone,
  type ServiceEntryName,
  type ZoneName,
  zonePaths,
  zonePorts,
} from "../layout.ts";
import { databaseUrl, type Passwords } from "./databases.ts";
import { ferryWay, mediaLanes } from "./ferry-way.ts";
import { ringDir, unlockFile } from "./introduction.ts";
import { RECEIPT_SERVICE, receiptsTo, servicesOf } from "./receipt-lane.ts";
import { unlockDirOf, type ZoneOptions } from "./zone-options.ts";

const LOOPBACK = "127.0.0.1";
/** The least that a receiving ferry keeps for its journals and books (its settings' lower bound). */
const LEAST_RESERVE_BYTES = 1 << 20;

type Json = Record<string, unknown>;

/** Which private key a service holds; the others hold none. */
export const KEY_HOLDERS: Readonly<Partial<Record<ServiceEntryName, CertificateUse>>> = {
  seal: "sign",
  "front-proxy": "encrypt",
  policy: "policy",
  audit: "audit",
  "ferry-tx": "ferry",
};

/** The key of the spool for seal alone: as a user of its own it cannot read front-proxy's file. */
export const SEAL_VAULT = "spool.seal.vault";

function unlockOf(service: ServiceEntryName, unlockDir: string, byCredential: boolean): Json {
  const use = KEY_HOLDERS[service];
  if (use === undefined) return {};
  return byCredential
    ? { unlockCredential: unlockFile(use) }
    : { unlockPath: join(unlockDir, unlockFile(use)) };
}

/** Writes `<zone>/config/*.json`; returns the services that belong to the zone. */
export function writeConfigs(
  home: string,
  zone: ZoneName,
  options: ZoneOptions,
  passwords: Passwords,
): readonly ServiceEntryName[] {
  const paths = zonePaths(home, zone);
  const ports = zonePorts(zone, options.portBase);
  const unlockDir = unlockDirOf(paths, options);
  const ring = (use: CertificateUse) => ringDir(paths, use);
  const tls = (service: string) => ({
    ca: join(paths.tls, "ca.pem"),
    cert: join(paths.tls, `${service}.pem`),
    key: join(paths.tls, `${service}.key.pem`),
  });
  const url = (login: keyof Passwords, database: string) =>
    databaseUrl(ports.postgres, login, passwords[login], database);
  const base = (service: ServiceEntryName, port?: number): Json => ({
    zone,
    node: nodeIdOf(zone),
    service,
    mode: options.mode,
    stateDir: join(paths.state, service),
    tls: tls(service),
    peers: {
      policy: `${LOOPBACK}:${ports.policy}`,
      audit: `${LOOPBACK}:${ports.audit}`,
      frontProxy: `${LOOPBACK}:${ports.frontProxy}`,
    },
    anchorPath: join(paths.registry, "anchor.json"),
    trustRootPath: join(paths.registry, "root.pem"),
    ...unlockOf(service, unlockDir, options.unlockByCredential),
    ...(port === undefined ? {} : { listen: { host: LOOPBACK, port } }),
  });
  const configs: Readonly<Record<ServiceEntryName, Json>> = {
    policy: {
      ...base("policy", ports.policy),
      policyKeysDir: ring("policy"),
      trustDir: paths.trust,
      registry: {
        document: join(paths.registry, "registry.json"),
        signature: join(paths.registry, "registry.sig"),
      },
      pack: {
        document: join(paths.registry, "pack.yaml"),
        signature: join(paths.registry, "pack.sig"),
      },
      databaseUrl: url("policy", "policy"),
      sealedAwayDir: paths.sealedAway,
      vaultPath: join(unlockDir, "sealed-away.vault"),
      keyActionsDir: actionsDirBeside(ring("policy")),
    },
    audit: {
      ...base("audit", ports.audit),
      auditKeysDir: ring("audit"),
      databaseUrl: url("audit_writer", "audit"),
      ownerUrl: url("audit_owner", "audit"),
      witnessZone: otherZone(zone),
    },
    "front-proxy": {
      ...base("front-proxy", ports.frontProxy),
      api: { host: LOOPBACK, port: ports.api, tls: tls("front-proxy") },
      databaseUrl: url("front_proxy", "front_proxy"),
      spoolDir: paths.spool,
      outboxDir: paths.outbox,
      arrivalsDir: paths.arrivals,
      inboxDir: paths.inbox,
      vaultPath: join(unlockDir, "spool.vault"),
      encryptKeysDir: ring("encrypt"),
      watch: { outgoingDir: paths.outgoing, caller: CALLERS[zone], grade: "" },
      targets: targetsOf(zone, paths.drop, ports.receiver),
      limits: { spoolReserveBytes: options.spoolReserveBytes },
    },
    seal: {
      ...base("seal"),
      signKeysDir: ring("sign"),
      spoolDir: paths.spool,
      outboxDir: paths.outbox,
      vaultPath: join(unlockDir, options.unlockByCredential ? SEAL_VAULT : "spool.vault"),
    },
    "ferry-tx": {
      ...base("ferry-tx"),
      outboxDir: paths.outbox,
      ferryKeysDir: ring("ferry"),
      ...ferryWay(zone, "ferry-tx", options),
      metrics: { host: LOOPBACK, port: ports.ferryTxMetrics },
    },
    "ferry-rx": {
      ...base("ferry-rx"),
      arrivalsDir: paths.arrivals,
      ...ferryWay(zone, "ferry-rx", options),
      expectedSender: nodeIdOf(otherZone(zone)),
      space: { reserveBytes: Math.max(LEAST_RESERVE_BYTES, options.spoolReserveBytes) },
      metrics: { host: LOOPBACK, port: ports.ferryRxMetrics },
    },
    receiver: {
      ...base("receiver", ports.receiver),
      databaseUrl: url("receiver", "receiver"),
    },
  };
  const cli: Json = {
    zone,
    node: nodeIdOf(zone),
    tls: tls("operator"),
    peers: (base("policy") as { peers: Json }).peers,
    api: `https://${LOOPBACK}:${ports.api}`,
    apiCa: join(paths.tls, "ca.pem"),
    databaseUrls: { audit: url("audit_reader", "audit") },
    anchorPath: join(paths.registry, "anchor.json"),
    trustRootPath: join(paths.registry, "root.pem"),
    unlockDir,
    stateDir: paths.state,
  };
  const write = (name: string, value: Json) =>
    writeFileSync(join(paths.config, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`, {
      mode: 0o600,
    });
  const services = servicesOf(zone, options.receiptLane);
  for (const service of services) write(service, configs[service]);
  for (const { lane, from } of mediaLanes(options)) {
    const name = from === zone ? "media-tx" : "media-rx";
    // Of their own state and certificate: media are written and read while the ferry runs.
    const own = {
      ...base("ferry-rx"),
      service: name,
      stateDir: join(paths.state, name),
      tls: tls(name),
    };
    const ferryKey = { ferryKeysDir: ring("ferry"), ...unlockOf("ferry-tx", unlockDir, false) };
    const sender = nodeIdOf(otherZone(zone));
    write(
      name,
      from === zone
        ? { ...own, ...ferryKey, outboxDir: paths.outbox }
        : { ...own, lane, arrivalsDir: paths.arrivals, expectedSender: sender },
    );
  }
  write("cli", cli);
  return services;
}

/** Where the receiving zone dispatches to. Only that zone knows it. */
function targetsOf(zone: ZoneName, dropRoot: string, receiverPort: number): Json {
  if (zone === receiptsTo()) return { [RECEIPT_SERVICE]: { type: "receipts" } };
  const drop = (service: string) => ({ type: "drop", dir: join(dropRoot, service) });
  const baseUrl = `http://${LOOPBACK}:${receiverPort}`;
  const http = { type: "http", baseUrl, timeoutMs: 10_000 };
  return {
    "land-registration": { ...http, idempotency: true, onDoubt: "retry" },
    "parcel-notice": { ...http, idempotency: false, onDoubt: "hold" },
    // Twice is better than too late.
    "hazard-warning": { ...http, idempotency: false, onDoubt: "retry" },
    "village-table": drop("village-table"),
    "household-survey": drop("household-survey"),
    documents: drop("documents"),
    "bulk-data": drop("bulk-data"),
  };
}
