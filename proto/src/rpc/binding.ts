/**
 * Guarantee: a service is served only as a whole: every method of its table has
 * a handler of the right types and a list of the peers that may call it.
 */
import type { ServiceName } from "./identity.ts";
import type { BidiSpec, ServiceSpec, UnarySpec } from "./spec.ts";

export interface CallContext {
  readonly peer: ServiceName;
  /** Aborted when the caller has gone, its deadline has passed, or the server ends the call. */
  readonly signal: AbortSignal;
  /** Aborted as soon as the server begins to close: long polls should answer now. */
  readonly closing: AbortSignal;
}

/** What serves one method. */
export type Handler<M> =
  M extends UnarySpec<infer _A, infer Request, infer Response, infer _D>
    ? (request: Request, call: CallContext) => Promise<Response>
    : M extends BidiSpec<infer _A, infer Request, infer Response, infer _D>
      ? (requests: AsyncIterable<Request>, call: CallContext) => AsyncIterable<Response>
      : never;

export type Handlers<S extends ServiceSpec> = { readonly [M in keyof S]: Handler<S[M]> };

export interface ServiceBinding {
  readonly spec: ServiceSpec;
  readonly handlers: Readonly<Record<string, unknown>>;
  readonly allow: Readonly<Record<string, readonly ServiceName[]>>;
}

/** Joins a service's methods with their handlers and with the peers that may call each. */
export function bind<S extends ServiceSpec>(
  spec: S,
  handlers: Handlers<S>,
  allow: { readonly [M in keyof S]: readonly ServiceName[] },
): ServiceBinding {
  return { spec, handlers, allow: allow as ServiceBinding["allow"] };
}
