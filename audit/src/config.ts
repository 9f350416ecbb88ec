/** Guarantee: the audit service starts only with settings that were read and checked, and none that nobody reads. */
import {
  type BaseConfig,
  invalidField,
  readBaseConfig,
  readListen,
  readRingDir,
  readString,
  refuseUnknownFields,
  requireUnlock,
} from "@lightferry/proto/service";

export interface AuditConfig extends BaseConfig {
  readonly listen: { readonly host: string; readonly port: number };
  /** Ring of this node's audit keys, `<key id>.key.json`. */
  readonly auditKeysDir: string | undefined;
  /** Login of the writer: may insert and read. */
  readonly databaseUrl: string;
  /** Login of the owner: migrations and monthly partitions only. */
  readonly ownerUrl: string;
  /** The one other zone whose checkpoints come through the gate. */
  readonly witnessZone: string;
  readonly policy: string;
}

const KNOWN = [
  ...["zone", "node", "service", "mode", "stateDir", "listen", "tls", "peers", "anchorPath"],
  ...["trustRootPath", "unlockPath", "unlockCredential", "auditKeysDir", "hsm"],
  ...["journalMaxBytes", "databaseUrl", "ownerUrl", "witnessZone"],
];

/** @throws GatewayError `config.invalid` naming the field. */
export function readAuditConfig(raw: unknown): AuditConfig {
  refuseUnknownFields(raw, "", KNOWN);
  const base = readBaseConfig(raw);
  const witnessZone = readString(raw, "witnessZone");
  if (base.hsm?.keys.sign === undefined) requireUnlock(base);
  if (witnessZone === base.zone) invalidField("witnessZone", "the other zone is expected");
  return {
    ...base,
    listen: readListen(raw, "listen"),
    auditKeysDir: readRingDir(raw, "auditKeysDir", base, "sign"),
    databaseUrl: readString(raw, "databaseUrl"),
    ownerUrl: readString(raw, "ownerUrl"),
    witnessZone,
    policy: base.peers.policy ?? invalidField("peers.policy", "host:port is expected"),
  };
}
