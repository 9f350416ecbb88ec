/** Guarantee: keys and a really signed registry for a sending zone and its far side. */
import { join } from "node:path";
import {
  createUnlockFile,
  createVaultFile,
  generateKeyFile,
  loadKeyFile,
} from "@lightferry/proto/keystore";
import { Registry, type RegistryDocument } from "@lightferry/proto/registry";
import {
  domainSeparated,
  formatKeyId,
  loadProvider,
  type Sm2PrivateKey,
} from "@lightferry/proto/sm";

export const provider = loadProvider();

export interface SenderKeys {
  readonly unlockPath: string;
  readonly vaultPath: string;
  readonly signKeyPath: string;
  readonly encryptKeyPath: string;
  readonly encrypt: ReturnType<typeof generateKeyFile>;
  readonly sign: ReturnType<typeof loadKeyFile>;
  readonly policy: Sm2PrivateKey;
  /** The far side's. */
  readonly decrypt: Sm2PrivateKey;
}

export function senderKeys(dir: string): SenderKeys {
  const unlockPath = join(dir, "unlock");
  const vaultPath = join(dir, "vault");
  const signKeyPath = join(dir, "sign.key");
  const unlock = createUnlockFile(unlockPath);
  createVaultFile(vaultPath);
  const encryptKeyPath = join(dir, "encrypt.key");
  generateKeyFile(signKeyPath, unlock, "node-sign", { demo: true });
  const encrypt = generateKeyFile(encryptKeyPath, unlock, "node-encrypt", { demo: true });
  return {
    unlockPath,
    vaultPath,
    signKeyPath,
    encryptKeyPath,
    encrypt,
    sign: loadKeyFile(signKeyPath, unlockPath, "node-sign"),
    policy: provider.generateSm2(),
    decrypt: provider.generateSm2(),
  };
}

export interface SignedRegistry {
  readonly registry: Registry;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly authority: Uint8Array;
}

const FOREVER_MS = 4e12;

export function senderRegistry(
  keys: SenderKeys,
  certificates: Readonly<Record<string, string>>,
): SignedRegistry {
  const entry = (publicKey: Uint8Array) => ({
    keyId: formatKeyId(publicKey as Sm2PrivateKey["publicKey"]),
    publicKey: Buffer.from(publicKey).toString("hex"),
  });
  const spare = entry(provider.generateSm2().publicKey);
  const node = (zone: string, own: object) => ({
    id: `node-${zone}`,
    zone,
    organisation: "org",
    keys: { sign: spare, encrypt: spare, policy: spare, audit: spare, ferry: spare, ...own },
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
    nodes: [
      node("extranet", {
        sign: entry(keys.sign.key.publicKey),
        encrypt: entry(keys.encrypt.publicKey),
        policy: entry(keys.policy.publicKey),
      }),
      node("business", { encrypt: entry(keys.decrypt.publicKey) }),
    ],
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
