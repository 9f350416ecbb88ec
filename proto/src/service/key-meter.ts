/**
 * Guarantee: no private key signs or decrypts through a metered provider
 * without having been counted durably before. Uses are taken from blocks: the
 * end of a block stands in the state folder, and in the journal as
 * `key.use-reserved`, ahead of its uses. After an orderly end the log has the
 * exact number (`key.used`); after a kill -9 it has an upper bound, and counting
 * goes on from there. While the journal takes nothing and the block is used up,
 * the key refuses with `sm.key-use-unrecorded`.
 *
 * One step is not strictly ahead: a block that is needed at once (a key's first of
 * a run, or in a burst that outruns the journal) is durable in the state folder
 * before its first use, and its event is under way then: signing is synchronous,
 * the journal is not. If that event is refused, the block closes at once, and the
 * uses it had are part of the next event or of the next start's.
 *
 * A use costs one look-up and one addition; two fsyncs happen once per block.
 */
import { GatewayError } from "../errors/index.ts";
import type { EventInput } from "../event/index.ts";
import { formatKeyId, type Sm2PrivateKey, type SmProvider } from "../sm/index.ts";
import { type KeyOperation, type KeyUses, readKeyUses, writeKeyUses } from "./key-uses-file.ts";
import type { Logger } from "./logger.ts";

/** Small, so that a service that signs twice a day does not claim thousands after a kill. */
const FIRST_BLOCK = 16;
/** A minute of the fastest signer; the largest bound that a kill can leave too high. */
const LARGEST_BLOCK = 65_536;
/** A block that lasts less is doubled: a steady signer leaves some events an hour, not one a second. */
const BLOCK_LASTS_MS = 10 * 60_000;
/** A journal that refused an event is offered the next one no sooner than this. */
const RETRY_MS = 1_000;
/** How often the exact count goes to the log while a service runs. */
const REPORT_MS = 60 * 60_000;

export interface KeyMeterOptions {
  /** The state file; its folder exists. */
  readonly path: string;
  /** Service that uses the keys. */
  readonly actor: string;
  readonly record: (events: readonly EventInput[]) => Promise<unknown>;
  /** Whether the journal has room for an event now. */
  readonly room: () => boolean;
  /**
   * "refuse" for every service but audit. Audit's own signature is what empties journals: were it
   * refused while its journal is full, nothing could ever empty that one. It counts in the state
   * folder and journals when there is room again.
   */
  readonly whenFull: "refuse" | "count";
  readonly log: Pick<Logger, "warn">;
}

interface Tally {
  readonly keyId: string;
  readonly operation: KeyOperation;
  used: number;
  /** Uses up to here are free to take. */
  limit: number;
  /** Durable in the state file. */
  reserved: number;
  /** Highest number in an event under way, and in a durable one. */
  planned: number;
  recorded: number;
  block: number;
  extendedMs: number;
  refilling: boolean;
  retryMs: number;
  /** Part of a `key.used` already. */
  reported: number;
}

