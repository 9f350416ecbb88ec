/** Guarantee: tells a certificate, a request and a list apart by their first fields, without trusting any. */
import { GatewayError } from "../errors/index.ts";
import { type Element, readDer } from "./asn1-read.ts";
import { REVOCATION_LIST_MAX_BYTES } from "./limits.ts";

export type PkiKind = "certificate" | "revocation-list" | "request";

/** Undefined when the bytes are none of the three. */
export function pkiKind(der: Uint8Array): PkiKind | undefined {
  try {
    const body = readDer(der, REVOCATION_LIST_MAX_BYTES, "item").sequence("item").next();
    const first = body.sequence("item").next();
    if (first.isContext(0)) return "certificate";
    return kindOfVersion(first);
  } catch (error) {
    if (error instanceof GatewayError && error.code === "certificate.malformed") return undefined;
    throw error;
  }
}

/** A request begins with version 0, a version-2 list with 1. */
function kindOfVersion(first: Element): PkiKind | undefined {
  const version = first.wholeNumber("version");
  if (version === 0) return "request";
  return version === 1 ? "revocation-list" : undefined;
}
