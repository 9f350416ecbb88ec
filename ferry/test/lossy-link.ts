/** Guarantee: both halves on a link that loses what a test says, and repair tickets carried between them as people would. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { QrCollector, qrParts } from "@lightferry/proto/pki";
import { expect } from "vitest";
import { FLAG_PASS_END, FLAG_REPEAT, FRAME_TYPE, type FrameHeader } from "../src/frame.ts";
import { ticketsDir } from "../src/repair/folder.ts";
import { issueTicket } from "../src/repair/issue.ts";
import { missingPath, readMissing } from "../src/repair/missing.ts";
import type { Station } from "../src/rx/station.ts";
import type { Sender } from "../src/tx/sender.ts";
import {
  eventually,
  far,
  LANE,
  type Place,
  place,
  type SenderChange,
  startSender,
  startStation,
  TO,
} from "./fixture.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";

type LeasedBundle = Awaited<ReturnType<Place["seal"]>>;

/** Often enough for a test; everything only at the start and on demand. */
const inventory = { recentMs: 150, windowMs: 600_000, fullMs: 3_600_000 };

export const isObject = ({ type }: FrameHeader) => type <= FRAME_TYPE.MANIFEST;
export const isShard = ({ type }: FrameHeader) => type <= FRAME_TYPE.PARITY;

export class LossyLink {
  readonly at = place();
  station!: Station;
  sender!: Sender;
  /** Whether a frame is lost. */
  lost: (header: FrameHeader) => boolean = () => false;
  /** What went by, lost or not. */
  seen: (header: FrameHeader) => void = () => undefined;
  #port = 0;
  #relay!: Forwarder;

  static async open(): Promise<LossyLink> {
    const link = new LossyLink();
    // Numbers of other tests are nothing that is missing here.
    const { stream, sequence } = await link.at.seal(randomBytes(10));
    for (let number = 1; number <= (sequence ?? 0); number += 1) {
      link.at.outbox.givenUp.push({ stream: stream ?? "", sequence: number });
    }
    await link.receive();
    link.#relay = await startForwarder(
      () => link.#port,
      (header) => {
        link.seen(header);
        return !link.lost(header);
      },
    );
    return link;
  }

  /** Starts the receiving half, as after a stop. */
  async receive(): Promise<void> {
    const { station, port } = await startStation(this.at);
    this.station = station;
    this.#port = port;
  }

  /** Starts the sending half. */
  async send(change: SenderChange = {}): Promise<void> {
    const usual = { inventory, secondPassMs: 100, rate: 6e6 };
    this.sender = await startSender(this.at, this.#relay.port, { ...usual, ...change });
  }

  async restartStation(): Promise<void> {
    await this.station.close();
    await this.receive();
  }

  async close(): Promise<void> {
    await this.sender.close();
    await this.#relay.close();
    await this.station.close();
    this.at.remove();
  }

  /** Open gaps, as the status shows them. */
  readonly rows = (): string[] => {
    const { lanes } = this.station.status() as unknown as {
      lanes: { gaps: { missing: string; state: string }[] }[];
    };
    return lanes.flatMap(({ gaps }) => gaps).map(({ missing, state }) => `${state} ${missing}`);
  };

  readonly finished = (): number => this.at.outbox.acks.filter((ack) => ack.finished).length;

  /** A bundle of which nothing gets through: the relay has seen the last frame of its last pass. */
  async losing(bundle: LeasedBundle): Promise<void> {
    let ended = 0;
    this.lost = isObject;
    this.seen = ({ flags }) => {
      if (flags === (FLAG_REPEAT | FLAG_PASS_END)) ended += 1;
    };
    const before = this.finished();
    this.at.outbox.put(bundle);
    await eventually(() => ended).toBe(1);
    await eventually(this.finished).toBe(before + 1);
    this.lost = () => false;
  }

  /** What the receiving side writes, once it names so many objects that were begun. */
  async ticket(of: (objects: number) => boolean = () => true): Promise<Uint8Array> {
    let bytes: Uint8Array = new Uint8Array();
    const written = async () => {
      const missing = await readMissing(missingPath(this.at.rxState, LANE), { lane: LANE });
      const issued = missing && issueTicket(missing, TO, far, Date.now());
      bytes = issued?.bytes ?? new Uint8Array();
      return issued !== undefined && of(issued.objects);
    };
    await expect.poll(written, { timeout: 20_000, interval: 50 }).toBe(true);
    return bytes;
  }

  /** As `lightferry ferry repair` does. */
  handIn(bytes: Uint8Array): void {
    const name = `${randomBytes(8).toString("hex")}.lft`;
    writeFileSync(join(ticketsDir(this.at.txState), name), bytes);
  }
}

/** By eye, in any order. */
export function byCodes(bytes: Uint8Array): Uint8Array {
  const collector = new QrCollector();
  for (const part of qrParts(bytes).reverse()) collector.add(part);
  return collector.result() ?? new Uint8Array();
}
