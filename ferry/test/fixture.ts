/** Guarantee: both halves joined by a real socket, in the process of a test. */
import type { KeyDirectory } from "@lightferry/proto/trust";
import { afterAll, expect } from "vitest";
import { openReceiver, openSender } from "../src/gate/open.ts";
import { type Code, DEFAULT_CODE } from "../src/object.ts";
import { DEFAULT_ROOM_LIMITS, type RoomLimits } from "../src/rx/room.ts";
import { Station } from "../src/rx/station.ts";
import type { LinkSigner } from "../src/signed.ts";
import type { InventoryTimes } from "../src/tx/inventory.ts";
import { Sender } from "../src/tx/sender.ts";
import {
  directory,
  FROM,
  HOST,
  keys,
  LANE,
  linkOf,
  type Place,
  pki,
  provider,
  quiet,
  TO,
} from "./world.ts";

export * from "./world.ts";

afterAll(() => pki.cleanup());

/** Waits for a condition as long as a busy machine may need. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: 20_000, interval: 10 });
}

export async function startStation(
  at: Place,
  port = 0,
  known: () => KeyDirectory = () => directory,
  roomLimits: RoomLimits = DEFAULT_ROOM_LIMITS,
  clock: () => number = Date.now,
): Promise<{ station: Station; port: number }> {
  const gate = await openReceiver({ host: HOST, port }, 1 << 23, {
    mode: "demo",
    warn: () => undefined,
    failed: () => undefined,
  });
  const station = await Station.start({
    lanes: [
      {
        ...{ name: LANE, number: 0, expectedSender: FROM },
        ...{ arrivalsDir: at.arrivalsDir, inbox: at.inbox },
      },
    ],
    links: [{ number: 0, expectedSender: FROM, gate }],
    stateDir: at.rxState,
    provider,
    keys: known,
    events: at.rxEvents,
    roomLimits,
    clock,
    log: quiet,
  });
  return { station, port: gate.port };
}

export interface SenderChange {
  readonly secondPassMs?: number;
  readonly frameSize?: number;
  readonly code?: Code;
  readonly rate?: number;
  readonly signer?: LinkSigner;
  readonly passes?: number;
  readonly inventory?: InventoryTimes;
  readonly clock?: () => number;
}

export async function startSender(
  at: Place,
  port: number,
  change: SenderChange = {},
): Promise<Sender> {
  const frameSize = change.frameSize ?? 1456;
  const gate = await openSender({ host: HOST, port }, frameSize, change.rate ?? 20e6, {
    mode: "demo",
    warn: () => undefined,
    failed: () => undefined,
  });
  return await Sender.start({
    node: FROM,
    lanes: [{ name: LANE, number: 0, weight: 1, outboxDir: at.outboxDir }],
    links: [{ number: 0, gate, rateBytesPerSecond: 1, frameSize }],
    stateDir: at.txState,
    code: change.code ?? DEFAULT_CODE,
    secondPassMs: change.secondPassMs ?? 30_000,
    ...(change.passes === undefined ? {} : { passes: change.passes }),
    ...(change.inventory === undefined ? {} : { inventory: change.inventory }),
    ...(change.clock === undefined ? {} : { clock: change.clock }),
    receiverOf: () => TO,
    signer: change.signer ?? linkOf(keys.ferry),
    keys: () => directory,
    outbox: at.outbox,
    events: at.txEvents,
    log: quiet,
  });
}
