/** Guarantee: the settings of the policy service are read and checked before anything is opened. */
import {
  type BaseConfig,
  invalidField,
  readBaseConfig,
  readOptionalString,
  readRingDir,
  readString,
  requireUnlock,
} from "@lightferry/proto/service";

/** A signed document and its detached signature. */
export interface SignedFile {
  readonly document: string;
  readonly signature: string;
}

export interface PolicyConfig extends BaseConfig {
  readonly listen: { readonly host: string; readonly port: number };
  readonly unlock: ReturnType<typeof requireUnlock>;
  /** Ring of this node's policy keys, `<key id>.key.json`. */
  readonly policyKeysDir: string | undefined;
  /** Store of certificates, revocation lists and denials; this service alone writes it. */
  readonly trustDir: string;
  readonly registry: SignedFile;
  readonly pack: SignedFile;
  readonly databaseUrl: string;
  readonly sealedAwayDir: string;
  readonly vaultPath: string;
  /** Record of what people do with this zone's keys by command; taken up into the audit log. */
  readonly keyActionsDir: string | undefined;
}

/** @throws GatewayError `config.invalid` naming the field. */
export function parseConfig(raw: unknown): PolicyConfig {
  const base = readBaseConfig(raw);
  const { listen } = base;
  if (listen === undefined) invalidField("listen", "the address to serve is expected");
  const signed = (path: string): SignedFile => ({
    document: readString(raw, `${path}.document`),
    signature: readString(raw, `${path}.signature`),
  });
  return {
    ...base,
    listen,
    unlock: requireUnlock(base),
    policyKeysDir: readRingDir(raw, "policyKeysDir", base, "sign"),
    trustDir: readString(raw, "trustDir"),
    registry: signed("registry"),
    pack: signed("pack"),
    databaseUrl: readString(raw, "databaseUrl"),
    sealedAwayDir: readString(raw, "sealedAwayDir"),
    vaultPath: readString(raw, "vaultPath"),
    keyActionsDir: readOptionalString(raw, "keyActionsDir"),
  };
}
