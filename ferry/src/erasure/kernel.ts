/**
 * Guarantee: the two builds of ferry/wasm/erasure.as as far as this Node accepts them: a feature
 * test, not a version test. Nothing about their results, which choose.ts judges. The files lie
 * beside the code: nothing is fetched, and no JavaScript is made from strings.
 */
import { readFileSync } from "node:fs";
import { GatewayError } from "@lightferry/proto/errors";

/** WebAssembly's page. */
const PAGE = 65_536;

type Call = (...args: number[]) => void;

/** Exports of the module on a memory of their own, which never grows: views of it stay valid. */
interface VectorInstance {
  readonly buffer: ArrayBuffer;
  /** What the buffer is of, for other modules. */
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly wide: Call;
  readonly quad: Call;
  readonly product: Call;
  readonly put: Call;
  readonly add: Call;
}

export interface VectorModule {
  readonly variant: "relaxed" | "simd";
  /** @throws RangeError for want of memory */
  open(bytes: number): VectorInstance;
}

/** What is used of the global, which Node's type declarations leave out. */
interface WasmApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: {
    initial: number;
    maximum: number;
  }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** @throws GatewayError saying what keeps this machine from running it */
export function compileKernel(
  variant: "relaxed" | "simd",
  wasm: WasmApi | null = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly ?? null,
): VectorModule {
  if (wasm === null) throw refused(variant, "this process runs no WebAssembly");
  const bytes = read(variant);
  if (!wasm.validate(bytes)) throw refused(variant, "not accepted by this Node");
  const module = new wasm.Module(bytes);
  return {
    variant,
    open(size) {
      const pages = Math.ceil(size / PAGE);
      const memory = new wasm.Memory({ initial: pages, maximum: pages });
      const { exports } = new wasm.Instance(module, { env: { memory } });
      const call = (name: string): Call => {
        const found = exports[name];
        if (typeof found !== "function") throw refused(variant, `no ${name}`);
        return found as Call;
      };
      return {
        buffer: memory.buffer,
        memory,
        wide: call("wide"),
        quad: call("quad"),
        product: call("product"),
        put: call("put"),
        add: call("add"),
      };
    },
  };
}

function read(variant: string): Uint8Array {
  try {
    return readFileSync(new URL(`../../wasm/erasure-${variant}.wasm`, import.meta.url));
  } catch (cause) {
    throw refused(variant, "cannot be read", cause);
  }
}

function refused(variant: string, what: string, cause?: unknown): GatewayError {
  return new GatewayError("internal.fault", { detail: `erasure-${variant}.wasm: ${what}`, cause });
}
