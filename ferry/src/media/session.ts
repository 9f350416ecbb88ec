/**
 * Guarantee: a command on a medium has what a service of its zone has: the lock
 * of the state folder, the event journal, counted keys, verified registry and
 * trust. It ends in order whatever happened, and says when policy is away
 * instead of waiting for it.
 */
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { EventJournal } from "@lightferry/proto/event";
import { fetchRegistry, type Registry } from "@lightferry/proto/registry";
import { AuditService, createClient, PolicyService } from "@lightferry/proto/rpc";
import {
  type BaseConfig,
  followZoneTrust,
  type KeyProvider,
  openKeyProvider,
  silentLogger,
  takeStateLock,
} from "@lightferry/proto/service";
import { loadProvider, type SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory, TrustSource } from "@lightferry/proto/trust";
import { requirePeer } from "../peers.ts";

/** Policy answers within a second, or does not run. */
const POLICY_MS = 15_000;
/** What audit has not taken by then it gets from the journal, with the next command or service. */
const AUDIT_MS = 5_000;

export interface Session {
  readonly provider: SmProvider;
  readonly registry: Registry;
  readonly trust: TrustSource;
  /** Public keys of the registered nodes, by the trust store in force. */
  keys(): KeyDirectory;
  readonly signal: AbortSignal;
}

/** What only a command that changes something has. */
export interface WritingSession extends Session {
  readonly journal: EventJournal;
  readonly hsm: KeyProvider["hsm"];
}

/** Work of a command; what it opens itself it closes itself. */
type Work<S, T> = (session: S) => Promise<T>;

type Closers = (() => unknown)[];

/**
 * For commands that change nothing: no lock, so the service may be running.
 * @throws GatewayError `rpc.unavailable`, `registry.*`, `trust.*`, and what the work throws
 */
export async function readingSession<T>(
  config: BaseConfig,
  signal: AbortSignal,
  work: Work<Session, T>,
): Promise<T> {
  return await closing(async (closers) => {
    const provider = loadProvider();
    return await work(await reach(config, provider, signal, closers));
  });
}

/**
 * For commands that change something.
 * @throws GatewayError `service.already-running` and as {@link readingSession}
 */
export async function writingSession<T>(
  config: BaseConfig,
  signal: AbortSignal,
  work: Work<WritingSession, T>,
): Promise<T> {
  return await closing(async (closers) => {
    const lock = takeStateLock(config.stateDir);
    closers.push(() => lock.release());
    let keys: KeyProvider | undefined;
    // After the journal, as in a service: what is still handed over may be signed for.
    closers.push(() => keys?.close());
    const journal = await openJournal(config, closers);
    keys = await openKeyProvider(config.service, config, journal, silentLogger());
    const { provider, hsm, report } = keys;
    closers.push(report);
    const reached = await reach(config, provider, signal, closers);
    return await work({ ...reached, journal, hsm });
  });
}

/** Runs the work and closes what it opened, the last first; the work's own fault is the one that is told. */
async function closing<T>(work: (closers: Closers) => Promise<T>): Promise<T> {
  const closers: Closers = [];
  let fault: unknown;
  try {
    return await work(closers);
  } catch (error) {
    fault = error;
    throw error;
  } finally {
    for (const close of closers.reverse()) {
      try {
        await close();
      } catch (error) {
        fault ??= error;
      }
    }
    // biome-ignore lint/correctness/noUnsafeFinally: only a fault of closing that would be lost is thrown
    if (fault !== undefined) throw fault;
  }
}

async function reach(
  config: BaseConfig,
  provider: SmProvider,
  signal: AbortSignal,
  closers: Closers,
): Promise<Session> {
  const address = requirePeer(config, "policy");
  const { tls, zone } = config;
  const policy = createClient(PolicyService, { address, tls, zone, peer: "policy" });
  closers.push(() => policy.close());
  const stop = new AbortController();
  closers.push(() => stop.abort());
  const over = AbortSignal.any([signal, stop.signal]);
  const shell = {
    ...{ config, provider, closing: over, log: silentLogger() },
    onClose: (close: () => unknown) => void closers.push(close),
  };
  const found = await within(over, async (limited) => {
    const registry = await fetchRegistry(policy, provider, config, limited);
    const { source } = await followZoneTrust({ ...shell, closing: over }, address);
    return { registry, trust: source };
  });
  const zoneOf = (id: string): string | undefined => found.registry.node(id)?.zone;
  return {
    provider,
    ...found,
    keys: () => found.trust.current().keyDirectory(zoneOf),
    signal,
  };
}

/** Peers are waited for without end by services; by a person's command only so long. */
async function within<T>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = AbortSignal.timeout(POLICY_MS);
  const limited = AbortSignal.any([signal, timer]);
  const late = new Promise<never>((_, reject) => {
    const away = () => reject(new GatewayError("rpc.unavailable", { detail: "policy" }));
    limited.addEventListener("abort", away, { once: true });
  });
  return await Promise.race([work(limited), late]);
}

async function openJournal(config: BaseConfig, closers: Closers): Promise<EventJournal> {
  const { zone, node, service, stateDir, journalMaxBytes: maxBytes, tls } = config;
  const address = config.peers.audit;
  const sink =
    address === undefined
      ? undefined
      : createClient(AuditService, { address, tls, zone, peer: "audit" });
  if (sink !== undefined) closers.push(() => sink.close());
  const dir = join(stateDir, "journal");
  const log = silentLogger();
  const journal = await EventJournal.open({
    ...{ dir, zone, node, emitter: service, maxBytes, log, sink },
  });
  closers.push(async () => {
    if (sink !== undefined) await journal.drained(AbortSignal.timeout(AUDIT_MS));
    await journal.close();
  });
  return journal;
}
