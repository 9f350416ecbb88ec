/**
 * Guarantee: of each service whose settings name a cipher machine, whether the
 * machine answers, what it is, and which of its keys are there. No password is
 * offered and no private key is used.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { asGatewayError } from "@lightferry/proto/errors";
import { readConfigFile, readField, readHsm } from "@lightferry/proto/service";
import { probeSdf } from "@lightferry/proto/sm";
import type { ZoneName, ZonePaths } from "../layout.ts";
import { type Finding, NOTHING } from "./finding.ts";

export interface Machines {
  readonly findings: readonly Finding[];
  /** Keys that lie in a machine that answered. */
  readonly keyIds: ReadonlySet<string>;
}

function settingsOf(path: string): unknown {
  try {
    const raw = readConfigFile(path);
    return readField(raw, "hsm") === undefined ? undefined : raw;
  } catch {
    // The service says so itself when it starts; here it names no machine.
    return undefined;
  }
}

function names({ config }: ZonePaths): string[] {
  try {
    return readdirSync(config).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

/** One finding for each service of the zone that has a machine; none where none has. */
export function machinesOf(zone: ZoneName, paths: ZonePaths): Machines {
  const findings: Finding[] = [];
  const keyIds = new Set<string>();
  for (const file of names(paths).sort()) {
    const raw = settingsOf(join(paths.config, file));
    if (raw === undefined) continue;
    const about = {
      check: `hsm:${zone}/${file.slice(0, -".json".length)}`,
      name: { zh: "密码机", en: "cipher machine" },
    };
    try {
      const settings = readHsm(raw, "hsm");
      const { info, keys } = probeSdf(settings);
      for (const { keyId } of keys) keyIds.add(keyId);
      const listed = keys.map(({ kind, index, keyId }) => `${kind} ${index} ${keyId}`).join(", ");
      findings.push({
        ...{ ...about, state: "ok", advice: NOTHING },
        found: `${settings.library}: ${info.issuer} ${info.model} ${info.serial}: ${listed}`,
        means: {
          zh: "密码机应答，所列密钥存在；口令未试",
          en: "it answers and has the keys; passwords were not tried",
        },
      });
    } catch (error) {
      const { row, detail } = asGatewayError(error);
      findings.push({
        ...{ ...about, state: "fail", found: detail },
        means: { zh: row.zh, en: row.en },
        advice: { zh: row.doZh, en: row.doEn },
      });
    }
  }
  return { findings, keyIds };
}
