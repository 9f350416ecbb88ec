/** Guarantee: keys and a really signed registry for a sending zone and its far side. */
import { join } from "node:path";
import { createVaultFile } from "@lightferry/proto/keystore";
import { Registry, type RegistryDocument } from "@lightferry/proto/registry";
import { domainSeparated, loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { TestTrust } from "./test-trust.ts";

export const provider = loadProvider();

export interface SenderKeys {
  readonly trust: TestTrust;
  /** Opens the ring of signing keys; that of the decryption keys has its own. */
  readonly signUnlockPath: string;
  readonly signKeysDir: string;
  readonly encryptUnlockPath: string;
  readonly encryptKeysDir: string;
  readonly rootPath: string;
  readonly vaultPath: string;
  /** In force now. */
  policy(): Sm2PrivateKey;
  /** The far side's. */
  decrypt(): Sm2PrivateKey;
}

export async function senderKeys(dir: string): Promise<SenderKeys> {
  const vaultPath = join(dir, "vault");
  createVaultFile(vaultPath);
  const trust = await TestTrust.make();
  const { pki } = trust;
  return {
    trust,
    vaultPath,
    rootPath: pki.rootPath,
    signKeysDir: pki.ringDir("node-extranet", "sign"),
    signUnlockPath: pki.unlockPath("node-extranet", "sign"),
    encryptKeysDir: pki.ringDir("node-extranet", "encrypt"),
    encryptUnlockPath: pki.unlockPath("node-extranet", "encrypt"),
    policy: () => pki.key("node-extranet", "policy"),
    decrypt: () => pki.key("node-business", "encrypt"),
  };
}

export interface SignedRegistry {
  readonly registry: Registry;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly authority: Uint8Array;
}

const FOREVER_MS = 4e12;

export function senderRegistry(certificates: Readonly<Record<string, string>>): SignedRegistry {
  const node = (zone: string) => ({
    id: `node-${zone}`,
    zone,
    organisation: "org",
    licence: {
      number: "L1",
      notBeforeMs: 0,
      notAfterMs: FOREVER_MS,
      lanes: ["inbound"],
      gradeCeiling: "G3",
    },
  });
  const lane = (id: string, from: string, to: string, state: string) => ({
    id,
    from,
    to,
    driver: "udp",
    state,
    kinds: ["request", "file"],
    gradeCeiling: "G3",
    expirySeconds: 604_800,
    revocationFreshnessSeconds: 2_592_000,
    maxRequestBytes: 1_000_000,
    maxFileBytes: 60_000_000,
  });
  const service = (id: string, kind: string, maxBytes: number) => ({
    id,
    zone: "business",
    kind,
    methods: kind === "request" ? ["POST"] : [],
    paths: kind === "request" ? ["/records/{id}"] : [],
    maxBytes,
  });
  const caller = (id: string, zone = "extranet") => ({
    id,
    zone,
    organisation: "org",
    certificateSha256: certificates[id] === undefined ? [] : [certificates[id]],
  });
  const document = {
    format: "lightferry-registry/1",
    number: 1,
    issuedMs: 1,
    demo: true,
    nodes: [node("extranet"), node("business")],
    lanes: [
      lane("inbound", "extranet", "business", "open"),
      lane("outbound", "business", "extranet", "closed"),
    ],
    services: [
      service("registration", "request", 200_000),
      service("maps", "file", 50_000_000),
      service("notes", "file", 1_000),
    ],
    callers: [caller("city"), caller("county"), caller("inside", "business")],
    grants: [],
  } as unknown as RegistryDocument;
  const bytes = Buffer.from(canonicalJson(document));
  const authority = provider.generateSm2();
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", bytes));
  const registry = Registry.load(provider, bytes, signature, authority.publicKey, { mode: "demo" });
  return { registry, bytes, signature, authority: authority.publicKey };
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
}
