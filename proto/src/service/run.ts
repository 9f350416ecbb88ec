/**
 * Guarantee: the life of every service is the same. It starts from one file of
 * settings, journals that it started and stopped, ends in order on SIGTERM and
 * SIGINT, and never outlives a supervisor that vanished.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { asGatewayError, type ErrorCode, GatewayError } from "../errors/index.ts";
import { type EventInput, EventJournal } from "../event/index.ts";
import { AuditService, createClient, type ServiceName } from "../rpc/index.ts";
import { loadProvider } from "../sm/index.ts";
import { type BaseConfig, readConfigFile } from "./config.ts";
import { hardenProcess, refuseExposure } from "./hardening.ts";
import { type KeyProvider, openKeyProvider } from "./key-provider.ts";
import { createLogger, type Logger } from "./logger.ts";
import { Closer, type Shell } from "./shell.ts";
import { takeStateLock } from "./state-lock.ts";

export interface ServiceDefinition<C extends BaseConfig> {
  readonly name: ServiceName;
  /** Checks the settings; see readBaseConfig and the readers in fields.ts. */
  readonly parse: (raw: unknown) => C;
  /** Opens what the service needs, calls `shell.ready()` and returns; work goes on in the background. */
  readonly start: (shell: Shell<C>) => Promise<void>;
}

/** Exit codes of a service process. */
const EXIT = { asked: 0, failed: 1, badSettings: 2 } as const;

/** Paths and names fit; a message of a library does not flood the log. */
const MAX_DETAIL_CHARS = 256;

/** The first fault after which the service could not go on. */
interface Fault {
  code?: ErrorCode;
  detail?: string;
}

/** Audit comes back in seconds; looking more often would only fill the log. */
const FULL_JOURNAL_PAUSE_MS = 1_000;

/** Runs the service named on the command line by `--config <file.json>` until it ends. */
export async function runService<C extends BaseConfig>(
  definition: ServiceDefinition<C>,
): Promise<void> {
  const log = createLogger({ service: definition.name });
  const hardening = hardenProcess(() => log.warn("SIGUSR1: no inspector is opened here"));
  const closer = new Closer();
  const fault: Fault = {};
  let exiting: number | undefined;
  const end = async (code: number): Promise<void> => {
    exiting = Math.max(exiting ?? 0, code);
    await closer.close((error) => log.error({ err: error }, "a part did not close"));
    log.flush();
    process.exit(exiting);
  };
  const fail = (error: unknown): void => {
    const { code, detail } = asGatewayError(error);
    log.fatal({ code, detail, err: error }, "the service cannot go on");
    fault.code ??= code;
    fault.detail ??= detail;
    void end(code === "config.invalid" ? EXIT.badSettings : EXIT.failed);
  };
  watchForEnd(() => void end(EXIT.asked), fail);
  try {
    const config = loadConfig(definition);
    const exposed = refuseExposure(config.mode, hardening);
    if (exposed.length > 0) log.warn({ exposed }, "readable from outside; demo mode allows it");
    await start(definition, config, log.child({ zone: config.zone }), closer, fail, fault);
  } catch (error) {
    // Closing while starting makes waits throw; that is not a failure.
    if (!closer.signal.aborted) fail(error);
  }
}

function loadConfig<C extends BaseConfig>(definition: ServiceDefinition<C>): C {
  let path: string | undefined;
  try {
    path = parseArgs({ options: { config: { type: "string" } } }).values.config;
  } catch (cause) {
    throw new GatewayError("config.invalid", { detail: "command line", cause });
  }
  if (path === undefined) {
    throw new GatewayError("config.invalid", { detail: "--config <file.json> is needed" });
  }
  const config = definition.parse(readConfigFile(path));
  if (config.service !== definition.name) {
    throw new GatewayError("config.invalid", {
      detail: `service: ${path} is for ${config.service}, this is ${definition.name}`,
    });
  }
  return config;
}

