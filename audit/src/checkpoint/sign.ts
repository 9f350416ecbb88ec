/** Guarantee: a checkpoint note is written in the one form of audit/EVENTS.md and signed over its text alone. */
import {
  domainSeparated,
  formatKeyId,
  type Sm2PrivateKey,
  type SmProvider,
} from "@lightferry/proto/sm";
import { originOf } from "../verify/note.ts";

export type CheckpointSigner = (size: number, root: Uint8Array, loggedMs: number) => string;

/** A signer for one node's log; the key id goes into every note so that keys can rotate. */
export function checkpointSigner(
  provider: SmProvider,
  key: Sm2PrivateKey,
  nodeId: string,
): CheckpointSigner {
  const origin = originOf(nodeId);
  const keyId = Buffer.from(formatKeyId(key.publicKey), "hex");
  return (size, root, loggedMs) => {
    const text = `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\nlogged ${loggedMs}\n`;
    const signature = provider.sm2Sign(
      key,
      domainSeparated("checkpoint/1", Buffer.from(text, "utf8")),
    );
    return `${text}\n— ${origin} ${Buffer.concat([keyId, signature]).toString("base64")}\n`;
  };
}
