/** Guarantee: the zone of a test with another registry, really signed, and nothing else of it changed. */
import { Registry, type RegistryDocument } from "@lightferry/proto/registry";
import { domainSeparated } from "@lightferry/proto/sm";
import type { FrontProxyContext } from "../../src/context.ts";
import { provider } from "./ingress-keys.ts";

/** @param change is added to what the zone has registered, or takes the place of a list */
export function registered(
  context: FrontProxyContext,
  change: (document: RegistryDocument) => Readonly<Record<string, readonly object[]>>,
): FrontProxyContext {
  const { document } = context.registry();
  const bytes = Buffer.from(JSON.stringify({ ...document, ...change(document) }));
  const authority = provider.generateSm2();
  const signature = provider.sm2Sign(authority, domainSeparated("registry/1", bytes));
  const registry = Registry.load(provider, bytes, signature, authority.publicKey, { mode: "demo" });
  return { ...context, registry: () => registry };
}
