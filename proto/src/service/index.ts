/** Guarantee: the shell that every service lives in: settings, log, journal, ordered end. */
export {
  type BaseConfig,
  type Peers,
  readBaseConfig,
  readConfigFile,
  readRingDir,
  requireUnlock,
} from "./config.ts";
export {
  invalidField,
  readAddress,
  readBoolean,
  readField,
  readInteger,
  readList,
  readListen,
  readObject,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  readString,
  readTlsFiles,
  refuseUnknownFields,
} from "./fields.ts";
export { exposures, type Hardening, hardenProcess, refuseExposure } from "./hardening.ts";
export { type HsmSettings, readHsm } from "./hsm-settings.ts";
export { type KeyAction, type KeyActionWish, withKeyAction } from "./key-actions.ts";
export {
  actionsDamaged,
  actionsDirBeside,
  actionsFile,
  type CountedUse,
  type KeyActionChain,
  type KeyActionEntry,
  readKeyActions,
  totalUses,
} from "./key-actions-file.ts";
export { KeyMeter, type KeyMeterOptions, meterProvider } from "./key-meter.ts";
export { type KeyProvider, openKeyProvider } from "./key-provider.ts";
export { createLogger, type Logger, silentLogger } from "./logger.ts";
export { type PostgresOptions, type RunningPostgres, startPostgres } from "./postgres.ts";
export { runService, type ServiceDefinition } from "./run.ts";
export type { Shell } from "./shell.ts";
export {
  type ActiveKey,
  activeKey,
  findActiveKey,
  openRing,
  renewWithTrust,
  type SigningRing,
} from "./signing-keys.ts";
export { type StateLock, takeStateLock } from "./state-lock.ts";
export {
  type TroubleEvent,
  type TroubleSink,
  type TroubleSubject,
  Troubles,
} from "./troubles.ts";
export { Turns } from "./turns.ts";
export { followZoneTrust, type ZoneTrust } from "./zone-trust.ts";
