/**
 * Guarantee: one log line is one JSON object on stdout, and no token, password
 * or key reaches it even when an object that holds one is logged by mistake.
 */
import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Field names whose values never belong in a log, at the top and one level down. */
const SECRET_FIELDS = [
  "authorization",
  "cookie",
  "token",
  "password",
  "secret",
  "key",
  "privateKey",
  "unlock",
  "databaseUrl",
  "ownerUrl",
  "url.password",
] as const;

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/**
 * A logger whose every line carries the given names. The level comes from
 * `LIGHTFERRY_LOG_LEVEL`; an unknown word there means `info`.
 */
export function createLogger(names: Readonly<Record<string, string>>): Logger {
  const wanted = process.env.LIGHTFERRY_LOG_LEVEL ?? "info";
  const level = LEVELS.find((name) => name === wanted) ?? "info";
  return pino({
    level,
    base: names,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
      censor: "[redacted]",
    },
  });
}

/** A logger that writes nothing, for tests and short commands. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
