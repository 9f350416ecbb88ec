/**
 * Guarantee: nothing new is accepted that spool, outbox and disk have no room
 * for; what was accepted goes on being sealed and emitted. Who is put off is
 * told when to come again; that it began and that it is over is journalled
 * once each.
 *
 *   open ─(mark or disk floor reached)▶ closed: 429 or 507 ─(below nine tenths, floor and a quarter)▶ open
 */
import { stat, statfs } from "node:fs/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { Troubles } from "@lightferry/proto/service";
import type { BacklogDocument } from "../backlog-document.ts";
import type { FrontProxyContext } from "../context.ts";
import { query } from "../database.ts";
import type { Spool } from "../payload/spool.ts";
import type { Outbox } from "./outbox.ts";

/** Without a setting: the rest of the file system is for the database and whatever else lives there. */
const SHARE_OF_DISK = 0.8;
/** Accepting begins again below this part of a mark, or with this much of the reserve: it must not flutter. */
const RESUME_BELOW = 0.9;
const RESUME_RESERVE = 1.25;
/** How old the figure of free space may be: a statfs costs little, one per request is waste. */
const FREE_SPACE_AGE_MS = 1_000;
/** The drain rate is that of the last minutes: bundles and their ends come in bursts. */
const RATE_WINDOW_MS = 300_000;
/** Less has been seen of the drain than tells a rate. */
const RATE_LEAST_MS = 30_000;
const RETRY_UNKNOWN_SECONDS = 10;
const RETRY_SECONDS = { min: 5, max: 600 };
const WORK = "accepting submissions";

interface Gauge {
  readonly name: string;
  readonly high: number;
  used(): number;
}

interface Disk {
  /** Bytes of the smaller of the two when spool and outbox are on two file systems. */
  readonly spool: number;
  readonly outbox: number;
}

