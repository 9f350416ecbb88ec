/**
 * Guarantee: the one place that knows where a zone keeps what, and on which
 * port each of its services listens (the table in deploy/README.md).
 */
import { join, resolve } from "node:path";

export type ZoneName = "business" | "extranet";
export const ZONES: readonly ZoneName[] = ["extranet", "business"];

/** Everything of the all-in-one start stands on 7100–7141 unless moved by `--port-base`. */
export const DEFAULT_PORT_BASE = 7100;
/** Ports from the first on, for the range check. */
export const PORT_SPAN = 42;

const ZONE_OFFSET: Readonly<Record<ZoneName, number>> = { extranet: 0, business: 20 };
const GATE_OFFSET = 40;
/** The gate of a lane of receipts, which leads the other way (setup/receipt-lane.ts). */
const RECEIPT_GATE_OFFSET = 41;

export interface ZonePorts {
  readonly api: number;
  readonly frontProxy: number;
  readonly policy: number;
  readonly audit: number;
  readonly postgres: number;
  readonly receiver: number;
  readonly ferryTxMetrics: number;
  readonly ferryRxMetrics: number;
  readonly gate: number;
  readonly receiptGate: number;
}

/** Those that take TCP: the gates are UDP. */
export function tcpPorts(zone: ZoneName, base: number): number[] {
  const { gate: _, receiptGate: __, ...tcp } = zonePorts(zone, base);
  return Object.values(tcp);
}

export function zonePorts(zone: ZoneName, base: number): ZonePorts {
  const first = base + ZONE_OFFSET[zone];
  return {
    api: first + 1,
    frontProxy: first + 2,
    policy: first + 3,
    audit: first + 4,
    postgres: first + 5,
    receiver: first + 6,
    ferryTxMetrics: first + 8,
    ferryRxMetrics: first + 9,
    gate: base + GATE_OFFSET,
    receiptGate: base + RECEIPT_GATE_OFFSET,
  };
}

export interface ZonePaths {
  readonly root: string;
  readonly config: string;
  readonly keys: string;
  readonly tls: string;
  readonly registry: string;
  /** Certificates and revocation lists, kept by policy. */
  readonly trust: string;
  readonly state: string;
  readonly logs: string;
  readonly spool: string;
  readonly outbox: string;
  readonly arrivals: string;
  readonly inbox: string;
  readonly outgoing: string;
  readonly drop: string;
  readonly sealedAway: string;
  readonly postgres: string;
}

export function zonePaths(home: string, zone: ZoneName): ZonePaths {
  const root = resolve(home, zone);
  const at = (name: string) => join(root, name);
  return {
    root,
    config: at("config"),
    keys: at("keys"),
    tls: at("tls"),
    registry: at("registry"),
    trust: at("trust"),
    state: at("state"),
    logs: at("logs"),
    spool: at("spool"),
    outbox: at("outbox"),
    arrivals: at("arrivals"),
    inbox: at("inbox"),
    outgoing: at("outgoing"),
    drop: at("drop"),
    sealedAway: at("sealed-away"),
    postgres: at("pg"),
  };
}

/** The demonstration's business system of each zone. */
export const CALLERS = { extranet: "registration-office", business: "one-map" } as const;

export const ORGANISATIONS: Readonly<Record<ZoneName, string>> = {
  extranet: "演示单位（电子政务外网）",
  business: "演示单位（自然资源业务网）",
};

export const nodeIdOf = (zone: ZoneName): string => `node-${zone}`;
export const otherZone = (zone: ZoneName): ZoneName =>
  zone === "business" ? "extranet" : "business";

/** Services of a zone as the supervisor starts them; entry points from the repository root. */
export const SERVICE_ENTRIES = {
  policy: "policy/src/main.ts",
  audit: "audit/src/main.ts",
  "front-proxy": "front-proxy/src/main.ts",
  seal: "front-proxy/src/seal-main.ts",
  "ferry-tx": "ferry/src/tx-main.ts",
  "ferry-rx": "ferry/src/rx-main.ts",
  receiver: "deploy/src/targets/receiver.ts",
} as const;

export type ServiceEntryName = keyof typeof SERVICE_ENTRIES;

/**
 * What runs where. Only the inbound lane (extranet → business) is online; the receiving zone has a seal to
 * sign its receipts. A lane of receipts adds the other ferry program (setup/receipt-lane.ts).
 */
export const ZONE_SERVICES: Readonly<Record<ZoneName, readonly ServiceEntryName[]>> = {
  extranet: ["policy", "audit", "front-proxy", "seal", "ferry-tx"],
  business: ["policy", "audit", "front-proxy", "seal", "ferry-rx", "receiver"],
};
