/** Guarantee: what enters, is refused by or leaves the trust store is told by ids, numbers and digests alone (audit/EVENTS.md). */
import type { GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { parseRevocationList } from "@lightferry/proto/pki";
import type { SmProvider } from "@lightferry/proto/sm";
import type { Denial, Judgement, TrustStore } from "@lightferry/proto/trust";

/** Who brought items, and how. */
export interface Origin {
  readonly actor: string;
  readonly source: string;
  /** 16 bytes when they came with a bundle. */
  readonly bundleId: Uint8Array | undefined;
}

export function loadedEvent(store: TrustStore, denials: number): EventInput {
  // An older list beside its successor is what a crash between writing and tidying leaves.
  const rejected = store.rejected.filter(({ code: reason }) => reason !== "trust.stale");
  const code = rejected[0]?.code;
  return {
    type: "trust.loaded",
    outcome: rejected.length === 0 ? "ok" : "error",
    ...(code === undefined ? {} : { code }),
    attributes: {
      version: String(store.version),
      certificates: String(store.certificates.length),
      lists: String(store.revocationLists.length),
      denials: String(denials),
      rejected: String(rejected.length),
    },
  };
}

export function judgedEvent(
  provider: SmProvider,
  judged: Judgement,
  der: Uint8Array,
  origin: Origin,
): EventInput {
  const { kind, status, code, subject, number } = judged;
  const list =
    kind === "revocation-list" && status === "new"
      ? { count: String(parseRevocationList(der).entries.length) }
      : {};
  return {
    type: status === "new" ? "trust.imported" : "trust.refused",
    outcome: status === "new" ? "ok" : "refused",
    ...(code === undefined ? {} : { code }),
    actor: origin.actor,
    bundleId: origin.bundleId,
    digest: provider.sm3(der),
    size: der.length,
    attributes: { kind, source: origin.source, subject, number, ...list },
  };
}

/** What was judged good could not be written down after all. */
export function notKeptEvent(fault: GatewayError, origin: Origin): EventInput {
  return {
    type: "trust.refused",
    outcome: "error",
    code: fault.code,
    actor: origin.actor,
    bundleId: origin.bundleId,
    attributes: { source: origin.source },
  };
}

export function deniedEvent({ keyId, reason, actor }: Denial, lift: boolean): EventInput {
  return {
    type: lift ? "trust.key-denial-lifted" : "trust.key-denied",
    outcome: "ok",
    actor,
    attributes: { key: keyId, reason },
  };
}
