/** Guarantee: ferry/vectors/gate.json with its types, and the parties that it names. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { GatewayError } from "@lightferry/proto/errors";
import { loadProvider } from "@lightferry/proto/sm";
import type { FrameHeader } from "../src/frame.ts";
import type { LinkVerifier } from "../src/signed.ts";

interface Shape {
  readonly k: number;
  readonly m: number;
  readonly codedLength: number;
  readonly lastShard: number;
}

export interface PassVector {
  readonly name: string;
  readonly size: number;
  readonly headSize: number;
  readonly chunkBytes: number;
  readonly frameSize: number;
  readonly groupShards: number;
  readonly parityShards: number;
  readonly repeat: boolean;
  readonly epoch: number;
  readonly channel: number;
  readonly seq: number;
  readonly dataSha256: string;
  readonly manifest: string;
  readonly frames: number;
  readonly sha256: string;
  readonly orderSha256: string;
  readonly orderBegins: readonly string[];
  readonly list?: readonly string[];
}

interface Vectors {
  readonly sender: string;
  readonly lane: string;
  readonly keys: Readonly<Record<string, { readonly keyId: string; readonly publicKey: string }>>;
  readonly frames: readonly {
    readonly name: string;
    readonly fields: Partial<FrameHeader>;
    readonly payloadBytes: number;
    readonly frame?: string;
    readonly sha256?: string;
  }[];
  readonly refused: readonly {
    readonly reason: string;
    readonly name: string;
    readonly datagram: string;
    readonly bytes?: number;
  }[];
  readonly geometries: readonly {
    readonly size: number;
    readonly shardSize: number;
    readonly groupShards: number;
    readonly parityShards: number;
    readonly groups: number;
    readonly blockGroups: number;
    readonly first: Shape;
    readonly last: Shape;
  }[];
  readonly passes: readonly PassVector[];
  readonly manifests: readonly {
    readonly reason: string | null;
    readonly about: unknown;
    readonly objectId: number;
    readonly signed: string;
  }[];
  readonly parts: readonly {
    readonly name: string;
    readonly frames: readonly string[];
    readonly counts: Readonly<Record<string, number>>;
    readonly manifests: number;
  }[];
  readonly heartbeats: {
    readonly steps: readonly {
      readonly name: string;
      readonly outcome: string | null;
      /** Frames refused by themselves. */
      readonly counts?: Readonly<Record<string, number>>;
      readonly frames: readonly string[];
    }[];
    readonly epoch: number;
    readonly lost: number;
    readonly settled: number;
    readonly gaps: readonly object[];
  };
  readonly inventories: readonly {
    readonly reason: string | null;
    readonly name: string;
    readonly frames: readonly string[];
  }[];
}

const place = (name: string) => fileURLToPath(new URL(`../vectors/${name}`, import.meta.url));
export const ORACLE = place("gate.py");
export const vectors = JSON.parse(readFileSync(place("gate.json"), "utf8")) as Vectors;
export const python = spawnSync("python3", ["--version"]).status === 0;
export const provider = loadProvider();

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const unhex = (text: string): Buffer => Buffer.from(text, "hex");

/** Whose signature counts on the link of the vectors; one key of theirs is revoked. */
export const verifier: LinkVerifier = {
  provider,
  sender: vectors.sender,
  ferryKey: (id) => {
    const { ferry, revoked } = vectors.keys;
    if (id === revoked?.keyId) throw new GatewayError("certificate.revoked");
    return id === ferry?.keyId ? provider.checkPublicKey(unhex(ferry.publicKey)) : undefined;
  },
  refused: () => undefined,
};