async function start<C extends BaseConfig>(
  definition: ServiceDefinition<C>,
  config: C,
  log: Logger,
  closer: Closer,
  fail: (error: unknown) => void,
  fault: Fault,
): Promise<void> {
  const lock = takeStateLock(config.stateDir);
  closer.add(() => lock.release());
  let keys: KeyProvider | undefined;
  // After the journal has closed: audit signs for what that one still hands over.
  closer.add(() => keys?.close());
  // What is missing in it stops the start before anything is written.
  loadProvider();
  const journal = await openJournal(definition.name, config, log, closer);
  const attributes = { mode: config.mode, pid: String(process.pid), runtime: process.version };
  const started = { type: "service.started", outcome: "ok", actor: definition.name } as const;
  const whenRoom = <T>(work: () => Promise<T>) =>
    onceThereIsRoom(journal, log, closer.signal, work);
  const begun = await whenRoom(() => journal.record([{ ...started, attributes }]));
  if (begun === undefined) return;
  closer.add(() => journal.record([stoppedEvent(definition.name, fault)]));
  keys = await whenRoom(() => openKeyProvider(definition.name, config, journal, log));
  if (keys === undefined) return;
  const { provider, hsm, report } = keys;
  closer.add(report);
  await definition.start({
    config,
    log,
    journal,
    provider,
    hsm,
    closing: closer.signal,
    onClose: (close) => closer.add(close),
    // A supervisor waits for this line, so no chosen log level may hide it.
    ready: (info = {}) =>
      log
        .child({}, { level: "info" })
        .info({ event: "ready", sm4Bulk: provider.bulk, ...info }, "ready"),
    fail,
  });
}

/** Why it ended, when nobody asked it to: a refusal to start is found in the log like any other. */
function stoppedEvent(actor: ServiceName, { code, detail }: Fault): EventInput {
  if (code === undefined) return { type: "service.stopped", outcome: "ok", actor };
  const attributes = detail ? { detail: detail.slice(0, MAX_DETAIL_CHARS) } : {};
  return { type: "service.stopped", outcome: "error", code, actor, attributes };
}

/** Audit's own journal has no client: it would call itself. Audit attaches its sequencer. */
async function openJournal(
  name: ServiceName,
  config: BaseConfig,
  log: Logger,
  closer: Closer,
): Promise<EventJournal> {
  const address = name === "audit" ? undefined : config.peers.audit;
  const client =
    address === undefined
      ? undefined
      : createClient(AuditService, { address, tls: config.tls, zone: config.zone, peer: "audit" });
  if (client !== undefined) closer.add(() => client.close());
  const journal = await EventJournal.open({
    dir: join(config.stateDir, "journal"),
    zone: config.zone,
    node: config.node,
    emitter: name,
    maxBytes: config.journalMaxBytes,
    log,
    sink: client,
  });
  closer.add(() => journal.close());
  return journal;
}

/**
 * A full journal empties itself once audit is back; until then there is nothing to start for.
 * @returns what `work` gives; undefined when the service closes before
 */
async function onceThereIsRoom<T>(
  journal: EventJournal,
  log: Logger,
  closing: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  while (!closing.aborted) {
    try {
      const done = await work();
      return closing.aborted ? undefined : done;
    } catch (error) {
      if (asGatewayError(error).code !== "journal.full") throw error;
      log.warn({ ...journal.backlog }, "the journal is full; waiting for audit");
      await delay(FULL_JOURNAL_PAUSE_MS, undefined, { signal: closing }).catch(() => undefined);
    }
  }
  return undefined;
}

function watchForEnd(asked: () => void, fail: (error: unknown) => void): void {
  process.once("SIGTERM", asked);
  process.once("SIGINT", asked);
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  if (process.env.LIGHTFERRY_SUPERVISED === "1") {
    // The supervisor holds the other end of stdin for as long as it lives.
    process.stdin.once("end", asked);
    process.stdin.once("error", asked);
    process.stdin.resume();
  }
}
