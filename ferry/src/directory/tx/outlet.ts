/**
 * Guarantee: every file that leaves is signed, numbered without holes, within the profile in name, size and
 * pace, and is tried until the appliance has it. When nothing else leaves, a heartbeat does. The appliance's
 * folder is never filled beyond what the profile allows.
 */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { Troubles } from "@lightferry/proto/service";
import type { Log } from "../../events.ts";
import { untilAnswered } from "../../retry.ts";
import type { LinkSigner } from "../../signed.ts";
import { HEAD_STREAMS, writeHead } from "../head.ts";
import { nameOf, type Profile } from "../profile.ts";
import { Rate } from "../rate.ts";
import type { ShipmentJournal } from "./journal.ts";
import { Line } from "./line.ts";
import { Pace } from "./pace.ts";
import type { Target } from "./target.ts";

/** What lies with the appliance is counted as often at most: a listing may be long. */
const LOOK_MS = 2_000;
/** What it is called to whoever reads of it. */
const SENDING = "sending";
/** A head with its certificates and a stream or two; what a heartbeat is and a part has besides. */
const HEAD_BYTES = 2_048;
const URGENT = 0;

export interface OutletParts {
  readonly node: string;
  readonly lane: string;
  readonly profile: Profile;
  readonly heartbeatMs: number;
  readonly target: Target;
  readonly journal: ShipmentJournal;
  readonly signer: LinkSigner;
  readonly troubles: Troubles;
  readonly log: Log;
  /** This machine's clock, Unix milliseconds. */
  readonly clock: () => number;
  readonly signal: AbortSignal;
}

/** What a file holds beside its head. */
export interface Load {
  readonly head: Pick<lightferry.ferry.v1.FileHead.$Properties, "part" | "inventorySize">;
  readonly length: number;
  readonly parity: boolean;
  pieces(): AsyncIterable<Uint8Array>;
}

export class Outlet {
  /** Since the start. */
  readonly sent = { files: 0, bytes: 0, heartbeats: 0, retried: 0, parityBytes: 0 };
  readonly rate = new Rate();
  /** With the appliance, as far as known. */
  waiting = { files: 0, bytes: 0 };
  readonly #parts: OutletParts;
  readonly #line = new Line();
  readonly #pace: Pace;
  readonly #beating: Promise<void>;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;
  #number = 0;
  #firstStream = 0;

  constructor(parts: OutletParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts.profile);
    this.#beating = this.#beat().catch(() => undefined);
  }

  /** Number of the file sent last in this epoch. */
  get number(): number {
    return this.#number;
  }

  /** Resolves when nothing of it runs any more; the signal of the parts must be aborted. */
  async settled(): Promise<void> {
    await this.#beating;
  }

  /**
   * Sends a part when it is its class's turn.
   * @throws GatewayError `ferry.file-invalid` when its content cannot be read; the reason of the abort
   */
  async send(load: Load, serviceClass: number): Promise<void> {
    await this.#line.run(serviceClass, load.length, () => this.#put(load));
  }

  async #beat(): Promise<void> {
    const { heartbeatMs, signal } = this.#parts;
    while (!signal.aborted) {
      const wait = this.#sentAt + heartbeatMs - performance.now();
      if (wait > 0) await delay(wait, undefined, { signal });
      else await this.#line.run(URGENT, HEAD_BYTES, () => this.#put(undefined));
    }
  }

  async #put(load: Load | undefined): Promise<void> {
    const { troubles, lane, log, signal } = this.#parts;
    const number = this.#number + 1;
    await untilAnswered(
      () => this.#try(load, number),
      signal,
      (error) => {
        const { code, detail } = asGatewayError(error);
        if (code === "ferry.file-invalid") return false;
        this.sent.retried += 1;
        log.warn({ code, detail }, "not sent, tried again");
        void troubles.met(SENDING, error, { lane });
        return true;
      },
    );
    await troubles.over(SENDING, { lane });
    this.#number = number;
    this.#sentAt = performance.now();
    if (load === undefined) this.sent.heartbeats += 1;
  }

  async #try(load: Load | undefined, number: number): Promise<void> {
    const { target, profile, journal, signal } = this.#parts;
    const about = (load?.length ?? 0) + HEAD_BYTES;
    await this.#room(about);
    await this.#pace.turn(about, signal);
    // Only now: its time is that at which the file leaves.
    const head = this.#head(load, number);
    const size = head.length + (load?.length ?? 0);
    const pieces = async function* (): AsyncIterable<Uint8Array> {
      yield head;
      if (load !== undefined) yield* load.pieces();
    };
    // A name that came round, or one that somebody else made: the next one.
    while (
      (await target.put(nameOf(profile, await journal.nextName()), { size, pieces })) === "exists"
    ) {
      signal.throwIfAborted();
    }
    this.sent.files += 1;
    this.sent.bytes += size;
    if (load?.parity === true) this.sent.parityBytes += size;
    this.rate.add(size);
    this.waiting = { files: this.waiting.files + 1, bytes: this.waiting.bytes + size };
  }

  #head(load: Load | undefined, number: number): Uint8Array {
    const { node: sender, lane, journal, signer, clock } = this.#parts;
    return writeHead(signer, {
      ...{
        sender,
        lane,
        epoch: journal.epoch,
        number,
        timeMs: clock(),
        streams: this.#streams(),
      },
      ...load?.head,
    });
  }

  /** @throws GatewayError `directory.target-full` */
  async #room(bytes: number): Promise<void> {
    const { target, profile } = this.#parts;
    const { maxWaitingFiles, maxWaitingBytes } = profile;
    const full = (): boolean =>
      this.waiting.files >= maxWaitingFiles || this.waiting.bytes + bytes > maxWaitingBytes;
    // Counted anew at the start, now and then, and before anything is held back.
    if (performance.now() - this.#lookedAt > LOOK_MS || full()) {
      this.waiting = await target.waiting();
      this.#lookedAt = performance.now();
    }
    if (!full()) return;
    const detail = `${this.waiting.files} files, ${this.waiting.bytes} bytes`;
    throw new GatewayError("directory.target-full", { detail });
  }

  /** With more streams than a head holds each goes on where the last one ended. */
  #streams(): lightferry.ferry.v1.StreamPosition.$Properties[] {
    const all = [...this.#parts.journal.positions].map(([stream, sequence]) => ({
      stream,
      sequence,
    }));
    if (all.length <= HEAD_STREAMS) return all;
    const chosen = Array.from(
      { length: HEAD_STREAMS },
      (_, index) => all[(this.#firstStream + index) % all.length] as (typeof all)[number],
    );
    this.#firstStream = (this.#firstStream + HEAD_STREAMS) % all.length;
    return chosen;
  }
}
