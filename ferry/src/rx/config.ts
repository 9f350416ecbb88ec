/** Guarantee: the settings of the receiving half are complete and within their limits before anything is opened. */
import {
  type BaseConfig,
  readBaseConfig,
  readField,
  readInteger,
  readOneOf,
  readString,
} from "@lightferry/proto/service";

export interface RxConfig extends BaseConfig {
  readonly lane: string;
  readonly arrivalsDir: string;
  /** Node id of the sender; nobody else's signature counts. */
  readonly expectedSender: string;
  readonly gate: {
    readonly driver: "udp";
    readonly host: string;
    /** 0 lets the system choose. */
    readonly port: number;
    readonly receiveBufferBytes: number;
    /** "dgram" asks for the fallback of systems without kernel filters. */
    readonly socket: "auto" | "dgram";
  };
}

/** From one large burst to half of what a socket option can name. */
const BUFFER = { min: 65_536, max: 2 ** 30 - 1 };
const PORT = { min: 0, max: 65_535 };

/** @throws GatewayError `config.invalid` naming the field */
export function readRxConfig(raw: unknown): RxConfig {
  const base = readBaseConfig(raw);
  const socket = readField(raw, "gate.socket");
  return {
    ...base,
    lane: readString(raw, "lane"),
    arrivalsDir: readString(raw, "arrivalsDir"),
    expectedSender: readString(raw, "expectedSender"),
    gate: {
      driver: readOneOf(raw, "gate.driver", ["udp"]),
      host: readString(raw, "gate.host"),
      port: readInteger(raw, "gate.port", PORT),
      receiveBufferBytes: readInteger(raw, "gate.receiveBufferBytes", BUFFER),
      socket: socket === undefined ? "auto" : readOneOf(raw, "gate.socket", ["auto", "dgram"]),
    },
  };
}
