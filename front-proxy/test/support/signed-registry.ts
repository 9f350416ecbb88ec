/** Guarantee: a registry of two zones with one node each, in its canonical bytes and really signed. */
import { Registry, type RegistryDocument } from "@lightferry/proto/registry";
import { domainSeparated, loadProvider } from "@lightferry/proto/sm";

export interface SignedRegistry {
  readonly registry: Registry;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly authority: Uint8Array;
}

const FOREVER_MS = 4e12;

/** A lane of one driver, in this direction. */
export function laneEntry(id: string, from: string, to: string, state: string, maxima: object) {
  return {
    id,
    from,
    to,
    driver: "udp",
    state,
    kinds: ["request", "file"],
    gradeCeiling: "G3",
    expirySeconds: 604_800,
    revocationFreshnessSeconds: 2_592_000,
    ...maxima,
  };
}

/** A service of the business zone. */
export function serviceEntry(id: string, kind: string, maxBytes: number) {
  return {
    id,
    zone: "business",
    kind,
    methods: kind === "request" ? ["POST"] : [],
    paths: kind === "request" ? ["/records/{id}"] : [],
    maxBytes,
  };
}

export function callerEntry(id: string, zone: string, certificateSha256: readonly string[] = []) {
  return { id, zone, organisation: "org", certificateSha256 };
}

/** Signed by an authority made for it. */
export function signRegistry(
  content: Record<"lanes" | "services" | "callers", readonly object[]>,
): SignedRegistry {
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
  const document = {
    format: "lightferry-registry/1",
    number: 1,
    issuedMs: 1,
    demo: true,
    nodes: [node("extranet"), node("business")],
    ...content,
    grants: [],
  } as unknown as RegistryDocument;
  const provider = loadProvider();
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
