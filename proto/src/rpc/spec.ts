/**
 * Guarantee: one table per service says what each method takes and gives;
 * server and client are typed from the same table.
 */
import type { Writer } from "protobufjs/minimal.js";
import { GatewayError } from "../errors/index.ts";

/** A generated message class: `In` is what may be written, `Out` what is read. */
export interface Codec<In extends object, Out extends object> {
  encode(message: In, writer?: Writer): Writer;
  decode(bytes: Uint8Array): Out;
}

export interface UnarySpec<
  ReqIn extends object,
  ReqOut extends object,
  ResIn extends object,
  ResOut extends object,
> {
  readonly kind: "unary";
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Codec<ReqIn, ReqOut>;
  readonly response: Codec<ResIn, ResOut>;
}

export interface BidiSpec<
  ReqIn extends object,
  ReqOut extends object,
  ResIn extends object,
  ResOut extends object,
> {
  readonly kind: "bidi";
  readonly path: string;
  readonly request: Codec<ReqIn, ReqOut>;
  readonly response: Codec<ResIn, ResOut>;
}

// biome-ignore lint/suspicious/noExplicitAny: the table holds methods of any message types; each use infers its own.
export type MethodSpec = UnarySpec<any, any, any, any> | BidiSpec<any, any, any, any>;

export type ServiceSpec = Readonly<Record<string, MethodSpec>>;

export function unary<A extends object, B extends object, C extends object, D extends object>(
  path: string,
  request: Codec<A, B>,
  response: Codec<C, D>,
): UnarySpec<A, B, C, D> {
  return { kind: "unary", path, request, response };
}

export function bidi<A extends object, B extends object, C extends object, D extends object>(
  path: string,
  request: Codec<A, B>,
  response: Codec<C, D>,
): BidiSpec<A, B, C, D> {
  return { kind: "bidi", path, request, response };
}

export function encodeMessage<In extends object>(
  codec: Codec<In, object>,
  message: In,
  method: string,
): Buffer {
  try {
    const bytes = codec.encode(message).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (cause) {
    throw new GatewayError("rpc.bad-message", { detail: `${method}: cannot be written`, cause });
  }
}

/** @throws GatewayError `rpc.bad-message` */
export function decodeMessage<Out extends object>(
  codec: Codec<never, Out>,
  bytes: Uint8Array,
  method: string,
): Out {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw new GatewayError("rpc.bad-message", { detail: `${method}: cannot be read`, cause });
  }
}
