/**
 * Guarantee: whether a zone's own certificates and the revocation lists it goes
 * by are in force, and for how long, from its trust folder and pinned root. The
 * same store decides as in the services; nothing is believed that does not verify.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { asGatewayError } from "@lightferry/proto/errors";
import { CERTIFICATE_USES, type CertificateUse } from "@lightferry/proto/pki";
import { type LaneEntry, parseRegistryDocument } from "@lightferry/proto/registry";
import type { TrustStore } from "@lightferry/proto/trust";
import { nodeIdOf, type ZoneName, type ZonePaths } from "../layout.ts";
import { type Finding, NOTHING, type State } from "./finding.ts";
import type { Machine } from "./machine.ts";
import { heldKeys, trustStoreOf } from "./trust-store.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Time to request, carry, issue and announce the next one without haste. */
const RENEW_DAYS = 14;
/** Percent of a lane's freshness limit from which the next list should be on its way. */
const AGEING_PERCENT = 75;

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function certificate(
  { now }: Machine,
  zone: ZoneName,
  paths: ZonePaths,
  store: TrustStore,
  use: CertificateUse,
  inMachine: ReadonlySet<string>,
): Finding {
  const found = store.active(nodeIdOf(zone), use, now, heldKeys(paths, use, inMachine), zone);
  const days = found === undefined ? 0 : Math.floor((found.notAfterMs - now) / DAY_MS);
  const state: State = found === undefined ? "fail" : days < RENEW_DAYS ? "warn" : "ok";
  return {
    check: `certificate:${zone}/${use}`,
    state,
    name: { zh: "节点证书", en: "node certificate" },
    found: `${zone}/${use}${found === undefined ? "" : ` ${found.keyId} → ${day(found.notAfterMs)}`}`,
    means:
      state === "ok"
        ? { zh: `还有 ${days} 天`, en: `${days} days left` }
        : state === "warn"
          ? { zh: `只剩 ${days} 天`, en: `only ${days} days left` }
          : {
              zh: "没有生效的证书与对应私钥：此用途停止",
              en: "no certificate in force with its private key: this use has stopped",
            },
    advice:
      state === "ok"
        ? NOTHING
        : {
            zh: `lightferry keys rotate --zone ${zone} --use ${use} --out request.pem`,
            en: `lightferry keys rotate --zone ${zone} --use ${use} --out request.pem`,
          },
  };
}

function authority({ now }: Machine, zone: ZoneName, store: TrustStore): Finding[] {
  const issuers = store.certificates.filter(({ role }) => role !== "node");
  return issuers
    .filter(({ notAfterMs }) => notAfterMs - now < 180 * DAY_MS)
    .map((ca): Finding => {
      const over = ca.notAfterMs <= now;
      return {
        check: `certificate-authority:${zone}/${ca.keyId}`,
        state: over ? "fail" : "warn",
        name: { zh: "签发机构证书", en: "certificate of a CA" },
        found: `${ca.subject} → ${day(ca.notAfterMs)}`,
        means: over
          ? { zh: "已过期：其下证书全部失效", en: "expired: no certificate below it counts" }
          : { zh: "不到半年到期", en: "ends within half a year" },
        advice: {
          zh: "由其上级签发新证书并导入",
          en: "have its superior issue the next one, and import it",
        },
      };
    });
}

function lists(
  { now }: Machine,
  zone: ZoneName,
  store: TrustStore,
  lanes: readonly LaneEntry[],
): Finding[] {
  const limits = new Map<string, number>();
  for (const lane of lanes) {
    if (lane.state === "closed" || (lane.from !== zone && lane.to !== zone)) continue;
    for (const issuer of [lane.from, lane.to]) {
      const strictest = limits.get(issuer) ?? Number.POSITIVE_INFINITY;
      limits.set(issuer, Math.min(strictest, lane.revocationFreshnessSeconds * 1000));
    }
  }
  return [...limits].map(([issuer, limitMs]): Finding => {
    const list = store.revocationList(issuer);
    const percent = list === undefined ? 101 : ((now - list.thisUpdateMs) * 100) / limitMs;
    const state: State = percent > 100 ? "fail" : percent >= AGEING_PERCENT ? "warn" : "ok";
    return {
      check: `revocation-list:${zone}/${issuer}`,
      state,
      name: { zh: "吊销列表", en: "revocation list" },
      found:
        list === undefined
          ? `${zone}: ${issuer}`
          : `${zone}: ${issuer} #${list.number} ${day(list.thisUpdateMs)} → ${day(list.thisUpdateMs + limitMs)}`,
      means:
        state === "ok"
          ? { zh: "在时限内", en: "fresh enough" }
          : state === "warn"
            ? { zh: "接近时限", en: "close to its limit" }
            : {
                zh: "缺失或超过时限：通道停止封装",
                en: "missing or past its limit: the lane seals nothing",
              },
      advice:
        state === "ok"
          ? NOTHING
          : {
              zh: `由 ${issuer} 的签发机构签发新列表，再执行 lightferry keys import`,
              en: `have the CA of ${issuer} issue a list, then lightferry keys import`,
            },
    };
  });
}

/** @returns nothing where no root is pinned: the zone was not set up to that point. */
export function trust(
  machine: Machine,
  zone: ZoneName,
  paths: ZonePaths,
  inMachine: ReadonlySet<string> = new Set(),
): Finding[] {
  const name = { zh: "信任库", en: "trust store" };
  try {
    const store = trustStoreOf(machine, paths);
    if (store === undefined) return [];
    const document = join(paths.registry, "registry.json");
    const lanes = existsSync(document)
      ? parseRegistryDocument(readFileSync(document)).lanes
      : ([] as const);
    const rejected = store.rejected.length;
    return [
      {
        check: `trust:${zone}`,
        state: rejected === 0 ? "ok" : "warn",
        name,
        found: `${zone}: ${store.root.keyId}, ${store.certificates.length} / ${rejected}`,
        means:
          rejected === 0
            ? { zh: "全部验证到固定的根", en: "everything verifies to the pinned root" }
            : {
                zh: `${rejected} 项无法验证，未被采用`,
                en: `${rejected} items do not verify and are not used`,
              },
        advice:
          rejected === 0
            ? NOTHING
            : {
                zh: `执行 lightferry keys list --zone ${zone} 查看`,
                en: `see lightferry keys list --zone ${zone}`,
              },
      },
      ...CERTIFICATE_USES.map((use) => certificate(machine, zone, paths, store, use, inMachine)),
      ...authority(machine, zone, store),
      ...lists(machine, zone, store, lanes),
    ];
  } catch (error) {
    const { row, detail } = asGatewayError(error);
    const means = { zh: row.zh, en: row.en };
    const advice = { zh: row.doZh, en: row.doEn };
    return [{ check: `trust:${zone}`, state: "fail", name, found: detail, means, advice }];
  }
}
