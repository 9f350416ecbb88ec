/** Guarantee: shows the registry that the zone's policy service serves, after checking its signature against the zone's anchor. */
import { type CliContext, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { loadRegistry, type Registry, readAnchor } from "@lightferry/proto/registry";
import { createClient, PolicyService } from "@lightferry/proto/rpc";
import { loadProvider } from "@lightferry/proto/sm";
import { wordsOf } from "./words.ts";

/** A person waits at a terminal. */
const DEADLINE_MS = 5_000;

export const showVerb: CliVerb = {
  name: "show",
  summary: {
    zh: "查看本网络的注册表与策略版本",
    en: "show registry and policy version of a network",
  },
  usage: "[--zone ZONE]",
  examples: [
    {
      command: "policy show --zone extranet",
      summary: {
        zh: "外网侧的通道、服务与授权",
        en: "lanes, services and grants of the extranet side",
      },
    },
  ],
  run: async (context) => {
    const config = context.zoneConfig();
    if (config.peers.policy === undefined) {
      throw new GatewayError("config.invalid", { detail: "peers.policy" });
    }
    const client = createClient(PolicyService, {
      address: config.peers.policy,
      tls: config.tls,
      zone: config.zone,
      peer: "policy",
    });
    try {
      const answer = await client.getRegistry({}, { deadlineMs: DEADLINE_MS });
      const provider = loadProvider();
      // Showing is not deciding: demonstration documents are shown, and marked.
      const anchor = readAnchor(provider, config.anchorPath, "demo");
      const registry = loadRegistry(provider, answer.document, answer.signature, anchor, {
        mode: "demo",
      });
      show(context, config.zone, registry, answer.policyVersion);
    } finally {
      client.close();
    }
    return EXIT.done;
  },
};

function show(context: CliContext, zone: string, registry: Registry, policyVersion: string): void {
  const { document } = registry;
  context.emitJson({ zone, policyVersion, registry: document });
  const demo = document.demo ? context.say({ zh: "（演示）", en: " (demonstration)" }) : "";
  context.out(
    context.say({
      zh: `网络 ${zone}　策略包 ${policyVersion}　注册表 ${document.number}${demo}`,
      en: `network ${zone}  policy pack ${policyVersion}  registry ${document.number}${demo}`,
    }),
  );
  context.out("");
  context.table(document.lanes, [
    { title: { zh: "通道", en: "lane" }, value: "id" },
    { title: { zh: "从", en: "from" }, value: "from" },
    { title: { zh: "到", en: "to" }, value: "to" },
    { title: { zh: "状态", en: "state" }, value: (lane) => context.say(wordsOf(lane.state)) },
    { title: { zh: "级别上限", en: "ceiling" }, value: "gradeCeiling" },
    {
      title: { zh: "类型", en: "kinds" },
      value: (lane) => lane.kinds.map((kind) => context.say(wordsOf(kind))).join(", "),
    },
  ]);
  context.out("");
  context.table(document.grants, [
    { title: { zh: "授权", en: "grant" }, value: "id" },
    { title: { zh: "接入方", en: "caller" }, value: "caller" },
    { title: { zh: "服务", en: "service" }, value: "service" },
    { title: { zh: "通道", en: "lane" }, value: "lane" },
    { title: { zh: "级别上限", en: "ceiling" }, value: "gradeCeiling" },
    {
      title: { zh: "有效期至", en: "until" },
      value: (grant) => new Date(grant.notAfterMs).toISOString().slice(0, 10),
    },
    { title: { zh: "每日次数", en: "per day" }, value: "perDay", align: "right" },
  ]);
}
