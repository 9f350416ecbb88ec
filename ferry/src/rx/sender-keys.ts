/**
 * Guarantee: the sender's ferry keys count by the certificates that this zone
 * knows and by those that came with a heartbeat and lead to the pinned root; so
 * a key that was never heard of is taken by its chain, and a revoked, denied or
 * long expired one never.
 */
import { SENDER_CLOCK_ROOM_MS } from "@lightferry/proto/bundle";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { LinkVerifier } from "../signed.ts";
import type { Rejections } from "./rejections.ts";

/** Chains remembered between the heartbeats that bring them: the key in use, the next one, and room. */
const MAX_CHAINS = 8;

export interface SenderKeyParts {
  readonly provider: LinkVerifier["provider"];
  readonly sender: string;
  readonly keys: () => KeyDirectory;
  readonly rejections: Rejections;
  /** The sender's time as its heartbeats tell it. */
  readonly senderNow: () => number;
  /** This machine's clock, Unix milliseconds. */
  readonly now: () => number;
}

export function senderKeys(parts: SenderKeyParts): LinkVerifier {
  const { provider, sender, keys, rejections, senderNow } = parts;
  const chains = new Map<string, readonly Uint8Array[]>();
  return {
    provider,
    sender,
    ferryKey: (keyId, came, usedMs = senderNow()) => {
      const presented = came.length > 0 ? came : (chains.get(keyId) ?? []);
      const now = parts.now();
      // A message of the link is used as it is made: with more room, who holds a key of former years would
      // date his heartbeats back into its validity.
      const usedAt = Math.min(
        Math.max(usedMs, now - SENDER_CLOCK_ROOM_MS),
        now + SENDER_CLOCK_ROOM_MS,
      );
      const key = keys().ferryKey(sender, keyId, { presented, usedMs: usedAt });
      // Only what led to the root is kept; the certificates of later messages are these.
      if (key !== undefined && came.length > 0) {
        chains.delete(keyId);
        chains.set(keyId, came);
        const [oldest] = chains.keys();
        if (chains.size > MAX_CHAINS && oldest !== undefined) chains.delete(oldest);
      }
      return key;
    },
    refused: (keyId, code) => rejections.countKey(keyId, code),
  };
}
