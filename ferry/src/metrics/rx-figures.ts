/** Guarantee: every figure of the receiving program. Labels are links, lanes and words of fixed lists; never a bundle or a stream. */
import { ALARM_CODES, type AlarmCode } from "../alarms.ts";
import type { GapPicture, RxLane, RxLink, RxPicture } from "../picture.ts";
import { counter, type Figure, gauge, type Point } from "./figures.ts";
import { LOCKED, lagFigures, perLane, perLink, seconds } from "./per-place.ts";

/** Of the machine, not of one link. */
const SPACE_CODES: readonly AlarmCode[] = ["ferry.space-low", "ferry.space-full"];
const LINK_CODES = ALARM_CODES.filter((code) => !SPACE_CODES.includes(code));

const link = perLink<RxLink>();
const lane = perLane<RxLane>();

const GAP_STATES: readonly GapPicture["state"][] = ["open", "unrepaired", "unrepairable"];

const isActive = (alarms: RxLink["alarms"], code: AlarmCode): number =>
  alarms.some((alarm) => alarm.code === code) ? 1 : 0;

const LINK_FIGURES: readonly Figure<RxPicture>[] = [
  LOCKED,
  link(gauge, "epoch", "Starts of the sender, as its heartbeats say.", ({ epoch }) => epoch),
  link(
    counter,
    "received_datagrams",
    "Datagrams taken from the socket.",
    ({ received }) => received.datagrams,
  ),
  link(
    counter,
    "received_bytes",
    "UDP payload taken from the socket.",
    ({ received }) => received.bytes,
  ),
  link(
    counter,
    "received_frames",
    "Datagrams that were frames of this link.",
    ({ frames }) => frames,
  ),
  link(
    counter,
    "receive_overruns",
    "Datagrams that the kernel dropped at this socket for want of buffer (RcvbufErrors).",
    ({ received }) => received.overruns,
  ),
  link(
    gauge,
    "receive_buffer_bytes",
    "Socket buffer that the kernel granted.",
    ({ received }) => received.receiveBuffer,
  ),
  link(
    counter,
    "accounted_frames",
    "Frame numbers accounted for, arrived or lost; kept over restarts.",
    ({ accounted }) => accounted.settled,
  ),
  link(
    counter,
    "lost_frames",
    "Frame numbers that never came, exactly; kept over restarts.",
    ({ accounted }) => accounted.lost,
  ),
  link(
    gauge,
    "loss_ratio",
    "Lost of the frames of the alarm's window, 0 to 1.",
    ({ loss }) => loss.permille / 1_000,
  ),
  link(
    counter,
    "heartbeats",
    "Signed heartbeats that were accepted.",
    ({ heartbeat }) => heartbeat.count,
  ),
  link(
    gauge,
    "heartbeat_age_seconds",
    "Since the newest heartbeat; absent before the first.",
    ({ heartbeat }) => heartbeat.secondsAgo,
  ),
  link(
    gauge,
    "clock_offset_seconds",
    "The sender's clock minus ours; absent before the first heartbeat.",
    ({ heartbeat }) => seconds(heartbeat.clockOffsetMs),
  ),
  counter(
    "rejected_frames",
    ["link", "reason"],
    "Frames that count for nothing, by reason (SPEC.md §7).",
    (picture) =>
      picture.links.flatMap(({ link, rejected }) =>
        Object.entries(rejected).map(([reason, count]): Point => [[link, reason], count]),
      ),
  ),
  gauge("alarm", ["link", "code"], "1 while the condition of the link lasts.", (picture) =>
    picture.links.flatMap(({ link, alarms }) =>
      LINK_CODES.map((code): Point => [[link, code], isActive(alarms, code)]),
    ),
  ),
  counter("alarms", ["link", "code"], "How often the condition began.", (picture) =>
    picture.links.flatMap(({ link, alarmCounts }) =>
      LINK_CODES.map((code): Point => [[link, code], alarmCounts[code] ?? 0]),
    ),
  ),
];

