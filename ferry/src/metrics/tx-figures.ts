/** Guarantee: every figure of the sending program. Labels are links, lanes and words of this list; never a bundle or a stream. */
import type { TxLane, TxLink, TxPicture } from "../picture.ts";
import { counter, type Figure, gauge, type Point } from "./figures.ts";

const LINK = ["link"] as const;
const LANE = ["lane"] as const;

const links =
  (read: (link: TxLink) => number | undefined) =>
  ({ links: all }: TxPicture): Point[] =>
    all.map((link) => [[link.link], read(link)]);
const lanes =
  (read: (lane: TxLane) => number | null) =>
  ({ lanes: all }: TxPicture): Point[] =>
    all.map((lane) => [[lane.lane], read(lane)]);
const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);

export const TX_FIGURES: readonly Figure<TxPicture>[] = [
  gauge("locked", LINK, "1 when the kernel itself keeps the socket to one direction.", (picture) =>
    picture.links.map(({ link, locked }) => [[link], locked ? 1 : 0]),
  ),
  gauge(
    "epoch",
    LINK,
    "Starts of the sender, as its frames carry it.",
    links(({ epoch }) => epoch),
  ),
  gauge(
    "rate_limit_bytes_per_second",
    LINK,
    "Wire bytes a second that the link may take, as it is set.",
    links(({ rateBytesPerSecond }) => rateBytesPerSecond),
  ),
  counter(
    "sent_frames",
    LINK,
    "Frames given to the kernel.",
    links(({ sent }) => sent.frames),
  ),
  counter(
    "sent_bytes",
    LINK,
    "UDP payload given to the kernel.",
    links(({ sent }) => sent.bytes),
  ),
  counter(
    "send_retries",
    LINK,
    "Sends tried again because the kernel had no buffer.",
    links(({ sent }) => sent.retried),
  ),
  counter(
    "send_failures",
    LINK,
    "Sends that failed otherwise; the second pass repairs them.",
    links(({ sent }) => sent.failed),
  ),
  gauge(
    "parity_ratio",
    LINK,
    "Parity among the bytes of all frames, 0 to 1.",
    links(({ sent }) => sent.parityShare),
  ),
  counter(
    "bundles",
    ["lane", "state"],
    "Bundles: emitted (first pass over), finished (all passes over), refused.",
    (picture) =>
      picture.lanes.flatMap(({ lane, bundles }): Point[] => [
        [[lane, "emitted"], bundles.emitted],
        [[lane, "finished"], bundles.finished],
        [[lane, "refused"], bundles.refused],
      ]),
  ),
  gauge(
    "bundles_under_way",
    ["lane", "state"],
    "Bundles: sending (first pass not over), held (all that are leased).",
    (picture) =>
      picture.lanes.flatMap(({ lane, bundles }): Point[] => [
        [[lane, "sending"], bundles.sending],
        [[lane, "held"], bundles.held],
      ]),
  ),
  gauge("passes_under_way", ["lane", "pass"], "Passes being sent.", (picture) =>
    picture.lanes.flatMap(({ lane, passes }) =>
      [1, 2].map((pass): Point => [[lane, pass], passes.filter((one) => one.pass === pass).length]),
    ),
  ),
  gauge(
    "lag_seconds",
    LANE,
    "From the making of the newest emitted bundle to its first pass.",
    lanes(({ lag }) => seconds(lag.newestMs)),
  ),
  gauge(
    "lag_worst_seconds",
    LANE,
    "The longest such time of the last minute.",
    lanes(({ lag }) => seconds(lag.worstMs)),
  ),
  gauge(
    "shard_memory_shards",
    ["state"],
    "Room for shards that are read and not sent: all, used.",
    ({ memory }) => [
      [["all"], memory.shards],
      [["used"], memory.used],
    ],
  ),
];
