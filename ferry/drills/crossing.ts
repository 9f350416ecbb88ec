/**
 * Guarantee: one bundle across one line by the two ferry programs, timed from
 * its lease to its delivery, with every lost frame counted on both sides.
 */
import { join } from "node:path";
import type { Cargo } from "./cargo.ts";
import { type Bundle, Ferries, type FerryOptions, type RxPicture } from "./ferries.ts";
import { until } from "./wire/ends.ts";
import { Forwarder } from "./wire/forwarder.ts";
import type { Line } from "./wire/line.ts";
import type { LossModel } from "./wire/loss-model.ts";

export interface Crossing {
  readonly whole: boolean;
  /** 1 or 2; 0 when it did not arrive. */
  readonly passes: number;
  /** From lease to delivery; undefined when it did not arrive. */
  readonly seconds: number | undefined;
  readonly frames: number;
  /** Frames that the line took, as the line counts. */
  readonly injected: number;
  /** Frames that the receiver says it lost. */
  readonly reported: number;
  /** Frames that came to the receiver's socket and found no room. */
  readonly overruns: number;
  /** Frames that the forwarder itself could not keep up with. */
  readonly forwarderOverruns: number;
  /** Data shards made from parity; undefined when the receiver does not say. */
  readonly restored: number | undefined;
  /** Of all content that was checked, the warm-up's too: what a tag showed to be good, 0 to 1. */
  readonly byTag: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly txCpuSeconds: number;
  readonly rxCpuSeconds: number;
}

/** After its last pass an object that is whole is hashed, synced and handed over. */
const FINISH_LIMIT_MS = 60_000;

/** How the line of a crossing loses frames. */
export interface Loss {
  begin(): Promise<void>;
  /** @returns what it took, and what it lost without being asked to */
  end(): Promise<{ readonly injected: number; readonly overruns: number }>;
  close(): Promise<void>;
}

/** By the kernel, at the receiving end. */
export function randomLoss(line: Line, share: number): Loss {
  return {
    begin: async () => {
      if (share > 0) line.lose(share);
    },
    end: async () => ({ injected: line.loseNoMore(), overruns: 0 }),
    close: async () => undefined,
  };
}

/** By the process in the middle. */
export async function forwarderLoss(line: Line, model: LossModel | undefined): Promise<Loss> {
  const forwarder = await Forwarder.start(line);
  return {
    begin: async () => {
      await forwarder.lose(model);
    },
    end: async () => {
      const { lost, overruns } = await forwarder.lose(undefined);
      return { injected: lost, overruns };
    },
    close: () => forwarder.stop(),
  };
}

export interface CrossingLimits {
  /** For both passes together. */
  readonly limitMs: number;
  /** Gives up at the first frame that the receiver says it lost. */
  readonly untilLoss?: boolean;
}

function shareByTag(checked: RxPicture["checked"]): number {
  if (checked === undefined || checked.byTag === 0) return 0;
  return checked.byTag / (checked.byTag + checked.byDigest);
}

/** @param warmUp crosses before, unmeasured: programs that run for long are compiled */
export async function cross(
  line: Line,
  loss: Loss,
  options: FerryOptions,
  cargo: Cargo,
  bundle: Bundle,
  { limitMs, untilLoss = false }: CrossingLimits,
  warmUp?: Bundle,
): Promise<Crossing> {
  const ferries = await Ferries.start(line, options);
  try {
    const { inbox, outbox, takenDir } = ferries.at;
    if (warmUp !== undefined) {
      ferries.put(warmUp, cargo.folder);
      await until("the warm-up", limitMs, () => outbox.ackedAt[0] && inbox.deliveredAt[0]);
    }
    const acksBefore = outbox.acks.length;
    const arrival = inbox.until(inbox.delivered.length + 1).then(() => performance.now());
    let arrived: number | undefined;
    void arrival.then((at) => {
      arrived = at;
    });
    await loss.begin();
    const cpu = { tx: ferries.cpu("tx"), rx: ferries.cpu("rx") };
    const begun = performance.now();
    ferries.put(bundle, cargo.folder);
    const lossy = () => untilLoss && (ferries.picture("rx")?.accounted.lost ?? 0) > 0;
    const over = () => {
      if (arrived !== undefined || lossy()) return true;
      return outbox.acks.slice(acksBefore).some((ack) => ack.finished === true) || undefined;
    };
    // Both passes are over, or the time is: then only what came already can still make it whole.
    await until("both passes", limitMs, over).catch(() => undefined);
    if (arrived === undefined && !lossy())
      await until("delivery", FINISH_LIMIT_MS, () => arrived).catch(() => undefined);
    const firstPassOver = outbox.ackedAt[acksBefore];
    const taken = { tx: ferries.cpu("tx") - cpu.tx, rx: ferries.cpu("rx") - cpu.rx };
    const { injected, overruns } = await loss.end();
    const { tx, rx } = await ferries.settled();
    const repeatFrom =
      firstPassOver === undefined ? undefined : firstPassOver + options.secondPassSeconds * 1000;
    return {
      whole:
        arrived !== undefined && (await cargo.isWhole(bundle, join(takenDir, bundle.file ?? ""))),
      passes: arrived === undefined ? 0 : repeatFrom === undefined || arrived < repeatFrom ? 1 : 2,
      seconds: arrived === undefined ? undefined : (arrived - begun) / 1000,
      frames: tx.sent.frames,
      injected,
      reported: rx.accounted.lost,
      overruns: rx.received.overruns ?? 0,
      forwarderOverruns: overruns,
      restored: rx.restored,
      byTag: shareByTag(rx.checked),
      rejected: rx.rejected,
      txCpuSeconds: taken.tx,
      rxCpuSeconds: taken.rx,
    };
  } finally {
    await ferries.stop();
  }
}
