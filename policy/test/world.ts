/** Guarantee: a small signed world for tests: two nodes, lanes, services, callers, grants, the demonstration pack, and a desk that decides in it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventInput } from "@lightferry/proto/event";
import { lightferry } from "@lightferry/proto/gen";
import { newId } from "@lightferry/proto/ids";
import { createVaultFile, PayloadVault } from "@lightferry/proto/keystore";
import {
  type GrantEntry,
  type LaneEntry,
  loadRegistry,
  REGISTRY_FORMAT,
  type RegistryDocument,
  type ServiceEntry,
} from "@lightferry/proto/registry";
import { domainSeparated, formatKeyId, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { type CheckedVerdict, verifyVerdict } from "@lightferry/proto/verdict";
import { type PolicyDocument, policyDocument } from "../src/decide/policy-document.ts";
import { parsePack } from "../src/pack/parse.ts";
import type { QuotaAnswer } from "../src/quota/quota-book.ts";
import { SealedAwayStore } from "../src/sealed-away/store.ts";
import type { Desk } from "../src/server/desk.ts";
import type { WireItem } from "../src/server/intake.ts";
import { provider } from "./plan.ts";

const { Direction } = lightferry.policy.v1;

export const NOW = Date.UTC(2026, 10, 22, 4);
const DAY = 86_400_000;
export const DEMO_PACK = readFileSync(new URL("../packs/demo.yaml", import.meta.url));

const keys = new Map<string, Sm2PrivateKey>();
export function keyOf(name: string): Sm2PrivateKey {
  const known = keys.get(name) ?? provider.generateSm2();
  keys.set(name, known);
  return known;
}

export const authority = keyOf("authority");

function node(id: string, zone: string): RegistryDocument["nodes"][number] {
  return {
    id,
    zone,
    organisation: "测试单位",
    licence: {
      number: `L-${zone}`,
      notBeforeMs: NOW - DAY,
      notAfterMs: NOW + DAY,
      lanes: ["inbound", "outbound", "narrow"],
      gradeCeiling: "G4",
    },
  };
}

const lane = (id: string, more: Partial<LaneEntry> = {}): LaneEntry => ({
  id,
  from: "extranet",
  to: "business",
  driver: "udp",
  state: "open",
  kinds: ["request", "file"],
  gradeCeiling: "G4",
  expirySeconds: 7 * 86_400,
  revocationFreshnessSeconds: 30 * 86_400,
  maxRequestBytes: 1024 * 1024,
  maxFileBytes: 1024 * 1024 * 1024,
  ...more,
});

const service = (
  id: string,
  kind: "request" | "file",
  more: Partial<ServiceEntry> = {},
): ServiceEntry => ({
  id,
  zone: "business",
  kind,
  methods: kind === "request" ? ["POST", "PUT"] : [],
  paths: kind === "request" ? ["/records", "/records/{id}"] : [],
  maxBytes: 512 * 1024 * 1024,
  ...more,
});

const grant = (serviceId: string, more: Partial<GrantEntry> = {}): GrantEntry => ({
  id: `office-${serviceId}`,
  caller: "office",
  service: serviceId,
  lane: "inbound",
  gradeCeiling: "G3",
  purpose: "登记",
  notBeforeMs: NOW - DAY,
  notAfterMs: NOW + DAY,
  perDay: 1000,
  bytesPerDay: 1024 * 1024 * 1024,
  ...more,
});

export function testRegistry(): RegistryDocument {
  return {
    format: REGISTRY_FORMAT,
    number: 1,
    issuedMs: NOW - DAY,
    demo: true,
    nodes: [node("node-extranet", "extranet"), node("node-business", "business")],
    lanes: [
      lane("inbound"),
      lane("outbound", { from: "business", to: "extranet", state: "closed", driver: "media" }),
      lane("narrow", { kinds: ["file"], gradeCeiling: "G1" }),
      lane("unlicensed"),
    ],
    services: [
      service("land-registration", "request"),
      service("household-survey", "file"),
      service("documents", "file"),
      service("bulk-data", "file"),
      service("village-table", "file", { maxBytes: 1000 }),
      service("unruled", "file"),
      service("public-query", "request", { zone: "extranet" }),
    ],
    callers: [
      { id: "office", zone: "extranet", organisation: "测试", certificateSha256: [] },
      { id: "stranger", zone: "extranet", organisation: "测试", certificateSha256: [] },
      { id: "inner", zone: "business", organisation: "测试", certificateSha256: [] },
    ],
    grants: [
      grant("land-registration"),
      grant("household-survey"),
      grant("documents"),
      grant("bulk-data"),
      grant("village-table"),
      grant("unruled"),
      grant("documents", { id: "office-narrow", lane: "narrow" }),
    ],
  };
}

export function testPolicy(
  zone: "extranet" | "business" = "extranet",
  change: (document: RegistryDocument) => RegistryDocument = (document) => document,
  packText: Uint8Array = DEMO_PACK,
): PolicyDocument {
  const bytes = Buffer.from(JSON.stringify(change(testRegistry())));
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", bytes));
  const registry = loadRegistry(provider, bytes, signature, authority.publicKey, { mode: "demo" });
  return policyDocument({ node: `node-${zone}`, zone }, registry, parsePack(provider, packText));
}

export interface TestDesk extends Desk {
  readonly events: EventInput[];
  readonly folder: string;
  readonly vault: PayloadVault;
  close(): void;
}

export async function testDesk(
  policy: PolicyDocument = testPolicy(),
  more: Partial<Desk> = {},
): Promise<TestDesk> {
  const folder = mkdtempSync(join(tmpdir(), "lightferry-policy-"));
  createVaultFile(join(folder, "vault"));
  const vault = PayloadVault.open(join(folder, "vault"));
  const sealedAway = await SealedAwayStore.open(provider, vault, join(folder, "sealed-away"));
  const events: EventInput[] = [];
  const key = keyOf(`${policy.node}/policy`);
  return {
    policy,
    provider,
    signer: () => ({ key, keyId: formatKeyId(key.publicKey) }),
    ownReceipts: () => undefined,
    quota: { charge: async (charges): Promise<QuotaAnswer[]> => charges.map(() => "within") },
    sealedAway,
    journal: { record: async (inputs) => void events.push(...inputs) },
    now: () => NOW,
    ...more,
    events,
    folder,
    vault,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

type Submission = lightferry.policy.v1.Submission.$Properties;

export function requestItem(body: string | Uint8Array, more: Partial<Submission> = {}): WireItem {
  const content = Buffer.from(body);
  return {
    direction: Direction.DIRECTION_EXPORT,
    submission: {
      exchangeId: newId(),
      kind: "request",
      lane: "inbound",
      service: "land-registration",
      caller: "office",
      declaredGrade: "G2",
      purpose: "",
      http: {
        method: "POST",
        path: "/records",
        headers: [{ name: "content-type", value: "application/json" }],
      },
      submittedMs: NOW - 1000,
      clientAddress: "127.0.0.1",
      size: content.length,
      ...more,
    },
    content,
  };
}

export function fileItem(
  serviceId: string,
  name: string,
  size: number,
  more: Partial<Submission> = {},
): WireItem {
  return {
    direction: Direction.DIRECTION_EXPORT,
    submission: {
      exchangeId: newId(),
      kind: "file",
      lane: "inbound",
      service: serviceId,
      caller: "office",
      declaredGrade: "G2",
      file: { name, contentType: "" },
      submittedMs: NOW - 1000,
      size,
      ...more,
    },
  };
}

export type Outcome = lightferry.policy.v1.Outcome.$Properties;
export type Response = lightferry.policy.v1.DecideResponse.$Properties;

/** The verdict of an outcome, its signature and path checked. */
export function verdictOf(policy: PolicyDocument, response: Response, index = 0): CheckedVerdict {
  const outcome = response.outcomes?.[index];
  return verifyVerdict(
    provider,
    {
      verdictBytes: outcome?.verdict ?? new Uint8Array(),
      leaf: outcome?.leaf ?? 0,
      path: outcome?.path ?? [],
      batch: new lightferry.bundle.v1.VerdictBatch(response.batch ?? {}),
    },
    keyOf(`${policy.node}/policy`).publicKey,
  );
}

/** The item as it would arrive at the other side. */
export function arriving(
  outcome: Outcome | undefined,
  content?: Uint8Array,
  more: Partial<WireItem> = {},
): WireItem {
  return {
    direction: Direction.DIRECTION_IMPORT,
    sender: "node-extranet",
    lane: "inbound",
    salt: outcome?.salt ?? new Uint8Array(),
    entry: outcome?.entry ?? new Uint8Array(),
    exportVerdict: outcome?.verdict ?? new Uint8Array(),
    ...(content === undefined ? {} : { content }),
    ...more,
  };
}
