/**
 * Guarantee: the front-proxy starts only with a configuration whose every
 * field was read and checked; a wrong field is named in `config.invalid`.
 */
import type { BaseConfig } from "@lightferry/proto/service";

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
}

export interface WatchConfig {
  /** Holds `<lane>/<service>/` folders. */
  readonly outgoingDir: string;
  /** Registered caller in whose name files of these folders are submitted. */
  readonly caller: string;
  /** Grade of files that bring no `<name>.json` beside them; empty = such files are refused. */
  readonly grade: string;
  readonly purpose: string;
}

export type DoubtPolicy = "retry" | "hold";

export interface HttpTarget {
  readonly type: "http";
  readonly baseUrl: string;
  readonly timeoutMs: number;
  /** True when the target honours the Idempotency-Key header. */
  readonly idempotency: boolean;
  readonly onDoubt: DoubtPolicy;
}

export interface DropTarget {
  readonly type: "drop";
  readonly dir: string;
}

/** Receipts for what this zone sent: matched here, handed to nobody. */
export interface ReceiptsTarget {
  readonly type: "receipts";
}

export type TargetConfig = HttpTarget | DropTarget | ReceiptsTarget;

/** Limits that an operator may move; defaults and reasons in config-parse.ts. */
export interface LimitsConfig {
  /** Bytes of payload this node keeps before new submissions are put off. */
  readonly spoolHighWaterBytes: number;
  /**
   * Bytes that spool and outbox may hold together, files kept for repair included; undefined = four
   * fifths of the outbox's file system.
   */
  readonly sendingHighWaterBytes?: number | undefined;
  /** Bytes that the unfinished uploads of one caller may take together. */
  readonly uploadShareBytes: number;
  /** Bytes that stay free on the file systems of spool and outbox, for the database's own log. */
  readonly spoolReserveBytes: number;
  /** How long an emitted bundle file is kept after its last pass; undefined = the lane's expiry. */
  readonly outboxRetentionSeconds: number | undefined;
  /** How long after its emission the far side may ask for a bundle again; undefined = egress/retention.ts. */
  readonly repairHorizonSeconds?: number | undefined;
  /** Tries at a target before an exchange is a dead letter; undefined = ingress/tuning.ts. */
  readonly dispatchAttempts?: number | undefined;
}

export interface FrontProxyConfig extends BaseConfig {
  readonly api: ApiConfig;
  readonly databaseUrl: string;
  readonly spoolDir: string;
  readonly outboxDir: string;
  readonly arrivalsDir: string;
  readonly inboxDir: string;
  readonly vaultPath: string;
  /**
   * Ring of decryption keys, `<keyId>.key.json` each; this program destroys them in the end. Beside a
   * cipher machine it may stay until the last of them has gone; undefined: the machine has all.
   */
  readonly encryptKeysDir: string | undefined;
  /** Least time that a decryption key is kept after its successor began; see ingress/keys/retire.ts. */
  readonly encryptKeyOverlapDays: number;
  readonly watch: WatchConfig | null;
  readonly targets: Readonly<Record<string, TargetConfig>>;
  readonly limits: LimitsConfig;
}