export class SendingRoom {
  readonly #context: FrontProxyContext;
  readonly #spool: Spool;
  readonly #outbox: Outbox;
  readonly #gauges: readonly Gauge[];
  readonly #oneDisk: boolean;
  readonly #troubles: Troubles;
  readonly #freed: { readonly atMs: number; readonly bytes: number }[] = [];
  #closed: GatewayError | undefined;
  /** Accepted and not sealed yet: it will take its size once more, in the outbox. */
  #unsealed = 0;
  #disk: Promise<Disk> | undefined;
  #diskAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    context: FrontProxyContext,
    spool: Spool,
    outbox: Outbox,
    sendingHigh: number,
    oneDisk: boolean,
  ) {
    this.#context = context;
    this.#spool = spool;
    this.#outbox = outbox;
    this.#oneDisk = oneDisk;
    this.#gauges = [
      {
        name: "spool",
        high: context.config.limits.spoolHighWaterBytes,
        used: () => spool.usedBytes,
      },
      {
        name: "spool and outbox",
        high: sendingHigh,
        used: () => spool.usedBytes + outbox.bytes,
      },
    ];
    const { journal, log } = context.shell;
    this.#troubles = new Troubles(journal, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
  }

  static async open(
    context: FrontProxyContext,
    spool: Spool,
    outbox: Outbox,
  ): Promise<SendingRoom> {
    const { spoolDir, outboxDir, limits } = context.config;
    const { blocks, bsize } = await statfs(outboxDir);
    const high = limits.sendingHighWaterBytes ?? Math.floor(blocks * bsize * SHARE_OF_DISK);
    const [one, other] = await Promise.all([stat(spoolDir), stat(outboxDir)]);
    const room = new SendingRoom(context, spool, outbox, high, one.dev === other.dev);
    await room.look();
    return room;
  }

  /**
   * Refuses new work while there is no room for it, before anything of it is stored.
   * @throws GatewayError `spool.full` over a high-water mark, `spool.disk-full` at the disk's floor.
   */
  async assertRoom(bytes: number): Promise<void> {
    await this.#reopen();
    if (this.#closed !== undefined) throw this.#closed;
    const full = this.#overMark(bytes);
    if (full !== undefined) {
      // What is merely too large for what is left is refused alone; smaller ones still pass.
      if (this.#nearMark()) await this.#close(full);
      throw full;
    }
    const short = await this.#shortage(bytes, 1);
    if (short !== undefined) {
      if ((await this.#shortage(0, RESUME_RESERVE)) !== undefined) await this.#close(short);
      throw short;
    }
    this.#unsealed += bytes;
  }

  /**
   * For work already begun: only the disk's floor and the spool's own mark end it.
   * @throws GatewayError `spool.full`, `spool.disk-full`.
   */
  async assertFloor(): Promise<void> {
    await this.#spool.assertRoom(0);
    const short = await this.#shortage(0, 1);
    if (short !== undefined) throw short;
  }

  /** Measures anew what only the database knows; called by every round of the sweep. */
  async look(): Promise<void> {
    this.#unsealed = await unsealedBytes(this.#context);
    const atMs = performance.now();
    this.#freed.push({ atMs, bytes: this.#spool.freedBytes + this.#outbox.freedBytes });
    while (atMs - (this.#freed[0]?.atMs ?? atMs) > RATE_WINDOW_MS) this.#freed.shift();
    await this.#reopen();
  }

  /** As an operator is told. */
  get state(): BacklogDocument["room"] {
    const [fullest] = this.#gauges.toSorted((a, b) => b.used() / b.high - a.used() / a.high);
    return {
      accepting: this.#closed === undefined,
      usedBytes: fullest?.used() ?? 0,
      highWaterBytes: fullest?.high ?? 0,
    };
  }

  /** When whoever was put off may come again: what is too much, by the rate at which room came free. */
  retryAfterSeconds(): number {
    const excess = Math.max(
      ...this.#gauges.map((gauge) => gauge.used() - gauge.high * RESUME_BELOW),
    );
    const [first] = this.#freed;
    const last = this.#freed.at(-1);
    if (first === undefined || last === undefined || excess <= 0) return RETRY_UNKNOWN_SECONDS;
    const ms = last.atMs - first.atMs;
    if (ms < RATE_LEAST_MS) return RETRY_UNKNOWN_SECONDS;
    const perSecond = ((last.bytes - first.bytes) / ms) * 1_000;
    const seconds = perSecond > 0 ? Math.ceil(excess / perSecond) : RETRY_SECONDS.max;
    return Math.min(Math.max(seconds, RETRY_SECONDS.min), RETRY_SECONDS.max);
  }

  #overMark(bytes: number): GatewayError | undefined {
    const full = this.#gauges.find((gauge) => gauge.used() + bytes > gauge.high);
    if (full === undefined) return undefined;
    return new GatewayError("spool.full", {
      detail: `${full.name}: ${full.used()} of ${full.high} bytes`,
    });
  }

  #nearMark(): boolean {
    return this.#gauges.some((gauge) => gauge.used() >= gauge.high * RESUME_BELOW);
  }

  async #shortage(bytes: number, part: number): Promise<GatewayError | undefined> {
    const { spool, outbox } = await this.#free();
    const reserve = this.#context.config.limits.spoolReserveBytes * part;
    // Once as it comes in, once sealed.
    const sealed = this.#unsealed + bytes;
    const short = this.#oneDisk
      ? spool < reserve + bytes + sealed
      : spool < reserve + bytes || outbox < reserve + sealed;
    if (!short) return undefined;
    return new GatewayError("spool.disk-full", {
      detail: `${Math.min(spool, outbox)} bytes are free, ${sealed} are to be sealed`,
    });
  }

  #free(): Promise<Disk> {
    const now = performance.now();
    if (this.#disk === undefined || now - this.#diskAtMs > FREE_SPACE_AGE_MS) {
      this.#diskAtMs = now;
      const { spoolDir, outboxDir } = this.#context.config;
      // Those who come meanwhile wait for the same answer.
      this.#disk = Promise.all([freeBytes(spoolDir), freeBytes(outboxDir)]).then(
        ([spool, outbox]) => ({ spool, outbox }),
      );
    }
    return this.#disk;
  }

  async #close(fault: GatewayError): Promise<void> {
    this.#closed = fault;
    await this.#troubles.met(WORK, fault);
  }

  async #reopen(): Promise<void> {
    if (this.#closed === undefined || this.#nearMark()) return;
    if ((await this.#shortage(0, RESUME_RESERVE)) !== undefined) return;
    this.#closed = undefined;
    await this.#troubles.over(WORK);
  }
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** Content that still has to be written into a bundle. */
async function unsealedBytes({ pool }: FrontProxyContext): Promise<number> {
  const { rows } = await query<{ bytes: number }>(
    pool,
    "room-unsealed",
    `SELECT ((SELECT coalesce(sum(size), 0) FROM exchange
               WHERE state IN ('received', 'held', 'permitted', 'expired'))
           + (SELECT coalesce(sum(durable), 0) FROM upload))::bigint AS bytes`,
  );
  return rows[0]?.bytes ?? 0;
}
