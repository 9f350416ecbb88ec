/**
 * Guarantee: a list of receipts that leaves is one that this zone's own node signed for the node whose exchanges it is
 * about, and nothing rides in it beside: certificates of the trust store, codes of the table of errors. Whoever submits
 * it chooses none of its bytes but ids, states, codes and times (proto/SPEC.md §17.6).
 */
import { GatewayError, isErrorCode } from "@lightferry/proto/errors";
import { decodeSignedReceipts, verifyReceipts } from "@lightferry/proto/receipt";
import type { SmProvider } from "@lightferry/proto/sm";
import type { TrustStore } from "@lightferry/proto/trust";
import type { PolicyDocument } from "../decide/policy-document.ts";

export interface OwnReceiptsParts {
  readonly policy: Pick<PolicyDocument, "node" | "zone" | "registry">;
  readonly provider: SmProvider;
  readonly trust: () => Pick<TrustStore, "certificates" | "keyDirectory">;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * Judges one list of an item that is to leave.
 * @throws GatewayError `receipt.*`, `certificate.*`
 */
export function ownReceipts(parts: OwnReceiptsParts): (signed: Uint8Array) => void {
  const { policy, provider, trust, now } = parts;
  const { node, zone, registry } = policy;
  return (signed) => {
    const store = trust();
    const { certificates, fields } = decodeSignedReceipts(signed);
    const isKnown = (der: Uint8Array): boolean =>
      store.certificates.some((known) => Buffer.compare(known.der, der) === 0);
    if (!certificates.every(isKnown)) {
      throw new GatewayError("receipt.malformed", { detail: "certificates" });
    }
    const codes = [...fields.receipts, ...fields.bundles].map(({ code }) => code);
    if (!codes.every((code) => code === "" || isErrorCode(code))) {
      throw new GatewayError("receipt.malformed", { detail: "code" });
    }
    const lane = registry.lane(fields.lane);
    const keys = store.keyDirectory((id) => registry.node(id)?.zone);
    verifyReceipts(provider, signed, {
      now: now(),
      self: registry.nodeOfZone(lane?.from ?? "")?.id ?? "",
      farEnd: () => (lane?.to === zone ? node : undefined),
      signKey: (signer, keyId, usage) => keys.signKey(signer, keyId, usage),
    });
  };
}
