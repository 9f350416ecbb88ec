/**
 * Guarantee: verdicts are signed by the newest policy key of this node whose
 * certificate is valid now, not revoked and not denied, and whose private half
 * lies in the ring; so a rotation needs no restart and a revocation no word.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { KeyRing } from "@lightferry/proto/keystore";
import type { Sm2PrivateKey } from "@lightferry/proto/sm";
import type { TrustStore } from "@lightferry/proto/trust";

export interface VerdictSigner {
  readonly key: Sm2PrivateKey;
  readonly keyId: string;
}

/**
 * @param store the trust store in force
 * @returns the key for one batch at one time
 */
export function verdictSigner(
  { node, zone }: { readonly node: string; readonly zone: string },
  ring: Pick<KeyRing, "has" | "privateKey">,
  store: () => TrustStore,
): (atMs: number) => VerdictSigner {
  return (atMs) => {
    const certificate = store().active(node, "policy", atMs, (keyId) => ring.has(keyId), zone);
    const key = certificate === undefined ? undefined : ring.privateKey(certificate.keyId);
    if (certificate === undefined || key === undefined) {
      throw new GatewayError("certificate.unknown", { detail: `${node}/policy` });
    }
    return { key, keyId: certificate.keyId };
  };
}
