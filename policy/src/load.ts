/** Guarantee: the service decides only by a signed registry and a signed pack, neither of them a step back. */
import { readFileSync } from "node:fs";
import { GatewayError } from "@lightferry/proto/errors";
import { loadRegistry, MAX_REGISTRY_BYTES, readAnchor } from "@lightferry/proto/registry";
import type { SmProvider } from "@lightferry/proto/sm";
import type { PolicyConfig, SignedFile } from "./config.ts";
import { type PolicyDocument, policyDocument } from "./decide/policy-document.ts";
import { raiseHighWater } from "./high-water.ts";
import { PACK_MAX_BYTES } from "./pack/parse.ts";
import { loadPack } from "./pack/sign.ts";
import type { SignedRegistry } from "./server/service.ts";

const SIGNATURE_BYTES = 64;

export interface Loaded {
  readonly policy: PolicyDocument;
  readonly registry: SignedRegistry;
}

/**
 * Reads and checks everything a decision rests on.
 * @throws GatewayError `registry.*`, `policy.pack-*`, `policy.demo-in-production`, `config.invalid`.
 */
export function load(config: PolicyConfig, provider: SmProvider): Loaded {
  const anchor = readAnchor(provider, config.anchorPath, config.mode);
  const registry = readSigned(config.registry, MAX_REGISTRY_BYTES, "registry");
  const loaded = loadRegistry(provider, registry.document, registry.signature, anchor, config);
  const signed = readSigned(config.pack, PACK_MAX_BYTES, "pack");
  const pack = loadPack(provider, signed.document, signed.signature, anchor, config.mode);
  const own = loaded.node(config.node);
  if (own === undefined || own.zone !== config.zone) {
    throw new GatewayError("config.invalid", {
      detail: `node: ${config.node} is not registered in ${config.zone}`,
    });
  }
  const { number } = loaded.document;
  const digest = Buffer.from(provider.sm3(registry.document)).toString("hex").slice(0, 16);
  raiseHighWater(config.stateDir, "registry", { number, version: `${number}-${digest}` });
  raiseHighWater(config.stateDir, "pack", pack);
  return { policy: policyDocument(config, loaded, pack), registry };
}

function readSigned(files: SignedFile, limit: number, name: string): SignedRegistry {
  const read = (path: string, most: number): Uint8Array => {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      throw new GatewayError("config.invalid", {
        detail: `${name}: ${path} cannot be read`,
        cause,
      });
    }
    if (bytes.length > most) {
      throw new GatewayError("config.invalid", { detail: `${name}: ${path} is too large` });
    }
    return bytes;
  };
  return {
    document: read(files.document, limit),
    signature: read(files.signature, SIGNATURE_BYTES),
  };
}
