/**
 * Guarantee: what the zone trusts is on disk before anybody is told that it is;
 * a version is never used twice and never falls, whatever ends the program; an
 * item that does not verify against the pinned root never enters. One change at
 * a time.
 *
 * import ─▶ judge ─▶ journal ─▶ items, then version (synced) ─▶ new store ─▶ waiters, listeners ─▶ answer
 * deny ───▶ journal ─▶ denials with version (synced) ──────────┘
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import type { lightferry } from "@lightferry/proto/gen";
import type { Mode } from "@lightferry/proto/registry";
import type { SmProvider } from "@lightferry/proto/sm";
import {
  type Denial,
  MAX_DENIALS,
  MAX_TRUST_BYTES,
  readTrustFolder,
  removeTrustItem,
  TrustStore,
  writeTrustItems,
  writeTrustState,
} from "@lightferry/proto/trust";
import { deniedEvent, judgedEvent, loadedEvent, notKeptEvent, type Origin } from "./events.ts";
import { judgeAll } from "./judge-all.ts";

type TrustSet = lightferry.policy.v1.TrustSet.$Properties;
type ImportResult = lightferry.policy.v1.ImportResult.$Properties;

export interface KeeperOptions {
  readonly provider: SmProvider;
  readonly folder: string;
  /** DER of the pinned root. */
  readonly root: Uint8Array;
  readonly mode: Mode;
  readonly journal: { record(events: EventInput[]): Promise<unknown> };
  /** Unix milliseconds. */
  now(): number;
  /** Of the store for the node certificates of one zone; {@link MAX_ZONE_TRUST_BYTES} but in tests. */
  readonly zoneBytes?: number;
}

export class TrustKeeper {
  readonly #options: KeeperOptions;
  #store: TrustStore;
  #set: TrustSet;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #listeners: (() => void)[] = [];

  private constructor(options: KeeperOptions, store: TrustStore, denials: readonly Denial[]) {
    this.#options = options;
    this.#store = store;
    this.#set = handedOut(store, denials);
  }

  /**
   * Reads and verifies the folder; begins a version of its own, since a former run may have ended
   * between writing an item and saying so.
   * @throws GatewayError `trust.store-invalid`, `certificate.*` when the pinned root itself cannot be
   *   used, `journal.full`
   */
  static async open(options: KeeperOptions): Promise<TrustKeeper> {
    const { provider, folder, root, mode, journal } = options;
    const kept = readTrustFolder(provider, folder);
    const version = nextVersion(kept.version, options.now());
    const read: TrustSet = {
      version,
      certificates: [...kept.certificates],
      revocationLists: [...kept.revocationLists],
      denials: [...kept.denials],
    };
    const store = TrustStore.build(provider, { root, set: read, mode });
    await journal.record([loadedEvent(store, kept.denials.length)]);
    await writeTrustState(folder, { version, denials: kept.denials });
    await removeSuperseded(options, kept.revocationLists, store);
    return new TrustKeeper(options, store, kept.denials);
  }

  /** The store in force; immutable. */
  current(): TrustStore {
    return this.#store;
  }

  /** What GetTrust answers: what verified. The files of what did not stay, for whoever looks into it. */
  get set(): TrustSet {
    return this.#set;
  }

  get version(): number {
    return this.#set.version ?? 0;
  }

