/** Guarantee: every figure of the receiving program. Labels are links, lanes and words of fixed lists; never a bundle or a stream. */
import { ALARM_CODES, type AlarmCode } from "../alarms.ts";
import type { GapPicture, RxLane, RxLink, RxPicture } from "../picture.ts";
import { counter, type Figure, gauge, type Point } from "./figures.ts";

/** Of the machine, not of one link. */
const SPACE_CODES: readonly AlarmCode[] = ["ferry.space-low", "ferry.space-full"];
const LINK_CODES = ALARM_CODES.filter((code) => !SPACE_CODES.includes(code));

const LINK = ["link"] as const;
const LANE = ["lane"] as const;

const links =
  (read: (link: RxLink) => number | null) =>
  ({ links: all }: RxPicture): Point[] =>
    all.map((link) => [[link.link], read(link)]);
const lanes =
  (read: (lane: RxLane) => number | null) =>
  ({ lanes: all }: RxPicture): Point[] =>
    all.map((lane) => [[lane.lane], read(lane)]);
const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);

const GAP_STATES: readonly GapPicture["state"][] = ["open", "unrepaired", "unrepairable"];

const isActive = (alarms: RxLink["alarms"], code: AlarmCode): number =>
  alarms.some((alarm) => alarm.code === code) ? 1 : 0;

const LINK_FIGURES: readonly Figure<RxPicture>[] = [
  gauge("locked", LINK, "1 when the kernel itself keeps the socket to one direction.", (picture) =>
    picture.links.map(({ link, locked }) => [[link], locked ? 1 : 0]),
  ),
  gauge(
    "epoch",
    LINK,
    "Starts of the sender, as its heartbeats say.",
    links(({ epoch }) => epoch),
  ),
  counter(
    "received_datagrams",
    LINK,
    "Datagrams taken from the socket.",
    links(({ received }) => received.datagrams),
  ),
  counter(
    "received_bytes",
    LINK,
    "UDP payload taken from the socket.",
    links(({ received }) => received.bytes),
  ),
  counter(
    "received_frames",
    LINK,
    "Datagrams that were frames of this link.",
    links(({ frames }) => frames),
  ),
  counter(
    "receive_overruns",
    LINK,
    "Datagrams that the kernel dropped at this socket for want of buffer (RcvbufErrors).",
    links(({ received }) => received.overruns),
  ),
  gauge(
    "receive_buffer_bytes",
    LINK,
    "Socket buffer that the kernel granted.",
    links(({ received }) => received.receiveBuffer),
  ),
  counter(
    "accounted_frames",
    LINK,
    "Frame numbers accounted for, arrived or lost; kept over restarts.",
    links(({ accounted }) => accounted.settled),
  ),
  counter(
    "lost_frames",
    LINK,
    "Frame numbers that never came, exactly; kept over restarts.",
    links(({ accounted }) => accounted.lost),
  ),
  gauge(
    "loss_ratio",
    LINK,
    "Lost of the frames of the alarm's window, 0 to 1.",
    links(({ loss }) => loss.permille / 1_000),
  ),
  counter(
    "heartbeats",
    LINK,
    "Signed heartbeats that were accepted.",
    links(({ heartbeat }) => heartbeat.count),
  ),
  gauge(
    "heartbeat_age_seconds",
    LINK,
    "Since the newest heartbeat; absent before the first.",
    links(({ heartbeat }) => heartbeat.secondsAgo),
  ),
  gauge(
    "clock_offset_seconds",
    LINK,
    "The sender's clock minus ours; absent before the first heartbeat.",
    links(({ heartbeat }) => seconds(heartbeat.clockOffsetMs)),
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
  gauge(
    "waiting_bundles",
    LANE,
    "Arrived and not yet taken by the inbox.",
    lanes(({ bundles }) => bundles.waiting),
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
  gauge(
    "quarantine_bundles",
    LANE,
    "Bundles in the ferry's quarantine.",
    lanes(({ quarantine }) => quarantine.bundles),
  ),
  gauge(
    "quarantine_bytes",
    LANE,
    "Their bytes.",
    lanes(({ quarantine }) => quarantine.bytes),
  ),
  gauge(
    "objects_under_way",
    LANE,
    "Objects that are announced and not whole.",
    lanes(({ objects }) => objects),
  ),
  gauge(
    "held_bytes",
    LANE,
    "Memory held for them.",
    lanes(({ heldBytes }) => heldBytes),
  ),
  counter(
    "restored_shards",
    LANE,
    "Shards that the code restored.",
    lanes(({ restored }) => restored),
  ),
  counter(
    "repeated_shards",
    LANE,
    "Shards that were here already.",
    lanes(({ repeats }) => repeats),
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
  gauge(
    "lag_seconds",
    LANE,
    "From the making of the newest delivered bundle to its delivery, by the sender's clock.",
    lanes(({ lag }) => seconds(lag.newestMs)),
  ),
  gauge(
    "lag_worst_seconds",
    LANE,
    "The longest such time of the last minute.",
    lanes(({ lag }) => seconds(lag.worstMs)),
  ),
];

const SPACE_FIGURES: readonly Figure<RxPicture>[] = [
  gauge(
    "space_bytes",
    ["state"],
    "Of the fullest file system that objects are written to: total, free, promised (to objects under way).",
    ({ space }) => [
      [["total"], space?.totalBytes],
      [["free"], space?.freeBytes],
      [["promised"], space?.promisedBytes],
    ],
  ),
  counter("left_out_objects", [], "Objects that found no room.", ({ space }) => [
    [[], space?.leftOut.objects],
  ]),
  gauge("space_alarm", ["code"], "1 while the condition of the disk lasts.", ({ space }) =>
    space === undefined ? [] : SPACE_CODES.map((code) => [[code], isActive(space.alarms, code)]),
  ),
];

export const RX_FIGURES: readonly Figure<RxPicture>[] = [
  ...LINK_FIGURES,
  ...LANE_FIGURES,
  ...SPACE_FIGURES,
];
