/**
 * Guarantee: seal signs only with a key whose certificate is good at this
 * moment, the newest of those it holds, and its bundles bring the certificates
 * of every key that their headers name.
 *
 * A rotation needs nothing here: the new certificate begins, and the next lease
 * is signed with its key.
 */
import { CERTIFICATES_MAX } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import { type ActiveKey, findActiveKey, type SigningRing } from "@lightferry/proto/service";
import type { TrustStore } from "@lightferry/proto/trust";

/** @throws GatewayError `seal.key-unregistered` when no key of the ring has a valid certificate; `sm.key-*`. */
export function signingKey(
  ring: SigningRing,
  trust: TrustStore,
  identity: { readonly node: string; readonly zone: string },
  nowMs: number,
): ActiveKey {
  const find = () => findActiveKey(identity, "sign", ring, trust, nowMs);
  let found = find();
  if (found === undefined) {
    // The key may have been put back after its certificate came.
    ring.refresh();
    found = find();
  }
  if (found !== undefined) return found;
  throw new GatewayError("seal.key-unregistered", { detail: identity.node });
}

/** Chains of these keys in this order, each certificate once; a chain that no longer fits is left out. */
export function presentedChains(trust: TrustStore, keyIds: readonly string[]): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const keyId of new Set(keyIds)) {
    const missing = trust
      .chain(keyId)
      .map((der) => [Buffer.from(der).toString("base64"), der] as const)
      .filter(([name]) => !found.has(name));
    if (found.size + missing.length > CERTIFICATES_MAX) continue;
    for (const [name, der] of missing) found.set(name, der);
  }
  return [...found.values()];
}

/** A note ends in `— <origin> <base64 of 16 bytes key id and a signature>` (audit/EVENTS.md). */
const NOTE_SIGNATURE = /\n\n— \S{1,128} ([A-Za-z0-9+/]{1,256}={0,2})\n$/u;
const KEY_ID_BYTES = 16;

/** Id of the audit key that signed a checkpoint; undefined when the note has another form. */
export function checkpointKeyId(note: Uint8Array): string | undefined {
  const blob = NOTE_SIGNATURE.exec(Buffer.from(note).toString("utf8"))?.[1];
  if (blob === undefined) return undefined;
  const bytes = Buffer.from(blob, "base64");
  return bytes.length <= KEY_ID_BYTES ? undefined : bytes.subarray(0, KEY_ID_BYTES).toString("hex");
}
