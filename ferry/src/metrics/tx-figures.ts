/** Guarantee: every figure of the sending program. Labels are links, lanes and words of this list; never a bundle or a stream. */
import type { TxLink, TxPicture } from "../picture.ts";
import { counter, type Figure, gauge, type Point } from "./figures.ts";
import { LOCKED, lagFigures, perLink } from "./per-place.ts";

const link = perLink<TxLink>();

export const TX_FIGURES: readonly Figure<TxPicture>[] = [
  LOCKED,
  link(gauge, "epoch", "Starts of the sender, as its frames carry it.", ({ epoch }) => epoch),
  link(
    gauge,
    "rate_limit_bytes_per_second",
    "Wire bytes a second that the link may take, as it is set.",
    ({ rateBytesPerSecond }) => rateBytesPerSecond,
  ),
  link(counter, "sent_frames", "Frames given to the kernel.", ({ sent }) => sent.frames),
  link(counter, "sent_bytes", "UDP payload given to the kernel.", ({ sent }) => sent.bytes),
  link(
    counter,
    "send_retries",
    "Sends tried again because the kernel had no buffer.",
    ({ sent }) => sent.retried,
  ),
  link(
    counter,
    "send_failures",
    "Sends that failed otherwise; the second pass repairs them.",
    ({ sent }) => sent.failed,
  ),
  link(
    gauge,
    "parity_ratio",
    "Parity among the bytes of all frames, 0 to 1.",
    ({ sent }) => sent.parityShare,
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
  ...lagFigures("From the making of the newest emitted bundle to its first pass."),
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
