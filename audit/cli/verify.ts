/**
 * Guarantee: `lightferry audit verify` trusts neither the audit service nor the
 * database: it reads every row with a read-only login and takes the keys from
 * certificates that it verifies itself against the pinned root, each as it
 * counted when it signed; which node is whose, from the signed registry.
 */
import { join } from "node:path";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  readUpTo,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import {
  loadRegistry,
  MAX_REGISTRY_BYTES,
  type Registry,
  readAnchor,
} from "@lightferry/proto/registry";
import { loadProvider, type SmProvider } from "@lightferry/proto/sm";
import { readTrustFolder, readTrustRoot, TrustStore } from "@lightferry/proto/trust";
import { FINDING_KINDS, type Finding } from "../src/verify/findings.ts";
import { MAX_NOTE_BYTES } from "../src/verify/note.ts";
import { type VerifyReport, verifyLog } from "../src/verify/verify.ts";
import { localTime } from "./words.ts";

export const verify: CliVerb = {
  name: "verify",
  summary: {
    zh: "独立核验日志：逐行重读、重算、验签",
    en: "verify the log independently: re-read, re-hash and check every row",
  },
  usage: "[--registry DIR] [--trust DIR] [--root FILE] [--checkpoint FILE]…",
  args: [],
  options: {
    registry: {
      type: "string",
      value: "DIR",
      summary: {
        zh: "注册表目录（registry.json、registry.sig），默认取本网络安装目录",
        en: "folder with registry.json and registry.sig, the zone's own by default",
      },
    },
    trust: {
      type: "string",
      value: "DIR",
      summary: {
        zh: "证书库目录，默认取本网络安装目录",
        en: "folder of certificates and revocation lists, the zone's own by default",
      },
    },
    root: {
      type: "string",
      value: "FILE",
      summary: {
        zh: "固定的根证书（PEM 或 DER），默认取本网络安装目录",
        en: "pinned root certificate (PEM or DER), the zone's own by default",
      },
    },
    checkpoint: {
      type: "string",
      value: "FILE",
      multiple: true,
      summary: {
        zh: "另行留存的检查点（如对端见证的），可发现日志被整体回退",
        en: "a checkpoint kept elsewhere, such as by the other zone: finds a log that was rolled back",
      },
    },
  },
  examples: [
    {
      command: "audit verify --zone business",
      summary: { zh: "核验业务网日志", en: "verify the log of the business zone" },
    },
  ],
  run: async (context, input) => {
    const config = context.zoneConfig();
    const databaseUrl = config.databaseUrls.audit;
    if (databaseUrl === undefined) {
      throw new GatewayError("config.invalid", { detail: "cli.json: databaseUrls.audit" });
    }
    const provider = loadProvider();
    const folder = input.text("registry") ?? join(context.home, config.zone, "registry");
    const registry = readRegistry(provider, folder, config.anchorPath);
    const own = (...path: string[]) => join(context.home, config.zone, ...path);
    const root = input.text("root") ?? config.trustRootPath ?? own("registry", "root.pem");
    const set = trustSet(provider, input.text("trust") ?? own("trust"));
    // A demonstration log may be verified as such; that it is one is said by its registry.
    const store = TrustStore.build(provider, { root: readTrustRoot(root), set, mode: "demo" });
    const keys = store.keyDirectory((id) => registry.node(id)?.zone);
    const kept = keptNotes(input);
    const started = Date.now();
    const report = await verifyLog({
      databaseUrl,
      provider,
      node: config.node,
      auditKey: (keyId, usedMs) => keys.auditKey(config.node, keyId, { usedMs }),
      peerAuditKey: (zone, keyId, usedMs) => {
        const nodeId = registry.nodeOfZone(zone)?.id;
        const key = nodeId === undefined ? undefined : keys.auditKey(nodeId, keyId, { usedMs });
        return nodeId === undefined || key === undefined ? undefined : { nodeId, key };
      },
      kept,
    });
    // A zone that ran has a log: one without anything in it proves nothing, and least of all that it is whole.
    if (report.clean && report.newest === null) throw new GatewayError("audit.checkpoint-none");
    show(context, config.zone, report, kept.length, Date.now() - started);
    return report.clean ? EXIT.done : EXIT.refused;
  },
};

