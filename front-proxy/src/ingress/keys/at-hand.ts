/**
 * Guarantee: a bundle for one of our keys that is merely not here now waits for
 * it; only one for a key that is not ours, or was destroyed after its time, is
 * against the bundle.
 */
import type { BundleHeader } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import { query } from "../../database.ts";
import type { KeyDesk } from "./retire.ts";

/** @throws GatewayError `inbox.key-missing`, `sm.key-*`: the work waits. */
export async function awaitOwnKey(
  { context, ring }: KeyDesk,
  recipients: BundleHeader["recipients"],
): Promise<void> {
  const { zone, node } = context.config;
  const keyIds = recipients.filter(({ nodeId }) => nodeId === node).map(({ keyId }) => keyId);
  const atHand = () => keyIds.some((keyId) => ring.has(keyId));
  if (atHand()) return;
  // Put into the folder since the last change of trust.
  ring.refresh();
  if (atHand()) return;
  const ours = keyIds.filter((keyId) => {
    const identity = context.trust.current().certificate(keyId)?.identity;
    return identity?.zone === zone && identity.node === node && identity.use === "encrypt";
  });
  const { rows } = await query<{ key_id: string }>(
    context.pool,
    "ingress.keys-ended",
    "SELECT key_id FROM ended_key WHERE key_id = ANY($1::text[])",
    [ours],
  );
  const ended = new Set(rows.map((row) => row.key_id));
  const missing = ours.find((keyId) => !ended.has(keyId));
  if (missing !== undefined) throw new GatewayError("inbox.key-missing", { detail: missing });
}
