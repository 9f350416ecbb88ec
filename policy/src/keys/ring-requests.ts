/** Guarantee: a request is made only for a key that lies in this node's ring and has no certificate yet. */
import { GatewayError } from "@lightferry/proto/errors";
import { type CertificateUse, createRequest, toPem } from "@lightferry/proto/pki";
import type { SmProvider } from "@lightferry/proto/sm";
import { keptCertificates, openRing, ringInfos, type ZoneKeys } from "./zone-keys.ts";

export interface RingWish {
  readonly use: CertificateUse;
  /** As in the certificates so far when undefined. */
  readonly organisation: string | undefined;
  /** Only this key, also when it is certified. */
  readonly keyId?: string | undefined;
  /** Signs, and counts it. */
  readonly provider: SmProvider;
}

export interface RingRequest {
  readonly use: CertificateUse;
  readonly keyId: string;
  readonly pem: string;
}

/** The organisation named in the node's certificates so far. */
export function formerOrganisation(keys: ZoneKeys): string {
  const own = keptCertificates(keys).filter(({ identity }) => identity?.node === keys.node);
  const organisation = own.at(-1)?.organisation;
  if (organisation === undefined) throw new GatewayError("cli.usage", { detail: "--organisation" });
  return organisation;
}

/**
 * Requests for the keys of one ring that are not certified.
 * @throws GatewayError `key.unknown`, `key.ring-missing`, `sm.key-*`, `cli.usage`
 */
export function ringRequests(
  keys: ZoneKeys,
  { use, organisation, keyId: wanted, provider }: RingWish,
): RingRequest[] {
  const certified = new Set(keptCertificates(keys).map(({ keyId }) => keyId));
  const ring = openRing(keys, use);
  try {
    const demo = new Map(ringInfos(keys, use).map((info) => [info.keyId, info.demo]));
    const keyIds = ring.keyIds().filter((keyId) => keyId === (wanted ?? keyId));
    if (wanted !== undefined && keyIds.length === 0) {
      throw new GatewayError("key.unknown", { detail: `${wanted} in ${keys.ringDir(use)}` });
    }
    return keyIds.flatMap((keyId) => {
      const key = ring.privateKey(keyId);
      if (key === undefined || (wanted === undefined && certified.has(keyId))) return [];
      const der = createRequest(provider, key, {
        identity: { zone: keys.zone, node: keys.node, use },
        organisation: organisation ?? formerOrganisation(keys),
        demo: demo.get(keyId) === true,
      });
      return [{ use, keyId, pem: toPem("CERTIFICATE REQUEST", der) }];
    });
  } finally {
    ring.close();
  }
}
