/**
 * Guarantee: a service gets one provider, with every use of a private key
 * counted, whether its keys lie in files or in a cipher machine.
 */
import { join } from "node:path";
import { DEFAULT_MAX_BYTES, type EventJournal } from "../event/index.ts";
import type { ServiceName } from "../rpc/index.ts";
import { loadProvider, openSdfProvider, type SdfProvider, type SmProvider } from "../sm/index.ts";
import type { BaseConfig } from "./config.ts";
import { KeyMeter, meterProvider } from "./key-meter.ts";
import type { Logger } from "./logger.ts";

/** An event about a key with its frame: asked for before a block of uses is opened. */
const ROOM_BYTES = 4_096;

export interface KeyProvider {
  readonly provider: SmProvider;
  /** The cipher machine, where the settings name one. */
  readonly hsm: SdfProvider | undefined;
  /** Journals the exact counts: the last thing before the journal hears that the service stopped. */
  report(): Promise<void>;
  /** After the journal: no key is used any more, the machine is given back. */
  close(): Promise<void>;
}

/**
 * @throws GatewayError `journal.full` (nothing has changed then), `sm.key-count-corrupt`, `sm.hsm-*`,
 * `sm.self-test-failed`
 */
export async function openKeyProvider(
  name: ServiceName,
  config: BaseConfig,
  journal: EventJournal,
  log: Logger,
): Promise<KeyProvider> {
  const most = config.journalMaxBytes ?? DEFAULT_MAX_BYTES;
  const meter = await KeyMeter.open({
    path: join(config.stateDir, "key-uses.json"),
    actor: name,
    record: (events) => journal.record(events),
    room: () => journal.backlog.bytes + ROOM_BYTES <= most,
    whenFull: name === "audit" ? "count" : "refuse",
    log,
  });
  const counted = (provider: SmProvider): SmProvider => meterProvider(provider, meter);
  if (config.hsm === undefined) {
    return {
      provider: counted(loadProvider()),
      hsm: undefined,
      report: () => meter.report(),
      close: () => meter.settle(),
    };
  }
  try {
    const settings = { ...config.hsm, refusedPath: join(config.stateDir, "hsm-refused") };
    const hsm = openSdfProvider(settings, counted);
    const { issuer, model, serial } = hsm.info;
    log.info({ issuer, model, serial }, "cipher machine open");
    const close = async (): Promise<void> => {
      hsm.close();
      await meter.settle();
    };
    return { provider: hsm.provider, hsm, report: () => meter.report(), close };
  } catch (error) {
    await meter.report();
    await meter.settle();
    throw error;
  }
}