const LANE_FIGURES: readonly Figure<RxPicture>[] = [
  counter(
    "bundles",
    ["lane", "state"],
    "Bundles: arrived (whole and verified), delivered (answered by the inbox), duplicates, quarantined, refused.",
    (picture) =>
      picture.lanes.flatMap(({ lane, bundles }) =>
        (["arrived", "delivered", "duplicates", "quarantined", "refused"] as const).map(
          (state): Point => [[lane, state], bundles[state]],
        ),
      ),
  ),
  lane(
    gauge,
    "waiting_bundles",
    "Arrived and not yet taken by the inbox.",
    ({ bundles }) => bundles.waiting,
  ),
  gauge(
    "missing_bundles",
    ["lane", "state"],
    "Sent and not here: open (a later pass may bring them), unrepaired (write a ticket), unrepairable (the sender has them no more).",
    (picture) =>
      picture.lanes.flatMap(({ lane, gaps }) =>
        GAP_STATES.map(
          (state): Point => [
            [lane, state],
            gaps.reduce((sum, gap) => (gap.state === state ? sum + gap.count : sum), 0),
          ],
        ),
      ),
  ),
  lane(
    gauge,
    "quarantine_bundles",
    "Bundles in the ferry's quarantine.",
    ({ quarantine }) => quarantine.bundles,
  ),
  lane(gauge, "quarantine_bytes", "Their bytes.", ({ quarantine }) => quarantine.bytes),
  lane(
    gauge,
    "objects_under_way",
    "Objects that are announced and not whole.",
    ({ objects }) => objects,
  ),
  lane(gauge, "held_bytes", "Memory held for them.", ({ heldBytes }) => heldBytes),
  lane(counter, "restored_shards", "Shards that the code restored.", ({ restored }) => restored),
  lane(counter, "repeated_shards", "Shards that were here already.", ({ repeats }) => repeats),
  counter(
    "checked_bytes",
    ["lane", "by"],
    "Bytes that were judged, by what: tag (SPEC.md §13), digest.",
    (picture) =>
      picture.lanes.flatMap(({ lane, checked }): Point[] => [
        [[lane, "tag"], checked?.byTag],
        [[lane, "digest"], checked?.byDigest],
      ]),
  ),
  lane(
    counter,
    "wrong_tags",
    "Chunks whose tag was wrong, judged by their digest then.",
    ({ checked }) => checked?.wrongTags,
  ),
  counter(
    "lane_rejections",
    ["lane", "reason"],
    "Manifests and shards of the lane that count for nothing, by reason (SPEC.md §7).",
    (picture) =>
      picture.lanes.flatMap(({ lane, rejected }) =>
        Object.entries(rejected).map(([reason, count]): Point => [[lane, reason], count]),
      ),
  ),
  ...lagFigures(
    "From the making of the newest delivered bundle to its delivery, by the sender's clock.",
  ),
];

const SPACE_FIGURES: readonly Figure<RxPicture>[] = [
  gauge(
    "space_bytes",
    ["state"],
    "Of the fullest file system that objects are written to: total, free, promised (to objects under way).",
    ({ space }) => [
      [["total"], space.totalBytes],
      [["free"], space.freeBytes],
      [["promised"], space.promisedBytes],
    ],
  ),
  counter("left_out_objects", [], "Objects that found no room.", ({ space }) => [
    [[], space.leftOut.objects],
  ]),
  gauge("space_alarm", ["code"], "1 while the condition of the disk lasts.", ({ space }) =>
    SPACE_CODES.map((code) => [[code], isActive(space.alarms, code)]),
  ),
];

export const RX_FIGURES: readonly Figure<RxPicture>[] = [
  ...LINK_FIGURES,
  ...LANE_FIGURES,
  ...SPACE_FIGURES,
];
