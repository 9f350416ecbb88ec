/** Guarantee: `keys list` shows what the zone trusts, verified here against its pinned root, or what a CA issued; it opens no private key. */
import { existsSync } from "node:fs";
import {
  type CliContext,
  type CliVerb,
  type Column,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { ringKeyIds } from "@lightferry/proto/keystore";
import {
  CERTIFICATE_USES,
  type Certificate,
  type RevocationList,
  readAuthority,
} from "@lightferry/proto/pki";
import { CA_OPTIONS, clock, DAY_MS, example, tell } from "./options.ts";
import { type KeyState, STATES, stateOf } from "./state.ts";
import { readTrust } from "./trust-call.ts";
import { type ZoneKeys, zoneKeys } from "./zone-keys.ts";

interface Row {
  readonly zone: string;
  readonly node: string;
  readonly use: string;
  readonly state: KeyState;
  readonly keyId: string;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly daysLeft: number;
  /** Undefined where the key is not this node's. */
  readonly inRing: boolean | undefined;
  readonly demo: boolean;
}

function rowOf(
  certificate: Certificate,
  state: KeyState,
  inRing: boolean | undefined,
  nowMs: number,
): Row {
  const { zone = "", identity, role, keyId, serial, notBeforeMs, notAfterMs, demo } = certificate;
  return {
    zone,
    node: identity?.node ?? "",
    use: identity?.use ?? role,
    state,
    keyId,
    serial,
    notBeforeMs,
    notAfterMs,
    daysLeft: Math.floor((notAfterMs - nowMs) / DAY_MS),
    inRing,
    demo,
  };
}

/** Ids of the keys in this node's rings. */
function ownKeyIds(keys: ZoneKeys): Map<string, string> {
  return new Map(
    CERTIFICATE_USES.flatMap((use) => {
      const dir = keys.ringDir(use);
      return existsSync(dir) ? ringKeyIds(dir).map((keyId) => [keyId, use] as const) : [];
    }),
  );
}

function yesNo(context: CliContext, value: boolean | undefined): string {
  if (value === undefined) return "";
  return context.say(value ? { zh: "是", en: "yes" } : { zh: "否", en: "no" });
}

function columns(context: CliContext): Column<Row>[] {
  const role = { root: { zh: "根", en: "root" }, issuer: { zh: "签发机构", en: "issuer" } };
  return [
    { title: { zh: "网络", en: "ZONE" }, value: "zone" },
    { title: { zh: "节点", en: "NODE" }, value: "node" },
    {
      title: { zh: "用途", en: "USE" },
      value: ({ use }) => (use === "root" || use === "issuer" ? context.say(role[use]) : use),
    },
    {
      title: { zh: "状态", en: "STATE" },
      value: ({ state, demo }) =>
        context.say(STATES[state]) + (demo ? context.say({ zh: "（演示）", en: " (demo)" }) : ""),
    },
    { title: { zh: "起", en: "FROM" }, value: ({ notBeforeMs }) => day(notBeforeMs) },
    { title: { zh: "止", en: "UNTIL" }, value: ({ notAfterMs }) => day(notAfterMs) },
    {
      title: { zh: "剩余天数", en: "DAYS" },
      value: ({ daysLeft }) => Math.max(0, daysLeft),
      align: "right",
    },
    { title: { zh: "本机有私钥", en: "IN RING" }, value: ({ inRing }) => yesNo(context, inRing) },
    { title: { zh: "密钥编号", en: "KEY ID" }, value: "keyId" },
  ];
}

const day = (ms: number): string => (ms === 0 ? "" : clock(ms).slice(0, 10));

function lists(context: CliContext, found: readonly RevocationList[], nowMs: number): void {
  context.out("");
  context.table(found, [
    { title: { zh: "吊销列表", en: "REVOCATION LIST" }, value: "issuer" },
    { title: { zh: "编号", en: "NUMBER" }, value: "number", align: "right" },
    { title: { zh: "签发", en: "MADE" }, value: ({ thisUpdateMs }) => clock(thisUpdateMs) },
    {
      title: { zh: "已过天数", en: "AGE DAYS" },
      value: ({ thisUpdateMs }) => ((nowMs - thisUpdateMs) / DAY_MS).toFixed(1),
      align: "right",
    },
    {
      title: { zh: "下次更新", en: "NEXT DUE" },
      value: ({ nextUpdateMs }) =>
        clock(nextUpdateMs) +
        (nowMs >= nextUpdateMs ? context.say({ zh: "（已过期）", en: " (past)" }) : ""),
    },
    {
      title: { zh: "吊销数", en: "REVOKED" },
      value: ({ entries }) => entries.length,
      align: "right",
    },
  ]);
}

const listJson = ({ issuer, number, thisUpdateMs, nextUpdateMs, entries }: RevocationList) => ({
  ...{ issuer, number, thisUpdateMs, nextUpdateMs, entries },
});

async function listZone(context: CliContext): Promise<ExitCode> {
  const keys = zoneKeys(context);
  const { store, denials } = await readTrust(context);
  const now = Date.now();
  const denied = new Set(denials.map(({ keyId }) => keyId ?? ""));
  const own = ownKeyIds(keys);
  const has = (keyId: string) => own.has(keyId);
  const rows = store.certificates.map((certificate) => {
    const mine = certificate.identity?.node === keys.node ? has : undefined;
    return rowOf(
      certificate,
      stateOf(store, denied, certificate, now, mine),
      mine?.(certificate.keyId),
      now,
    );
  });
  const certified = new Set(rows.map(({ keyId }) => keyId));
  const requested = [...own].flatMap(([keyId, use]): Row[] =>
    certified.has(keyId)
      ? []
      : [
          {
            ...{ zone: keys.zone, node: keys.node, use, state: "requested", keyId, serial: "" },
            ...{ notBeforeMs: 0, notAfterMs: 0, daysLeft: 0, inRing: true, demo: false },
          },
        ],
  );
  const all = [...rows, ...requested];
  context.emitJson({
    zone: keys.zone,
    version: store.version,
    keys: all,
    lists: store.revocationLists.map(listJson),
    denials,
    rejected: store.rejected.map(({ code, detail }) => ({ code, detail })),
  });
  context.table(all, columns(context));
  lists(context, store.revocationLists, now);
  for (const { keyId, reason, deniedMs, actor } of denials) {
    const since = clock(deniedMs ?? 0);
    tell(context, {
      zh: `本网络禁用 ${keyId}：${reason}（${since}，${actor}）`,
      en: `denied here: ${keyId}: ${reason} (${since}, ${actor})`,
    });
  }
  return EXIT.done;
}

function listAuthority(context: CliContext, dir: string): ExitCode {
  const { certificate, issued, list, keyId } = readAuthority(dir);
  const now = Date.now();
  const state = (one: Certificate, revoked: boolean): KeyState => {
    if (revoked) return "revoked";
    if (one.notAfterMs <= now) return "ended";
    return one.notBeforeMs > now ? "next" : "active";
  };
  const rows = [
    ...(certificate === undefined
      ? []
      : [rowOf(certificate, state(certificate, false), undefined, now)]),
    ...issued.map((one) =>
      rowOf(one.certificate, state(one.certificate, one.revoked !== undefined), undefined, now),
    ),
  ];
  const found = list === undefined ? [] : [list];
  context.emitJson({ dir, keyId, keys: rows, lists: found.map(listJson) });
  context.table(rows, columns(context));
  lists(context, found, now);
  return EXIT.done;
}

export const listVerb: CliVerb = {
  name: "list",
  summary: {
    zh: "列出证书、密钥状态与吊销列表",
    en: "list certificates, the state of keys, and revocation lists",
  },
  usage: "[--zone ZONE] [--ca DIR]",
  args: [],
  options: { ca: CA_OPTIONS.ca },
  examples: [
    example(
      "keys list --zone extranet",
      "外网侧信任的全部证书",
      "everything the extranet side trusts",
    ),
  ],
  run: async (context, input) => {
    const dir = input.text("ca");
    return dir === undefined ? listZone(context) : listAuthority(context, dir);
  },
};