function readRegistry(provider: SmProvider, folder: string, anchorPath: string): Registry {
  const document = readUpTo(join(folder, "registry.json"), MAX_REGISTRY_BYTES);
  const signature = readUpTo(join(folder, "registry.sig"), MAX_NOTE_BYTES);
  // A demonstration log may be verified as such; that it is one is said by its registry.
  const anchor = readAnchor(provider, anchorPath, "demo");
  return loadRegistry(provider, document, signature, anchor, { mode: "demo" });
}

/** @throws GatewayError `trust.store-invalid`; `cli.usage` when nothing is there */
function trustSet(provider: SmProvider, folder: string) {
  const { version, certificates, revocationLists, denials } = readTrustFolder(provider, folder);
  if (certificates.length === 0) {
    throw new GatewayError("cli.usage", { detail: `${folder}: no certificates` });
  }
  return {
    version,
    certificates: [...certificates],
    revocationLists: [...revocationLists],
    denials: [...denials],
  };
}

function keptNotes(input: CliInput): string[] {
  const files = input.values.checkpoint;
  return (Array.isArray(files) ? files : []).map((file) =>
    Buffer.from(readUpTo(String(file), MAX_NOTE_BYTES)).toString("utf8"),
  );
}

/** What no log can show by itself. */
const NOTHING_KEPT = {
  zh: "未给出另行留存的检查点（--checkpoint）：整个日志被截回到较早状态或被清空，仅凭本库看不出",
  en: "no checkpoint kept elsewhere was given (--checkpoint): that the whole log was cut back to an earlier state, or emptied, cannot be seen from itself",
} as const;

function show(
  context: CliContext,
  zone: string,
  report: VerifyReport,
  kept: number,
  ms: number,
): void {
  const { newest } = report;
  const root = newest === null ? "" : Buffer.from(newest.root).toString("hex");
  context.emitJson({
    ...report,
    zone,
    newest: newest === null ? null : { ...newest, root },
    counts: Object.fromEntries(report.counts),
    ms,
  });
  const counted = {
    zh: `共核验事件 ${report.events}，检查点 ${report.checkpoints}，树块 ${report.tiles}，对端轨迹 ${report.peerTrails}，见证 ${report.witnessed}，用时 ${ms} 毫秒`,
    en: `verified ${report.events} events, ${report.checkpoints} checkpoints, ${report.tiles} tiles, ${report.peerTrails} peer trails, ${report.witnessed} witnessed checkpoints in ${ms} ms`,
  };
  context.out(context.say(counted));
  if (newest !== null) {
    context.out(
      context.say({
        zh: `最新检查点：长度 ${newest.size}，根 ${root}，${localTime(newest.loggedMs)}`,
        en: `newest checkpoint: size ${newest.size}, root ${root}, ${localTime(newest.loggedMs)}`,
      }),
    );
  }
  if (report.witnessGaps > 0) {
    context.out(
      context.say({
        zh: `提示：${report.witnessGaps} 个对端检查点尚缺衔接证明（中间数据包未到），不算异常`,
        en: `note: ${report.witnessGaps} checkpoints of the other zone lack a connecting proof (a bundle between is missing); not a finding`,
      }),
    );
  }
  if (report.clean) {
    context.out(
      context.say({ zh: "核验通过：日志完整，未发现改动", en: "clean: nothing was altered" }),
    );
    if (kept === 0) context.out(context.say(NOTHING_KEPT));
    return;
  }
  context.out(context.say({ zh: "核验未通过：", en: "NOT clean:" }));
  context.table(report.findings, [
    { title: { zh: "发现", en: "finding" }, value: (f) => context.say(FINDING_KINDS[f.kind]) },
    { title: { zh: "类别", en: "kind" }, value: "kind" },
    { title: { zh: "位置", en: "where" }, value: where, align: "right" },
    { title: { zh: "说明", en: "remarks" }, value: "detail" },
  ]);
  context.out(
    context.say({
      zh: "保全数据库与数据包，勿修改，报告安全审计员；用对端见证的检查点（--checkpoint）进一步核对",
      en: "preserve the database, change nothing, tell the auditor; compare with checkpoints that the other zone witnessed (--checkpoint)",
    }),
  );
  const total = [...report.counts.values()].reduce((sum, n) => sum + n, 0);
  if (total > report.findings.length) {
    context.out(context.say({ zh: `共 ${total} 项`, en: `${total} findings in all` }));
  }
}

function where({ index, last }: Finding): string {
  return last === undefined || last === index ? String(index) : `${index}–${last}`;
}
