/**
 * Guarantee: both real programs at the two ends of a {@link Line}, with their
 * peers in their own namespaces, and what they say of themselves.
 */
import { linkSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { lightferry } from "@lightferry/proto/gen";
import { DEFAULT_FRAME_SIZE, FRAME_HEADER, MAX_FRAME_SIZE } from "../src/frame.ts";
import { WIRE_OVERHEAD } from "../src/gate/gate.ts";
import { DEFAULT_CODE } from "../src/object.ts";
import type { RxLane, RxLink } from "../src/picture.ts";
import { type Peers, startPeers } from "../test/peers.ts";
import { type Program, startProgram } from "../test/program.ts";
import { type Place, place } from "../test/world.ts";
import { cpuSeconds } from "./wire/cpu.ts";
import { endsWithUs, removedWithUs, until } from "./wire/ends.ts";
import { type Line, RX_ADDRESS } from "./wire/line.ts";
import { inNamespace, whileInNamespace } from "./wire/namespaces.ts";

// A peer whose caller was killed, or asks with a lease of before, would say so a hundred times.
process.env.LIGHTFERRY_LOG_LEVEL ??= "silent";

export type Bundle = lightferry.ferry.v1.LeasedBundle.$Properties;
export type Side = "tx" | "rx";

export const PORT = 7700;
const JUMBO_MTU = 9000;
/** 0.75 s of 1 Gb/s and more: a busy machine may not run the receiver for that long. */
export const RECEIVE_BUFFER = 1 << 27;
/** Node, the first registry and the first heartbeat, on a machine that does much else. */
export const START_LIMIT_MS = 60_000;
/** Status files are written every second, heartbeats sent every second. */
export const SETTLE_LIMIT_MS = 30_000;

export interface FerryOptions {
  /** Wire bytes per second. */
  readonly rate: number;
  readonly mtu: number;
  readonly secondPassSeconds: number;
  readonly socket?: "auto" | "dgram";
  /** Of the gate, at both ends (SPEC.md §13); off when absent. */
  readonly tags?: boolean;
  /** Folder below which all state lies: a disk or memory. */
  readonly base: string;
}

/** What a drill reads of the sender's picture. */
export interface TxPicture {
  readonly timeMs: number;
  readonly nextFrame: number;
  readonly sent: { readonly frames: number; readonly failed: number };
  readonly bundles: {
    readonly emitted: number;
    readonly finished: number;
    readonly refused: number;
  };
}

/** What a drill reads of the receiver's picture. */
export interface RxPicture {
  readonly timeMs: number;
  readonly frames: number;
  readonly epoch: number;
  readonly received: { readonly overruns?: number };
  readonly accounted: { readonly settled: number; readonly lost: number };
  readonly heartbeat: { readonly count: number };
  readonly tags?: RxLink["tags"];
  readonly checked?: RxLane["checked"];
  /** Data shards made from parity. */
  readonly restored?: number;
  readonly heldBytes: number;
  readonly rejected: Readonly<Record<string, number>>;
}

/** A full frame of a line with this MTU. */
export function frameSizeOf(mtu: number): number {
  return mtu >= JUMBO_MTU ? MAX_FRAME_SIZE : DEFAULT_FRAME_SIZE;
}

/** Content bytes to wire bytes of full groups on a line with this MTU. */
export function codingShare(mtu: number): number {
  const frame = frameSizeOf(mtu);
  const { groupShards, parityShards } = DEFAULT_CODE;
  const ofGroup = groupShards / (groupShards + parityShards);
  return ((frame - FRAME_HEADER) / (frame + WIRE_OVERHEAD)) * ofGroup;
}

interface Running extends Program {
  ended(): void;
}

export class Ferries {
  readonly at: Place;
  readonly #line: Line;
  readonly #peers: Peers;
  readonly #programs = new Map<Side, Running>();
  readonly #tags: boolean;

  private constructor(line: Line, at: Place, peers: Peers, tags: boolean) {
    this.#line = line;
    this.at = at;
    this.#peers = peers;
    this.#tags = tags;
  }

  /** Both programs, up and in touch. */
  static async start(line: Line, options: FerryOptions): Promise<Ferries> {
    const at = place(options.base);
    removedWithUs(at.root);
    const { rate, mtu, secondPassSeconds, socket, tags = false } = options;
    const peers = await startPeers(
      at,
      {
        ...{ rate, secondPassSeconds, frameSize: frameSizeOf(mtu), socket: socket ?? "auto" },
        ...{ host: RX_ADDRESS, receiveBufferBytes: RECEIVE_BUFFER, tags },
      },
      (zone, open) =>
        whileInNamespace(zone === "extranet" ? line.tx.namespace : line.rx.namespace, open),
    );
    const ferries = new Ferries(line, at, peers, tags);
    try {
      // The receiver first: what is sent before it listens is lost and counted.
      await ferries.run("rx");
      await ferries.run("tx");
      await ferries.inTouch();
      return ferries;
    } catch (error) {
      await ferries.stop();
      throw error;
    }
  }

  async run(side: Side): Promise<void> {
    const path = side === "tx" ? this.#peers.txConfig(PORT) : this.#peers.rxConfig(PORT);
    const program = await inNamespace(this.#line[side].namespace, () => startProgram(side, path));
    this.#programs.set(side, { ...program, ended: endsWithUs(program.pid) });
  }

  async kill(side: Side): Promise<void> {
    const program = this.#program(side);
    this.#programs.delete(side);
    await program.end("SIGKILL");
    program.ended();
  }

  /** The receiver has heard a heartbeat of the sender's present epoch, and with tags has its key. */
  async inTouch(): Promise<void> {
    const heard = () => {
      const rx = this.#picture<RxPicture>("rx");
      if (rx === undefined || rx.heartbeat.count === 0 || rx.epoch === 0) return undefined;
      return this.#tags && rx.tags !== "on" ? undefined : true;
    };
    await until("a heartbeat heard", START_LIMIT_MS, heard);
  }

  /** Hands a bundle of another folder of the same file system to the outbox. */
  put(bundle: Bundle, from: string): void {
    const file = bundle.file ?? "";
    linkSync(join(from, file), join(this.at.outboxDir, file));
    this.at.outbox.put(bundle);
  }

  /** Of the receiver. */
  get port(): number {
    return PORT;
  }

  pid(side: Side): number {
    return this.#program(side).pid;
  }

  /** What the receiver says of itself now. */
  picture(side: "rx"): RxPicture | undefined {
    return this.#picture<RxPicture>(side);
  }

  cpu(side: Side): number {
    return cpuSeconds(this.#program(side).pid) ?? 0;
  }

  /**
   * Pictures of both sides in which every frame numbered until this call is accounted for.
   * @throws RangeError when the account is not settled in time
   */
  async settled(): Promise<{ readonly tx: TxPicture; readonly rx: RxPicture }> {
    const now = Date.now();
    const tx = await until("the sender's picture", SETTLE_LIMIT_MS, () => {
      const picture = this.#picture<TxPicture>("tx");
      return picture !== undefined && picture.timeMs > now ? picture : undefined;
    });
    const rx = await until("the loss account", SETTLE_LIMIT_MS, () => {
      const picture = this.#picture<RxPicture>("rx");
      return (picture?.accounted.settled ?? 0) >= tx.nextFrame ? picture : undefined;
    });
    return { tx, rx };
  }

  async stop(): Promise<void> {
    for (const side of this.#programs.keys()) await this.kill(side);
    await this.#peers.close();
    this.at.remove();
  }

  #program(side: Side): Running {
    const program = this.#programs.get(side);
    if (program === undefined) throw new RangeError(`${side} is not running`);
    return program;
  }

  #picture<T>(side: Side): T | undefined {
    const dir = side === "tx" ? this.at.txState : this.at.rxState;
    try {
      return JSON.parse(readFileSync(join(dir, "status.json"), "utf8")) as T;
    } catch {
      return undefined; // Not yet written.
    }
  }
}