  /** Runs after every change. */
  changed(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Judges every item on its own and keeps those that are new.
   * @returns one result per item, in order; durable
   * @throws GatewayError `trust.store-full`, `trust.store-invalid`, `journal.full`: nothing was taken
   */
  import(items: readonly Uint8Array[], origin: Origin): Promise<ImportResult[]> {
    return this.#alone(async () => {
      const { provider, folder, journal, now } = this.#options;
      const denials = this.#denials;
      const version = this.#nextVersion();
      const { results, taken, store } = judgeAll(
        this.#store,
        items,
        now(),
        (certificates, revocationLists) =>
          this.#build({ version, certificates, revocationLists, denials: [...denials] }),
        this.#options.zoneBytes,
      );
      const events = results.flatMap((result, i) =>
        result.status === "known"
          ? []
          : [judgedEvent(provider, result, items[i] ?? new Uint8Array(), origin)],
      );
      if (taken.length > 0 && sizeOf(store) > MAX_TRUST_BYTES) {
        throw new GatewayError("trust.store-full", { detail: `${MAX_TRUST_BYTES} bytes` });
      }
      if (events.length > 0) await journal.record(events);
      if (taken.length > 0) {
        const lists = this.#store.revocationLists.map(({ der }) => der);
        try {
          await writeTrustItems(provider, folder, taken);
          await writeTrustState(folder, { version, denials });
        } catch (error) {
          await journal.record([notKeptEvent(asGatewayError(error), origin)]);
          throw error;
        }
        this.#use(store, denials);
        await removeSuperseded(this.#options, lists, store);
      }
      return results.map((result) => ({ ...result, code: result.code ?? "" }));
    });
  }

  /**
   * Denies a key in this zone, or lifts that; in force for every service at its next poll, at once.
   * @throws GatewayError `trust.store-full`, `trust.store-invalid`, `journal.full`: nothing has changed
   */
  deny(denial: Denial, lift: boolean): Promise<number> {
    return this.#alone(async () => {
      const { folder, journal } = this.#options;
      const others = this.#denials.filter(({ keyId }) => keyId !== denial.keyId);
      const denied = others.length < this.#denials.length;
      // Lifted, or denied, already: the first decision stands as it was made.
      if (denied !== lift) return this.version;
      const denials = lift ? others : [...others, denial];
      if (denials.length > MAX_DENIALS) {
        throw new GatewayError("trust.store-full", { detail: `${denials.length} denials` });
      }
      await journal.record([deniedEvent(denial, lift)]);
      const next = this.#build({ ...this.set, version: this.#nextVersion(), denials });
      await writeTrustState(folder, { version: next.version, denials });
      this.#use(next, denials);
      return next.version;
    });
  }

  get #denials(): readonly Denial[] {
    return (this.#set.denials ?? []) as readonly Denial[];
  }

  #nextVersion(): number {
    return nextVersion(this.version, this.#options.now());
  }

  #build(set: TrustSet): TrustStore {
    const { provider, root, mode } = this.#options;
    return TrustStore.build(provider, { root, set, mode });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #use(store: TrustStore, denials: readonly Denial[]): void {
    this.#store = store;
    this.#set = handedOut(store, denials);
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Removes the files of lists that verified and have been followed by newer ones. What did not verify
 * stays, for whoever looks into it; so does what cannot be removed now, until the next start.
 */
async function removeSuperseded(
  { provider, folder }: KeeperOptions,
  lists: readonly Uint8Array[],
  store: TrustStore,
): Promise<void> {
  const inForce = new Set(store.revocationLists.map(({ digest }) => digest));
  const unverified = store.rejected
    .filter(({ code }) => code !== "trust.stale")
    .map(({ item }) => item);
  for (const der of lists) {
    const digest = Buffer.from(provider.sm3(der)).toString("hex");
    if (inForce.has(digest) || unverified.some((item) => Buffer.compare(item, der) === 0)) continue;
    await removeTrustItem(provider, folder, { kind: "revocation-list", der }).catch(
      () => undefined,
    );
  }
}

function handedOut(store: TrustStore, denials: readonly Denial[]): TrustSet {
  return {
    version: store.version,
    certificates: store.certificates.map(({ der }) => der),
    revocationLists: store.revocationLists.map(({ der }) => der),
    denials: [...denials],
  };
}

/** Ahead of the clock too, so that a folder put back from a backup still goes forward. */
function nextVersion(former: number, nowMs: number): number {
  return Math.max(former + 1, nowMs);
}

function sizeOf({ certificates, revocationLists }: TrustStore): number {
  return [...certificates, ...revocationLists].reduce((sum, { der }) => sum + der.length, 0);
}
