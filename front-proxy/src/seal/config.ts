/** Guarantee: every setting of seal is read once and checked; a wrong one is named in `config.invalid`. */
import {
  type BaseConfig,
  invalidField,
  readBaseConfig,
  readRingDir,
  readString,
  requireUnlock,
} from "@lightferry/proto/service";

export interface SealConfig extends BaseConfig {
  /** Ring of signing keys, `<keyId>.key.json` each. */
  readonly signKeysDir: string | undefined;
  /** Read only. */
  readonly spoolDir: string;
  /** Written here, read by ferry tx. */
  readonly outboxDir: string;
  readonly vaultPath: string;
}

/** @throws GatewayError `config.invalid` naming the field. */
export function parseSealConfig(raw: unknown): SealConfig {
  const base = readBaseConfig(raw);
  if (base.peers.policy === undefined) invalidField("peers.policy", "is needed");
  if (base.peers.frontProxy === undefined) invalidField("peers.frontProxy", "is needed");
  requireUnlock(base);
  return {
    ...base,
    signKeysDir: readRingDir(raw, "signKeysDir", base, "sign"),
    spoolDir: readString(raw, "spoolDir"),
    outboxDir: readString(raw, "outboxDir"),
    vaultPath: readString(raw, "vaultPath"),
  };
}
