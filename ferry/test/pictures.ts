/** Guarantee: whole pictures of both programs, for the tests of what shows them. */
import type { RxPicture, TxPicture } from "../src/picture.ts";

const BUNDLE = "0198c0ffee00700080000000000000a1";

export function txPicture(timeMs = Date.now()): TxPicture {
  return {
    role: "tx",
    timeMs,
    pid: 11,
    node: "node-extranet",
    memory: { shards: 1_000, used: 10 },
    links: [
      {
        link: 0,
        ...{ driver: "udp", locked: true, epoch: 3, nextFrame: 10 },
        rateBytesPerSecond: 120_000_000,
        tags: "on",
        sent: {
          ...{ frames: 10, bytes: 14_560, retried: 1, failed: 0 },
          ...{ bytesPerSecond: 98_700_000, parityShare: 0.11 },
        },
      },
    ],
    lanes: [
      {
        lane: "inbound",
        bundles: { emitted: 4, finished: 3, refused: 1, sending: 1, held: 2 },
        passes: [
          { bundle: BUNDLE, pass: 1, bytes: 60_000_000, size: 100_000_000 },
          { bundle: BUNDLE.replace("a1", "a2"), pass: 2, bytes: 0, size: 5_000 },
        ],
        lag: { newestMs: 250, worstMs: 1_500 },
      },
    ],
  };
}

export function rxPicture(timeMs = Date.now()): RxPicture {
  return {
    role: "rx",
    timeMs,
    pid: 12,
    space: {
      ...{ freeBytes: 40e9, totalBytes: 100e9, promisedBytes: 1e9 },
      ...{ leftOut: { objects: 0, bytes: 0 }, alarms: [] },
    },
    links: [
      {
        link: 0,
        ...{ driver: "udp", locked: true, port: 7140, bytesPerSecond: 98_000_000, epoch: 3 },
        received: { datagrams: 1_000, bytes: 1_456_000, overruns: 7, receiveBuffer: 1 << 23 },
        frames: 999,
        accounted: { settled: 900, lost: 2 },
        tags: "on",
        heartbeat: { count: 40, silent: false, secondsAgo: 0.25, clockOffsetMs: -7_200_000 },
        loss: { permille: 2.2, frames: 900, lost: 2 },
        rejected: { checksum: 5, magic: 1 },
        alarms: [
          {
            code: "ferry.clock-drift",
            sinceMs: timeMs - 65_000,
            facts: { "limit-ms": "30000", "offset-ms": "-7200000" },
          },
        ],
        alarmCounts: { "ferry.clock-drift": 1 },
      },
    ],
    lanes: [
      {
        lane: "inbound",
        bundles: {
          ...{ arrived: 4, delivered: 3, duplicates: 0, quarantined: 1, refused: 1, waiting: 1 },
        },
        quarantine: { bundles: 1, bytes: 5_000_000, sinceMs: timeMs - 3_600_000 },
        ...{ objects: 1, heldBytes: 1_000_000, restored: 12, repeats: 34 },
        checked: { byTag: 64_000_000, byDigest: 2_000_000, wrongTags: 1 },
        rejected: { "chunk-digest": 1 },
        progress: [{ bundle: BUNDLE, good: 40_000_000, size: 100_000_000 }],
        gaps: [
          { stream: "inbound/node-extranet/normal", missing: "3-4", count: 2, state: "open" },
          { stream: "inbound/node-extranet/bulk", missing: "9", count: 1, state: "unrepaired" },
        ],
        lag: { newestMs: 800, worstMs: 2_400 },
      },
    ],
  };
}
