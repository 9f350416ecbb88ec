/**
 * Guarantee: which code computes parity. The fastest variant that this Node accepts and that, here
 * and now, agreed byte for byte with the definition on every way of computing; the definition
 * itself otherwise. Never a reason to stop a start: all are the same code.
 */
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { Engine, ErasureVariant } from "./engine.ts";
import { compileKernel, type VectorModule } from "./kernel.ts";
import { ARENA, LINE, STRIP } from "./layout.ts";
import { encodeByTwin } from "./twin.ts";
import { twinEngine } from "./twin-engine.ts";
import { vectorEngine } from "./vector-engine.ts";

export interface EngineChoice {
  readonly variant: ErasureVariant;
  /** Why not a faster one; empty for the fastest. */
  readonly reason: string;
  /** @param bytes size of the memory, at least ARENA */
  open(bytes: number): Engine;
}

/**
 * Every way: products of few rows and of five (four together, one left), both transforms with
 * whole and with part blocks, more than one block of rows, and blocks that would overlap.
 */
const GEOMETRIES = [
  { k: 3, m: 2, length: STRIP + LINE },
  { k: 9, m: 5, length: STRIP + LINE },
  { k: 8, m: 8, length: LINE },
  { k: 19, m: 12, length: STRIP + LINE },
  { k: 35, m: 20, length: LINE },
  { k: 209, m: 33, length: LINE },
] as const;
/** One strip and a part of the next. */
const TEST_CELL = STRIP + LINE;

const tested = new Map<ErasureVariant, EngineChoice>();

/** @param variant the one to use, if it can be; otherwise the fastest that can be. Kept for the thread. */
export function chooseEngine(variant?: ErasureVariant): EngineChoice {
  if (variant !== undefined) return choose(variant);
  const relaxed = choose("relaxed");
  if (relaxed.variant === "relaxed") return relaxed;
  const simd = choose("simd");
  return { ...simd, reason: [relaxed.reason, simd.reason].filter((r) => r !== "").join("; ") };
}

function choose(variant: ErasureVariant): EngineChoice {
  let found = tested.get(variant);
  if (found === undefined) {
    found = testVariant(variant);
    tested.set(variant, found);
  }
  return found;
}

/** @param compile the module; tests hand in one that is absent or wrong */
export function testVariant(
  variant: ErasureVariant,
  compile: (variant: "relaxed" | "simd") => VectorModule = compileKernel,
): EngineChoice {
  if (variant === "twin") return { variant, reason: "", open: twinEngine };
  try {
    const module = compile(variant);
    const open = (bytes: number): Engine => vectorEngine(module, bytes);
    const wrong = selfTest(open);
    if (wrong !== undefined) {
      throw new GatewayError("internal.fault", { detail: `${variant}: ${wrong}` });
    }
    return { variant, reason: "", open };
  } catch (error) {
    return { variant: "twin", reason: asGatewayError(error).detail, open: twinEngine };
  }
}

/** @returns what is wrong, or undefined */
function selfTest(open: (bytes: number) => Engine): string | undefined {
  const engine = open(ARENA + 256 * TEST_CELL);
  for (const { k, m, length } of GEOMETRIES) {
    const cells = Uint32Array.from({ length: k + m }, (_, i) => ARENA + i * TEST_CELL);
    const shards = Array.from(cells, (at) => new Uint8Array(engine.buffer, at, length));
    const data = shards.slice(0, k);
    for (const [i, shard] of data.entries()) {
      for (let n = 0; n < length; n += 1) shard[n] = n * 73 + (n >> 8) * 29 + i * 151 + k;
    }
    const expected = shards.map((shard) => Uint8Array.from(shard));
    encodeByTwin(expected.slice(0, k), expected.slice(k));
    const agrees = (): boolean =>
      shards.every((shard, i) => Buffer.compare(shard, expected[i] as Uint8Array) === 0);
    engine.encode(cells, k, length);
    if (!agrees()) return `parity of ${k}+${m}`;
    // The last parity rows and data shards from both ends: the widest spread of factors.
    const e = Math.min(k, m);
    const rows = Array.from({ length: e }, (_, i) => m - e + i);
    const missing = Array.from({ length: e }, (_, i) => (i < e / 2 ? i : k - e + i));
    for (const column of missing) data[column]?.fill(0xa5);
    engine.repair(cells, k, length, missing, rows);
    if (!agrees()) return `repair of ${k}+${m}`;
  }
  return undefined;
}
