/** Guarantee: of the settings of ferry tx and ferry rx a medium needs all but the gate's, complete before anything is opened. */
import {
  type BaseConfig,
  invalidField,
  readBaseConfig,
  readConfigFile,
  readRingDir,
  readString,
  requireUnlock,
} from "@lightferry/proto/service";

export interface ExportConfig extends BaseConfig {
  readonly outboxDir: string;
  /** Ring of this node's ferry keys; without it the cipher machine has them. */
  readonly ferryKeysDir: string | undefined;
}

export interface ImportConfig extends BaseConfig {
  readonly lane: string;
  readonly arrivalsDir: string;
  readonly expectedSender: string;
}

/** @throws GatewayError `config.invalid` naming file or field */
export function readExportConfig(path: string): ExportConfig {
  const raw = readConfigFile(path);
  const base = baseOf(raw, "ferry-tx");
  if (base.hsm?.keys.sign === undefined) requireUnlock(base);
  return {
    ...base,
    outboxDir: readString(raw, "outboxDir"),
    ferryKeysDir: readRingDir(raw, "ferryKeysDir", base, "sign"),
  };
}

/** @throws GatewayError `config.invalid` naming file or field */
export function readImportConfig(path: string): ImportConfig {
  const raw = readConfigFile(path);
  return {
    ...baseOf(raw, "ferry-rx"),
    lane: readString(raw, "lane"),
    arrivalsDir: readString(raw, "arrivalsDir"),
    expectedSender: readString(raw, "expectedSender"),
  };
}

/** The certificate of this service is what its peers let in. */
function baseOf(raw: unknown, service: "ferry-tx" | "ferry-rx"): BaseConfig {
  const base = readBaseConfig(raw);
  if (base.service !== service) invalidField("service", `${service} is expected`);
  return base;
}
