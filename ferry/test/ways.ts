/** Guarantee: both halves with several links and lanes, joined by real sockets, in the process of a test. */
import { join } from "node:path";
import { DEFAULT_FRAME_SIZE } from "../src/frame.ts";
import { openReceiver, openSender } from "../src/gate/open.ts";
import { DEFAULT_CODE } from "../src/object.ts";
import { Station } from "../src/rx/station.ts";
import type { SenderLane } from "../src/tx/lane.ts";
import { Sender } from "../src/tx/sender.ts";
import {
  directory,
  FROM,
  HOST,
  type Inbox,
  keys,
  linkOf,
  type Place,
  provider,
  quiet,
  TO,
} from "./world.ts";

const open = { mode: "demo", warn: () => undefined, failed: () => undefined } as const;

export interface LaneEnd {
  readonly name: string;
  readonly number: number;
  /** All of them when absent. */
  readonly links?: readonly number[];
  readonly arrivalsDir: string;
  readonly inbox: Inbox;
}

/** A station that listens at one port for each link. */
export async function stationOf(
  at: Place,
  lanes: readonly LaneEnd[],
  links: readonly number[],
): Promise<{ readonly station: Station; readonly ports: readonly number[] }> {
  const gates = await Promise.all(
    links.map(() => openReceiver({ host: HOST, port: 0 }, 1 << 22, open)),
  );
  const station = await Station.start({
    lanes: lanes.map((lane) => ({ ...lane, expectedSender: FROM })),
    links: gates.map((gate, index) => ({
      ...{ number: links[index] as number, expectedSender: FROM, gate },
    })),
    stateDir: at.rxState,
    provider,
    keys: () => directory,
    events: at.rxEvents,
    log: quiet,
  });
  return { station, ports: gates.map(({ port }) => port) };
}

export interface LinkTo {
  readonly number: number;
  readonly port: number;
  /** Wire bytes per second. */
  readonly rate: number;
  /** 1,456 when absent. */
  readonly frameSize?: number;
}

/** A ferry of these lanes over these links, with a state of its own. */
export async function ferryOf(
  at: Place,
  lanes: readonly Omit<SenderLane, "outboxDir">[],
  links: readonly LinkTo[],
  secondPassMs = 60_000,
): Promise<Sender> {
  const gates = await Promise.all(
    links.map(({ port, rate, frameSize = DEFAULT_FRAME_SIZE }) =>
      openSender({ host: HOST, port }, frameSize, rate, open),
    ),
  );
  return await Sender.start({
    node: FROM,
    lanes: lanes.map((lane) => ({ ...lane, outboxDir: at.outboxDir })),
    links: links.map(({ number, rate, frameSize = DEFAULT_FRAME_SIZE }, index) => ({
      ...{ number, rateBytesPerSecond: rate, frameSize },
      gate: gates[index] as (typeof gates)[number],
    })),
    stateDir: join(at.txState),
    ...{ code: DEFAULT_CODE, secondPassMs, signer: linkOf(keys.ferry) },
    ...{ keys: () => directory, outbox: at.outbox, events: at.txEvents, log: quiet },
    receiverOf: () => TO,
  });
}
