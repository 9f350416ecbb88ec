/**
 * Guarantee: which code hashes the chunks of a bundle. Four at a time in
 * WebAssembly vectors, where this machine runs them and they reproduced the
 * published results and the provider's here and now; the provider otherwise.
 * Never a reason to stop a start: both are the same algorithm.
 */
import { asGatewayError, GatewayError } from "../errors/index.ts";
import { compileLanes, type LaneCore } from "./lanes-module.ts";
import { selfTestLanes } from "./lanes-self-test.ts";
import type { SmProvider } from "./provider.ts";

export const LANES_NAME = "wasm-simd-4";
/** `off` keeps all of SM3 with the provider. */
const CHOICE_VARIABLE = "LIGHTFERRY_SM3_LANES";

export interface Sm3Lanes {
  /** "wasm-simd-4", or the provider's name. */
  readonly name: string;
  /** Why it is the provider; empty when it is not. */
  readonly reason: string;
  /** A tested module's new instance, with a memory of its own; undefined: the provider does everything. */
  readonly open: (() => LaneCore) | undefined;
}

let chosen: Sm3Lanes | undefined;

/** The choice for this provider, made at the first call in a thread and kept. */
export function sm3Lanes(provider: SmProvider): Sm3Lanes {
  // The reference is there to be compared with: it must not share code with what it checks.
  if (provider.name === "sm-crypto") return stay(provider, "the reference provider works alone");
  chosen ??= chooseLanes(provider, process.env[CHOICE_VARIABLE]);
  return chosen;
}

/**
 * @param choice `off` for the provider; anything else for the faster one.
 * @param compile the module; tests hand in one that is absent or wrong.
 */
export function chooseLanes(
  provider: SmProvider,
  choice: string | undefined,
  compile: () => () => LaneCore = compileLanes,
): Sm3Lanes {
  if (choice === "off") return stay(provider, `${CHOICE_VARIABLE}=off`);
  try {
    const open = compile();
    const wrong = selfTestLanes(open(), provider);
    if (wrong !== undefined) {
      throw new GatewayError("sm.self-test-failed", { detail: `${LANES_NAME}: ${wrong}` });
    }
    return { name: LANES_NAME, reason: "", open };
  } catch (error) {
    return stay(provider, asGatewayError(error).detail);
  }
}

function stay(provider: SmProvider, reason: string): Sm3Lanes {
  return { name: provider.name, reason, open: undefined };
}
