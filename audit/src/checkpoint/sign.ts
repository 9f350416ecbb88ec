/**
 * Guarantee: a checkpoint note is written in the one form of audit/EVENTS.md and
 * signed over its text alone, by the key that is in force at the time it states.
 */
import type { ActiveKey } from "@lightferry/proto/service";
import { domainSeparated, type SmProvider } from "@lightferry/proto/sm";
import { originOf } from "../verify/note.ts";

export type CheckpointSigner = (size: number, root: Uint8Array, loggedMs: number) => string;

/**
 * A signer for one node's log.
 * @param keyAt the key for a logged time (ms); what it throws, the batch is refused with
 */
export function checkpointSigner(
  provider: SmProvider,
  keyAt: (loggedMs: number) => ActiveKey,
  nodeId: string,
): CheckpointSigner {
  const origin = originOf(nodeId);
  return (size, root, loggedMs) => {
    // The id goes into every note, so that a reader knows which key it was.
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