export class KeyMeter {
  readonly #options: KeyMeterOptions;
  /** By `keyId/operation`. */
  readonly #tallies = new Map<string, Tally>();
  readonly #byKey: Record<KeyOperation, WeakMap<Sm2PrivateKey, Tally>> = {
    sign: new WeakMap(),
    decrypt: new WeakMap(),
  };
  readonly #underWay = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  /** The journal refused the last event: nothing is taken on trust until it has taken one. */
  #halted = false;
  #closed = false;

  private constructor(options: KeyMeterOptions, rows: readonly KeyUses[]) {
    this.#options = options;
    for (const { keyId, operation, reserved } of rows) this.#begin(keyId, operation, reserved);
    this.#timer = setInterval(() => void this.report(), REPORT_MS);
    this.#timer.unref();
  }

  /**
   * Takes up the counts of a state folder. What the last process could not tell is journalled first: a
   * `key.used` that is not exact after a kill, an exact one after an orderly end without a journal.
   * @throws GatewayError `sm.key-count-corrupt`; whatever `record` throws, then nothing has changed
   */
  static async open(options: KeyMeterOptions): Promise<KeyMeter> {
    const rows = readKeyUses(options.path);
    const events = rows.filter(({ reported, reserved }) => reported < reserved).map(leftOver);
    if (events.length === 0) return new KeyMeter(options, rows);
    await options.record(events.map((event) => ({ ...event, actor: options.actor })));
    const told = rows.map((row) => ({ ...row, used: row.reserved, reported: row.reserved }));
    writeKeyUses(options.path, told);
    return new KeyMeter(options, told);
  }

  /**
   * Counts one use; call it right before the use.
   * @throws GatewayError `sm.key-use-unrecorded`: the key must not be used
   */
  use(key: Sm2PrivateKey, operation: KeyOperation): void {
    const tally = this.#byKey[operation].get(key) ?? this.#meet(key, operation);
    if (tally.used >= tally.limit) this.#extend(tally);
    tally.used += 1;
    // Half of the newest block is left: time enough for a journal that works.
    if ((tally.limit - tally.used) * 2 <= tally.block) this.#refill(tally);
  }

  /** Journals the exact counts of all keys used since the last report. Faults are logged, not thrown. */
  async report(): Promise<void> {
    const due = [...this.#tallies.values()].filter(({ used, reported }) => used > reported);
    if (due.length === 0) return;
    const counts = due.map(({ used }) => used);
    try {
      await this.#options.record(
        due.map((tally, i) => ({
          ...usedEvent(tally, exact(tally, counts[i] ?? 0)),
          actor: this.#options.actor,
        })),
      );
      due.forEach((tally, i) => {
        tally.reported = counts[i] ?? tally.reported;
      });
      this.#save();
    } catch (error) {
      this.#options.log.warn({ err: error }, "the uses of keys could not be journalled");
    }
  }

  /**
   * The orderly end: gives back what was reserved and not used, and lets no key be used afterwards.
   * Comes after the last {@link report}, and may come after the journal has closed: uses that audit
   * needed for that are exact in the state file, and the next start tells them.
   * @throws GatewayError `sm.key-use-unrecorded` when the state folder cannot be written
   */
  async settle(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const tally of this.#tallies.values()) tally.limit = tally.used;
    await Promise.all(this.#underWay);
    for (const tally of this.#tallies.values()) tally.reserved = tally.used;
    this.#save();
  }

  #meet(key: Sm2PrivateKey, operation: KeyOperation): Tally {
    const keyId = formatKeyId(key.publicKey);
    const tally = this.#tallies.get(`${keyId}/${operation}`) ?? this.#begin(keyId, operation, 0);
    this.#byKey[operation].set(key, tally);
    return tally;
  }

  #begin(keyId: string, operation: KeyOperation, count: number): Tally {
    const tally: Tally = {
      keyId,
      operation,
      used: count,
      limit: count,
      reserved: count,
      planned: count,
      recorded: count,
      block: FIRST_BLOCK,
      extendedMs: Number.NEGATIVE_INFINITY,
      refilling: false,
      retryMs: 0,
      reported: count,
    };
    this.#tallies.set(`${keyId}/${operation}`, tally);
    return tally;
  }

  /** A further block at once: in the state folder before it returns, in the journal right behind. */
  #extend(tally: Tally): void {
    const { keyId, operation } = tally;
    if (this.#closed) throw unrecorded("the service is closing", keyId, operation);
    if (this.#options.whenFull === "refuse" && (this.#halted || !this.#options.room())) {
      // Whether the journal takes events again is found out by offering it one.
      this.#refill(tally);
      throw unrecorded("the journal takes no event", keyId, operation);
    }
    this.#reserve(tally);
    tally.limit = tally.reserved;
    this.#track(this.#announce(tally));
  }

  /** The next block in the background: it opens when its event is durable. */
  #refill(tally: Tally): void {
    if (tally.refilling || performance.now() < tally.retryMs) return;
    tally.refilling = true;
    const next = async (): Promise<void> => {
      try {
        this.#reserve(tally);
        const to = tally.reserved;
        const open = await this.#announce(tally);
        if (open && !this.#closed) tally.limit = Math.max(tally.limit, to);
      } catch (error) {
        tally.retryMs = performance.now() + RETRY_MS;
        this.#options.log.warn({ err: error }, "uses of a key could not be reserved");
      } finally {
        tally.refilling = false;
      }
    };
    this.#track(next());
  }

  #track(work: Promise<unknown>): void {
    const tracked: Promise<void> = work.then(() => {
      this.#underWay.delete(tracked);
    });
    this.#underWay.add(tracked);
  }

  /** Makes the next block durable in the state folder, unless one is there that never opened. */
  #reserve(tally: Tally): void {
    if (tally.reserved > tally.limit) return;
    const before = { reserved: tally.reserved, block: tally.block };
    const now = performance.now();
    if (now - tally.extendedMs < BLOCK_LASTS_MS) {
      tally.block = Math.min(tally.block * 2, LARGEST_BLOCK);
    }
    tally.reserved += tally.block;
    try {
      this.#save();
      tally.extendedMs = now;
    } catch (error) {
      Object.assign(tally, before);
      throw error;
    }
  }

  /** Journals everything reserved that no event under way names. */
  async #announce(tally: Tally): Promise<boolean> {
    const from = tally.planned + 1;
    const to = tally.reserved;
    // Named by an event that is still under way.
    if (from > to) return true;
    tally.planned = to;
    const { keyId, operation } = tally;
    const attributes = { "key-id": keyId, operation, from: String(from), to: String(to) };
    try {
      await this.#options.record([
        { type: "key.use-reserved", outcome: "ok", actor: this.#options.actor, attributes },
      ]);
      if (from <= tally.recorded + 1) tally.recorded = Math.max(tally.recorded, to);
      this.#halted = false;
      return true;
    } catch (error) {
      const { whenFull, log } = this.#options;
      if (!this.#halted) log.warn({ err: error, keyId, operation }, "uses were not journalled");
      tally.planned = tally.recorded;
      tally.retryMs = performance.now() + RETRY_MS;
      this.#halted = true;
      if (whenFull === "count") return true;
      // What a durable event names stays open; the rest waits for one.
      tally.limit = Math.min(tally.limit, Math.max(tally.used, tally.recorded));
      return false;
    }
  }

  #save(): void {
    const rows = [...this.#tallies.values()].map(
      ({ keyId, operation, reserved, used, reported }) => ({
        keyId,
        operation,
        reserved,
        used,
        reported,
      }),
    );
    writeKeyUses(this.#options.path, rows);
  }
}

