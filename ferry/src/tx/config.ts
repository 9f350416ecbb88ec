/** Guarantee: the settings of the sending half are complete and within their limits before anything is opened. */
import {
  type BaseConfig,
  readBaseConfig,
  readField,
  readInteger,
  readOneOf,
  readOptionalInteger,
  readRingDir,
  readString,
  requireUnlock,
} from "@lightferry/proto/service";
import { DEFAULT_FRAME_SIZE, MAX_FRAME_SIZE, MIN_FRAME_SIZE } from "../frame.ts";

export interface TxConfig extends BaseConfig {
  readonly lane: string;
  readonly outboxDir: string;
  /** Ring of this node's ferry keys, `<key id>.key.json`. */
  readonly ferryKeysDir: string | undefined;
  readonly gate: {
    readonly driver: "udp";
    readonly host: string;
    readonly port: number;
    /** UDP payload of a full frame in bytes; one number for the whole link. */
    readonly frameSize: number;
    /** Wire bytes per second, headers of Ethernet included. */
    readonly rateBytesPerSecond: number;
    readonly secondPassSeconds: number;
    /** "dgram" asks for the fallback of systems without kernel filters. */
    readonly socket: "auto" | "dgram";
  };
}

/** 100 Gb/s; the pacer's lower bound is its own. */
const RATE = { min: 10_000, max: 12_500_000_000 };
/** 0 repeats at once, for tests; a day is longer than any receiver is restarted. */
const SECOND_PASS = { min: 0, max: 86_400 };
const FRAME_SIZE = { min: MIN_FRAME_SIZE, max: MAX_FRAME_SIZE };
const PORT = { min: 1, max: 65_535 };

/** @throws GatewayError `config.invalid` naming the field */
export function readTxConfig(raw: unknown): TxConfig {
  const base = readBaseConfig(raw);
  if (base.hsm?.keys.sign === undefined) requireUnlock(base);
  const socket = readField(raw, "gate.socket");
  return {
    ...base,
    lane: readString(raw, "lane"),
    outboxDir: readString(raw, "outboxDir"),
    ferryKeysDir: readRingDir(raw, "ferryKeysDir", base, "sign"),
    gate: {
      driver: readOneOf(raw, "gate.driver", ["udp"]),
      host: readString(raw, "gate.host"),
      port: readInteger(raw, "gate.port", PORT),
      frameSize: readOptionalInteger(raw, "gate.frameSize", FRAME_SIZE) ?? DEFAULT_FRAME_SIZE,
      rateBytesPerSecond: readInteger(raw, "gate.rateBytesPerSecond", RATE),
      secondPassSeconds: readInteger(raw, "gate.secondPassSeconds", SECOND_PASS),
      socket: socket === undefined ? "auto" : readOneOf(raw, "gate.socket", ["auto", "dgram"]),
    },
  };
}
