/**
 * Guarantee: a checkpoint note is written in the one form of audit/EVENTS.md and
 * signed over its text alone, by the key that is in force at the time it states.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { KeyRing } from "@lightferry/proto/keystore";
import { domainSeparated, type Sm2PrivateKey, type SmProvider } from "@lightferry/proto/sm";
import type { TrustStore } from "@lightferry/proto/trust";
import { originOf } from "../verify/note.ts";

export type CheckpointSigner = (size: number, root: Uint8Array, loggedMs: number) => string;

export interface NoteKey {
  readonly key: Sm2PrivateKey;
  /** 32 hex digits; goes into every note, so that a reader knows which key it was. */
  readonly keyId: string;
}

/**
 * A signer for one node's log.
 * @param keyAt the key for a logged time (ms); what it throws, the batch is refused with
 */
export function checkpointSigner(
  provider: SmProvider,
  keyAt: (loggedMs: number) => NoteKey,
  nodeId: string,
): CheckpointSigner {
  const origin = originOf(nodeId);
  return (size, root, loggedMs) => {
    const { key, keyId } = keyAt(loggedMs);
    const text = `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\nlogged ${loggedMs}\n`;
    const signature = provider.sm2Sign(
      key,
      domainSeparated("checkpoint/1", Buffer.from(text, "utf8")),
    );
    const blob = Buffer.concat([Buffer.from(keyId, "hex"), signature]).toString("base64");
    return `${text}\n— ${origin} ${blob}\n`;
  };
}

/**
 * The newest audit key of this node whose certificate is in force at the time and whose private half
 * lies in the ring: a rotation needs no restart.
 */
export function activeAuditKey(
  identity: { readonly node: string; readonly zone: string },
  ring: Pick<KeyRing, "has" | "privateKey">,
  trust: () => TrustStore,
): (loggedMs: number) => NoteKey {
  const { node, zone } = identity;
  return (loggedMs) => {
    const has = (keyId: string): boolean => ring.has(keyId);
    const keyId = trust().active(node, "audit", loggedMs, has, zone)?.keyId;
    const key = keyId === undefined ? undefined : ring.privateKey(keyId);
    if (keyId === undefined || key === undefined) {
      throw new GatewayError("certificate.unknown", { detail: `${node}/audit` });
    }
    return { key, keyId };
  };
}
