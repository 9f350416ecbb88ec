/** Guarantee: of a zone whose gate has tags: whether its end of them has the key without which there are none (ferry/SPEC.md §13). */
import type { Words } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { nodeIdOf, otherZone, ZONE_SERVICES, type ZoneName, type ZonePaths } from "../layout.ts";
import type { ZoneOptions } from "../setup/zone-options.ts";
import { type Finding, NOTHING, UNKNOWN } from "./finding.ts";
import type { Machine } from "./machine.ts";
import { heldKeys, trustStoreOf } from "./trust-store.ts";

interface End {
  /** Whose encryption key the link key is encrypted to. */
  readonly of: ZoneName;
  readonly ok: Words;
  readonly lacks: Words;
  readonly advice: Words;
}

const HASHED: Words = {
  zh: "大文件仍逐块杂凑，较慢",
  en: "large files are hashed chunk by chunk, which is slower",
};

function endOf(zone: ZoneName): End {
  const far = otherZone(zone);
  if (ZONE_SERVICES[zone].includes("ferry-tx")) {
    return {
      of: far,
      ok: {
        zh: "接收节点的加密证书在手",
        en: "the receiving node's encryption certificate is known",
      },
      lacks: {
        zh: `没有接收节点生效的加密证书，不发标签：${HASHED.zh}`,
        en: `no encryption certificate of the receiving node is in force, so no tags are sent: ${HASHED.en}`,
      },
      advice: {
        zh: `从 ${far} 取来其加密证书，执行 lightferry keys import FILE --zone ${zone}`,
        en: `bring that certificate from ${far}: lightferry keys import FILE --zone ${zone}`,
      },
    };
  }
  return {
    of: zone,
    ok: { zh: "前置代理可打开链路密钥", en: "the front-proxy can open the link key" },
    lacks: {
      zh: `没有生效的加密证书与对应私钥，前置代理打不开链路密钥：${HASHED.zh}`,
      en: `no encryption certificate in force with its private key, so the front-proxy opens no link key: ${HASHED.en}`,
    },
    advice: {
      zh: `lightferry keys rotate --zone ${zone} --use encrypt --out request.pem`,
      en: `lightferry keys rotate --zone ${zone} --use encrypt --out request.pem`,
    },
  };
}

/** The key id that this end goes by; undefined where there is none, also where trust.ts says why. */
function keyOf(
  machine: Pick<Machine, "mode" | "now">,
  zone: ZoneName,
  paths: ZonePaths,
  of: ZoneName,
  inMachine: ReadonlySet<string>,
): string | undefined {
  const held = of === zone ? heldKeys(paths, "encrypt", inMachine) : undefined;
  try {
    const store = trustStoreOf(machine, paths);
    return store?.active(nodeIdOf(of), "encrypt", machine.now, held, of)?.keyId;
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** None where the zone's gate has no tags. @param inMachine keys of a cipher machine that answers */
export function gateTags(
  machine: Pick<Machine, "mode" | "now">,
  zone: ZoneName,
  paths: ZonePaths,
  options: Pick<ZoneOptions, "gateTags">,
  inMachine: ReadonlySet<string> = new Set(),
): Finding[] {
  if (!options.gateTags) return [];
  const { of, ok, lacks, advice } = endOf(zone);
  const keyId = keyOf(machine, zone, paths, of, inMachine);
  const found = `${zone}: ${nodeIdOf(of)} ${keyId ?? UNKNOWN}`;
  return [
    {
      check: `gate.tags:${zone}`,
      // The ferry goes on without them.
      state: keyId === undefined ? "warn" : "ok",
      name: { zh: "光闸标签", en: "tags of the gate" },
      found,
      means: keyId === undefined ? lacks : ok,
      advice: keyId === undefined ? advice : NOTHING,
    },
  ];
}
