/** Guarantee: from when on a condition of the link is an alarm: settings with defaults, each within limits that have a reason. */
import { readOptionalInteger, refuseUnknownFields } from "@lightferry/proto/service";

export interface AlarmLimits {
  /** Milliseconds without a signed heartbeat. */
  readonly heartbeatMs: number;
  /** Lost of 1,000 frames, over the window. */
  readonly lossPermille: number;
  readonly lossWindowSeconds: number;
  /** Difference of the clocks of the two ends. */
  readonly clockSeconds: number;
  /** An overrun is over when none came for so long. */
  readonly overrunQuietSeconds: number;
}

export const DEFAULT_ALARM_LIMITS: AlarmLimits = {
  // Two more looks, 100 ms apart, and the journal: a dead sender is alarmed within 3 s.
  heartbeatMs: 2_600,
  // A tenth of what the code repairs: a healthy fibre loses one frame in a million.
  lossPermille: 10,
  lossWindowSeconds: 60,
  // Far below the five minutes from which on a bundle is held, far above what an hour without a time source does.
  clockSeconds: 30,
  overrunQuietSeconds: 60,
};

const LIMITS = {
  /** Three heartbeats; the receiver promises three seconds. */
  heartbeatMilliseconds: { min: 1_500, max: 2_700 },
  lossPermille: { min: 1, max: 1_000 },
  lossWindowSeconds: { min: 5, max: 600 },
  clockSeconds: { min: 1, max: 86_400 },
  overrunQuietSeconds: { min: 1, max: 3_600 },
} as const;

/** Settings `alarms.*`, all of them optional. @throws GatewayError `config.invalid` naming the field */
export function readAlarmLimits(raw: unknown): AlarmLimits {
  refuseUnknownFields(raw, "alarms", Object.keys(LIMITS));
  const read = (name: keyof typeof LIMITS) =>
    readOptionalInteger(raw, `alarms.${name}`, LIMITS[name]);
  const usual = DEFAULT_ALARM_LIMITS;
  return {
    heartbeatMs: read("heartbeatMilliseconds") ?? usual.heartbeatMs,
    lossPermille: read("lossPermille") ?? usual.lossPermille,
    lossWindowSeconds: read("lossWindowSeconds") ?? usual.lossWindowSeconds,
    clockSeconds: read("clockSeconds") ?? usual.clockSeconds,
    overrunQuietSeconds: read("overrunQuietSeconds") ?? usual.overrunQuietSeconds,
  };
}
