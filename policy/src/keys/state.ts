/**
 * Guarantee: says of each certificate what it is at one moment: in use, next,
 * in its overlap, over, revoked or denied; and of a ring's key whether it may
 * be destroyed.
 */
import type { Words } from "@lightferry/proto/cli";
import type { Certificate } from "@lightferry/proto/pki";
import type { TrustStore } from "@lightferry/proto/trust";

export const STATES = {
  active: { zh: "使用中", en: "in use" },
  next: { zh: "待启用", en: "next" },
  overlap: { zh: "重叠期", en: "overlap" },
  ended: { zh: "已到期", en: "ended" },
  revoked: { zh: "已吊销", en: "revoked" },
  denied: { zh: "本网络禁用", en: "denied here" },
  destroyed: { zh: "密钥已销毁", en: "key destroyed" },
  requested: { zh: "未签发", en: "no certificate yet" },
} as const satisfies Record<string, Words>;

export type KeyState = keyof typeof STATES;

/**
 * A medium that was on the road when the key ended: what it carries was sealed while the certificate was
 * in force and must still open.
 */
export const OVERLAP_AFTER_END_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * @param has whether a key lies in this node's ring; undefined for certificates of other nodes.
 */
export function stateOf(
  store: TrustStore,
  denied: ReadonlySet<string>,
  certificate: Certificate,
  nowMs: number,
  has: ((keyId: string) => boolean) | undefined,
): KeyState {
  const { keyId, identity, notBeforeMs, notAfterMs } = certificate;
  if (denied.has(keyId)) return "denied";
  const atMs = Math.max(notBeforeMs, Math.min(nowMs, notAfterMs - 1));
  if (store.faultOf(certificate, atMs) === "certificate.revoked") return "revoked";
  if (has !== undefined && !has(keyId) && nowMs >= notAfterMs) return "destroyed";
  if (nowMs >= notAfterMs) return "ended";
  if (nowMs < notBeforeMs) return "next";
  if (identity === undefined) return "active";
  const { node, use, zone } = identity;
  const active = store.active(node, use, nowMs, has, zone);
  return active?.digest === certificate.digest ? "active" : "overlap";
}
