/** Guarantee: a pack is signed and checked as its exact bytes, under the label "policy-pack/1", by the authority. */
import { GatewayError } from "@lightferry/proto/errors";
import {
  domainSeparated,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type SmProvider,
} from "@lightferry/proto/sm";
import type { Pack } from "./document.ts";
import { parsePack } from "./parse.ts";

const LABEL = "policy-pack/1";

/**
 * Signs a pack that parses; a faulty one gets no signature.
 * @returns r || s, 64 bytes.
 * @throws GatewayError `policy.pack-invalid`.
 */
export function signPack(
  provider: SmProvider,
  key: Sm2PrivateKey,
  document: Uint8Array,
): Uint8Array {
  parsePack(provider, document);
  return provider.sm2Sign(key, domainSeparated(LABEL, document));
}

/**
 * @throws GatewayError `policy.pack-signature-invalid` before anything of it is read,
 *   `policy.pack-invalid`, `policy.demo-in-production`.
 */
export function loadPack(
  provider: SmProvider,
  document: Uint8Array,
  signature: Uint8Array,
  anchor: Sm2PublicKey,
  mode: "demo" | "production",
): Pack {
  if (!provider.sm2Verify(anchor, domainSeparated(LABEL, document), signature)) {
    throw new GatewayError("policy.pack-signature-invalid");
  }
  const pack = parsePack(provider, document);
  if (pack.demo && mode === "production") {
    throw new GatewayError("policy.demo-in-production", { detail: `pack ${pack.version}` });
  }
  return pack;
}