function exact(tally: Tally, count: number): Record<string, string> {
  return { total: String(count), uses: String(count - tally.reported), exact: "yes" };
}

/** What is told of a count that the last process left behind. */
function leftOver(row: KeyUses): EventInput {
  const { reserved, used, reported } = row;
  const total = String(reserved);
  return used === reserved
    ? usedEvent(row, { total, uses: String(used - reported), exact: "yes" })
    : usedEvent(row, { total, "at-least": String(used), exact: "no" });
}

function usedEvent(
  { keyId, operation }: Pick<KeyUses, "keyId" | "operation">,
  counts: Readonly<Record<string, string>>,
): EventInput {
  const attributes = { "key-id": keyId, operation, ...counts };
  return { type: "key.used", outcome: "ok", attributes };
}

function unrecorded(why: string, keyId: string, operation: KeyOperation): GatewayError {
  return new GatewayError("sm.key-use-unrecorded", {
    detail: `${why}: ${operation} with ${keyId}`,
  });
}

/**
 * The same provider with every signature and decryption by a private key counted first. A use that
 * fails counts too: it is an attempt with the key.
 */
export function meterProvider(provider: SmProvider, meter: Pick<KeyMeter, "use">): SmProvider {
  const metered: SmProvider = {
    ...provider,
    sm2Sign: (key, message, userId) => {
      meter.use(key, "sign");
      return provider.sm2Sign(key, message, userId);
    },
    sm2Decrypt: (key, ciphertext) => {
      meter.use(key, "decrypt");
      return provider.sm2Decrypt(key, ciphertext);
    },
  };
  return Object.freeze(metered);
}
