/**
 * Guarantee: an instance of a build of proto/wasm/sm3-lanes.as whose exports are what is
 * expected of it and whose places lie inside its memory; nothing about its
 * results, which lanes-self-test.ts judges. The file lies beside the code:
 * nothing is fetched, and no JavaScript is made from strings.
 */
import { readFileSync } from "node:fs";
import { GatewayError } from "../errors/index.ts";
import { LANE_BYTES, LANE_COUNT, LEAF_BYTES } from "./lane-input.ts";

/** Builds of one source; the first that this Node accepts is used. */
const BUILDS = ["sm3-lanes-relaxed.wasm", "sm3-lanes.wasm"] as const;

export interface LaneCore {
  /** The lanes, each of LANE_BYTES; the memory never grows, so they stay valid. */
  readonly lanes: readonly Uint8Array[];
  /** Hashes `first` || `length` bytes of each lane. @returns four digests, valid until the next call. */
  digest(length: number, first: number): Uint8Array;
}

/** What is used of the global, which Node's type declarations leave out. */
interface WasmApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** @throws GatewayError saying what keeps this machine from running it; RangeError for want of memory. */
export function compileLanes(
  read: (build: string) => Uint8Array = readBuild,
  wasm: WasmApi | null = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly ?? null,
): () => LaneCore {
  if (wasm === null) throw unexpected("this process runs no WebAssembly");
  const builds = attempt("cannot be read", () => BUILDS.map((build) => read(build)));
  const bytes = builds.find((build) => wasm.validate(build)) ?? new Uint8Array();
  const module = attempt("not accepted by this Node", () => new wasm.Module(bytes));
  return () => laneCore(new wasm.Instance(module, {}).exports);
}

function readBuild(build: string): Uint8Array {
  return readFileSync(new URL(`../../wasm/${build}`, import.meta.url));
}

type Export = (...args: number[]) => number;

function laneCore(exports: Readonly<Record<string, unknown>>): LaneCore {
  const memory = (exports.memory as { readonly buffer?: unknown } | undefined)?.buffer;
  if (!(memory instanceof ArrayBuffer)) throw unexpected("memory");
  const call = (name: string): Export => {
    const found = exports[name];
    if (typeof found !== "function") throw unexpected(name);
    return found as Export;
  };
  const view = (at: number, length: number): Uint8Array => {
    if (!(at > 0 && at + length <= memory.byteLength)) throw unexpected(`place ${at}`);
    return Buffer.from(memory, at, length);
  };
  const [lane, capacity, digests, digest] = [
    call("lane"),
    call("capacity"),
    call("digests"),
    call("digest"),
  ];
  if (capacity() !== LANE_BYTES) throw unexpected("capacity");
  const lanes = Array.from({ length: LANE_COUNT }, (_, i) => view(lane(i), LANE_BYTES));
  const results = view(digests(), LANE_COUNT * LEAF_BYTES);
  return {
    lanes,
    digest(length, first) {
      if (digest(length, first) !== 1) throw unexpected(`length ${length}`);
      return results;
    },
  };
}

function attempt<T>(what: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw unexpected(what, cause);
  }
}

function unexpected(what: string, cause?: unknown): GatewayError {
  return new GatewayError("sm.operation-failed", { detail: `sm3-lanes.wasm: ${what}`, cause });
}
