/** Guarantee: the receiver of one link with its account and its watch, fed frame by frame, without a gate. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import { Alarms } from "../src/alarms.ts";
import { emptyHeader, encodeFrame, FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { missingPath } from "../src/repair/missing.ts";
import { type AlarmLimits, DEFAULT_ALARM_LIMITS } from "../src/rx/alarm-limits.ts";
import { DoneLog } from "../src/rx/done.ts";
import { Gaps } from "../src/rx/gaps.ts";
import { Inventories } from "../src/rx/inventories.ts";
import { Link } from "../src/rx/link.ts";
import type { Reassembler } from "../src/rx/reassemble.ts";
import { Receiver } from "../src/rx/receiver.ts";
import { Rejections } from "../src/rx/rejections.ts";
import { type ExpectedLink, LinkWatch } from "../src/rx/watch.ts";
import { HEARTBEAT_LABEL, signMessage } from "../src/signed.ts";
import {
  directory,
  Events,
  FROM,
  keys,
  LANE,
  linkOf,
  provider,
  quiet,
  SETTINGS,
} from "./fixture.ts";

const { Heartbeat } = lightferry.ferry.v1;

export interface RigChange {
  readonly limits?: Partial<AlarmLimits>;
  readonly expected?: Omit<ExpectedLink, "lanes">;
  /** The receiver's clock. */
  readonly clock?: () => number;
}

export async function linkRig({ limits = {}, expected = {}, clock = Date.now }: RigChange = {}) {
  const dir = mkdtempSync(join(tmpdir(), "lf-account-"));
  const link = await Link.open(join(dir, "link.json"), FROM, clock);
  const done = await DoneLog.open(join(dir, "done.log"));
  const events = new Events();
  const alarms = new Alarms({ events, lane: LANE, log: quiet, clock });
  const received = { bytes: 0, overruns: 0, receiveBuffer: 65_536 };
  const watch = new LinkWatch({
    alarms,
    link,
    limits: { ...DEFAULT_ALARM_LIMITS, ...limits },
    expected: { ...expected, lanes: [`0 ${LANE}`] },
    received: () => received,
  });
  const reassembler = { data: () => undefined, manifest: () => undefined, tick: () => undefined };
  const verifier = {
    provider,
    sender: FROM,
    ferryKey: (id: string) => directory.ferryKey(FROM, id),
    refused: () => undefined,
  };
  const rejections = new Rejections();
  const openGaps = await Gaps.opening({
    ...{ path: missingPath(dir, LANE), lane: LANE, sender: FROM, done, events, log: quiet },
    senderOffsetMs: () => link.clockOffsetMs,
  });
  const gaps = openGaps(() => []);
  const count = (reason: string, by?: number) => rejections.count(reason, by);
  const inventories = new Inventories({ verifier, lane: LANE, gaps, count });
  const lane = {
    name: LANE,
    reassembler: reassembler as unknown as Reassembler,
    gaps,
    inventories,
  };
  const receiver = new Receiver({
    link,
    number: 0,
    verifier,
    lanes: [lane],
    rejections,
    events,
    watch,
    log: quiet,
  });
  const frame = (type: number, epoch: number, seq: number, payload: Uint8Array) => {
    const out = new Uint8Array(FRAME_HEADER + payload.length);
    out.set(payload, FRAME_HEADER);
    encodeFrame(out, 0, { ...emptyHeader(), type, epoch, seq, k: 1 }, payload.length);
    receiver.datagram(out);
  };
  /** A signed heartbeat arrives. @param change beside what is usual */
  const tell = (
    epoch: number,
    number: number,
    nextFrame: number,
    change: Partial<lightferry.ferry.v1.Heartbeat.$Properties> = {},
  ) => {
    const signed = signMessage(linkOf(keys.ferry), HEARTBEAT_LABEL, Heartbeat, {
      ...{ version: 1, sender: FROM, epoch, number, nextFrame },
      ...{ timeMs: Date.now() + 5_000, settings: SETTINGS },
      ...change,
    });
    frame(FRAME_TYPE.HEARTBEAT, epoch, nextFrame, signed);
  };
  return {
    ...{ gaps, inventories, rejections, done },
    link,
    events,
    alarms,
    watch,
    receiver,
    received,
    tell,
    beat: (epoch: number, number: number, nextFrame: number, sequence = 0) => {
      const streams = sequence === 0 ? [] : [{ stream: `${LANE}/${FROM}/normal`, sequence }];
      tell(epoch, number, nextFrame, { streams });
    },
    data: (epoch: number, seq: number) => frame(FRAME_TYPE.DATA, epoch, seq, Uint8Array.of(1)),
    reopen: () => Link.open(join(dir, "link.json"), FROM),
    close: async () => {
      await receiver.close();
      await alarms.close();
      await gaps.close();
      await done.close();
      rmSync(dir, { recursive: true });
    },
  };
}
