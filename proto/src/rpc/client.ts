/**
 * Guarantee: a call reaches the named service of this zone or fails with a
 * GatewayError within its deadline. A client outlives its server: after a
 * restart the next calls succeed without a new client.
 */
import { Client as GrpcClient, Metadata, status } from "@grpc/grpc-js";
import { GatewayError } from "../errors/index.ts";
import { callBidi } from "./client-stream.ts";
import type { ServiceName } from "./identity.ts";
import { CLIENT_OPTIONS, DEFAULT_DEADLINE_MS } from "./limits.ts";
import {
  type BidiSpec,
  decodeMessage,
  encodeMessage,
  type ServiceSpec,
  type UnarySpec,
} from "./spec.ts";
import { fromStatus, isServiceError } from "./status.ts";
import { channelCredentials, type TlsFiles } from "./tls.ts";

export interface CallOptions {
  /** Milliseconds from now; 10 s by default for unary calls, none for streams (see STREAM_STALL_MS). */
  readonly deadlineMs?: number;
  /** Streams only: longest wait for an answer while neither side moves; 10 min by default. */
  readonly stallMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Wait for a connection until the deadline instead of failing at once while the peer is down. */
  readonly waitForReady?: boolean;
}

type Method<M> =
  M extends UnarySpec<infer Request, infer _B, infer _C, infer Response>
    ? (request: Request, options?: CallOptions) => Promise<Response>
    : M extends BidiSpec<infer Request, infer _B, infer _C, infer Response>
      ? (
          requests: AsyncIterable<Request> | Iterable<Request>,
          options?: CallOptions,
        ) => AsyncIterable<Response>
      : never;

export type Client<S extends ServiceSpec> = { readonly [M in keyof S]: Method<S[M]> } & {
  /** Ends the connection; calls under way fail. */
  close(): void;
};

export interface ClientOptions {
  /** `host:port` */
  readonly address: string;
  readonly tls: TlsFiles;
  readonly zone: string;
  /** Which service must answer there. */
  readonly peer: ServiceName;
}

/** What the streaming half needs of the connection. */
export interface Connection {
  readonly grpc: GrpcClient;
  /** Turns a failure into what the caller sees. */
  failure(error: unknown, method: string): GatewayError;
  succeeded(): void;
}

/** Does not connect before the first call. @throws GatewayError `tls.invalid` */
export function createClient<S extends ServiceSpec>(spec: S, options: ClientOptions): Client<S> {
  let mismatch: string | undefined;
  const credentials = channelCredentials(
    options.tls,
    { zone: options.zone, service: options.peer },
    (shown) => {
      mismatch = shown;
    },
  );
  const grpc = new GrpcClient(options.address, credentials, CLIENT_OPTIONS);
  const connection: Connection = {
    grpc,
    failure: (error, method) => {
      const unavailable = isServiceError(error) && error.code === status.UNAVAILABLE;
      if (unavailable && mismatch !== undefined) {
        return new GatewayError("rpc.peer-mismatch", {
          detail: `${options.address} is not ${options.peer} but ${mismatch}`,
          cause: error,
        });
      }
      return fromStatus(error, method);
    },
    succeeded: () => {
      mismatch = undefined;
    },
  };
  const client: Record<string, unknown> = { close: () => grpc.close() };
  for (const [name, method] of Object.entries(spec)) {
    client[name] =
      method.kind === "bidi"
        ? (requests: AsyncIterable<object>, callOptions: CallOptions = {}) =>
            callBidi(connection, method, requests, callOptions)
        : (request: object, callOptions: CallOptions = {}) =>
            callUnary(connection, method, request, callOptions);
  }
  return client as Client<S>;
}

async function callUnary(
  connection: Connection,
  method: UnarySpec<object, object, object, object>,
  request: object,
  options: CallOptions,
): Promise<object> {
  const argument = encodeMessage(method.request, request, method.path);
  if (options.signal?.aborted) throw new GatewayError("rpc.cancelled", { detail: method.path });
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const cancel = (): void => call.cancel();
    const call = connection.grpc.makeUnaryRequest(
      method.path,
      asIs,
      asIs,
      argument,
      new Metadata({ waitForReady: options.waitForReady === true }),
      { deadline: Date.now() + (options.deadlineMs ?? DEFAULT_DEADLINE_MS) },
      (error, value) => {
        options.signal?.removeEventListener("abort", cancel);
        if (error !== null) reject(connection.failure(error, method.path));
        else resolve(value ?? Buffer.alloc(0));
      },
    );
    options.signal?.addEventListener("abort", cancel);
  });
  connection.succeeded();
  return decodeMessage(method.response, answer, method.path);
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
