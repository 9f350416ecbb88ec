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
  const base = baseOf(raw, ["media-tx", "ferry-tx"]);
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
    ...baseOf(raw, ["media-rx", "ferry-rx"]),
    lane: readString(raw, "lane"),
    arrivalsDir: readString(raw, "arrivalsDir"),
    expectedSender: readString(raw, "expectedSender"),
  };
}

/** The certificate of this service is what its peers let in. */
function baseOf(raw: unknown, services: readonly BaseConfig["service"][]): BaseConfig {
  const base = readBaseConfig(raw);
  if (!services.includes(base.service)) {
    invalidField("service", `${services.join(" or ")} is expected`);
  }
  return base;
}
