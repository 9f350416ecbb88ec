/**
 * Guarantee: a handler runs only for a peer of this zone that its method
 * allows, with a message that could be read. What it throws reaches the caller
 * as the same GatewayError. Closing lets running calls finish, then ends them.
 */
import {
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Logger } from "pino";
import { asGatewayError, GatewayError } from "../errors/index.ts";
import { healthBinding } from "./health.ts";
import { identityOf, identityUri, type ServiceName } from "./identity.ts";
import { CLOSE_GRACE_MS, SERVER_OPTIONS } from "./limits.ts";
import {
  type BidiSpec,
  decodeMessage,
  encodeMessage,
  type ServiceSpec,
  type UnarySpec,
} from "./spec.ts";
import { toStatus } from "./status.ts";
import { serverCredentials, type TlsFiles } from "./tls.ts";
import { writeWithBackpressure } from "./write.ts";

export interface CallContext {
  readonly peer: ServiceName;
  /** Aborted when the caller has gone, its deadline has passed, or the server ends the call. */
  readonly signal: AbortSignal;
  /** Aborted as soon as the server begins to close: long polls should answer now. */
  readonly closing: AbortSignal;
}

type Handler<M> =
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

export interface RpcServerOptions {
  /** Port 0 picks a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsFiles;
  readonly zone: string;
  readonly services: readonly ServiceBinding[];
  readonly log: Logger;
}

export interface RpcServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Running {
  readonly closing: AbortController;
  readonly calls: Set<AbortController>;
}

/** @throws GatewayError `tls.invalid`, `rpc.unavailable` when the address cannot be listened on */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const server = new Server(SERVER_OPTIONS);
  const running: Running = { closing: new AbortController(), calls: new Set() };
  for (const service of [...options.services, healthBinding(options.services)]) {
    addService(server, service, running, options);
  }
  const address = `${options.listen.host}:${options.listen.port}`;
  const credentials = serverCredentials(options.tls);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, bound) => {
      if (cause === null) resolve(bound);
      else
        reject(
          new GatewayError("rpc.unavailable", { detail: `cannot listen on ${address}`, cause }),
        );
    });
  });
  return { port, close: () => close(server, running) };
}

async function close(server: Server, running: Running): Promise<void> {
  running.closing.abort();
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => {
      for (const call of running.calls) call.abort();
      server.forceShutdown();
      resolve();
    }, CLOSE_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}

function addService(
  server: Server,
  binding: ServiceBinding,
  running: Running,
  options: RpcServerOptions,
): void {
  const definition: Record<string, object> = {};
  const implementation: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(binding.spec)) {
    const stream = spec.kind === "bidi";
    definition[name] = {
      path: spec.path,
      requestStream: stream,
      responseStream: stream,
      // Messages are decoded beside the handler, where a fault can be given its code.
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    const handler = binding.handlers[name];
    const admit = (call: Admissible): CallContext & { readonly end: () => void } =>
      admitCall(call, binding.allow[name] ?? [], options.zone, running);
    implementation[name] =
      spec.kind === "bidi"
        ? serveBidi(spec, handler as Handler<typeof spec>, admit, options.log)
        : serveUnary(spec, handler as Handler<typeof spec>, admit, options.log);
  }
  server.addService(
    definition as Parameters<Server["addService"]>[0],
    implementation as UntypedServiceImplementation,
  );
}

/** What both kinds of call have. */
interface Admissible extends Pick<ServerUnaryCall<Buffer, Buffer>, "getAuthContext" | "getPath"> {
  on(event: "cancelled", listener: () => void): unknown;
}
type Admit = (call: Admissible) => CallContext & { readonly end: () => void };

function admitCall(
  call: Admissible,
  allowed: readonly ServiceName[],
  zone: string,
  running: Running,
): CallContext & { readonly end: () => void } {
  const identity = identityOf(call.getAuthContext().sslPeerCertificate?.subjectaltname);
  if (identity === undefined || identity.zone !== zone || !allowed.includes(identity.service)) {
    const shown = identity === undefined ? "no service certificate" : identityUri(identity);
    throw new GatewayError("rpc.peer-not-allowed", { detail: `${shown} at ${call.getPath()}` });
  }
  const controller = new AbortController();
  running.calls.add(controller);
  call.on("cancelled", () => controller.abort());
  return {
    peer: identity.service,
    signal: controller.signal,
    closing: running.closing.signal,
    end: () => {
      running.calls.delete(controller);
    },
  };
}

function serveUnary(
  spec: UnarySpec<object, object, object, object>,
  handler: (request: object, call: CallContext) => Promise<object>,
  admit: Admit,
  log: Logger,
) {
  return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
    const answer = async (): Promise<Buffer> => {
      const context = admit(call);
      try {
        const request = decodeMessage(spec.request, call.request, spec.path);
        return encodeMessage(spec.response, await handler(request, context), spec.path);
      } finally {
        context.end();
      }
    };
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => {
        report(log, spec.path, error);
        callback(toStatus(error));
      },
    );
  };
}

function serveBidi(
  spec: BidiSpec<object, object, object, object>,
  handler: (requests: AsyncIterable<object>, call: CallContext) => AsyncIterable<object>,
  admit: Admit,
  log: Logger,
) {
  return (call: ServerDuplexStream<Buffer, Buffer>): void => {
    const answer = async (): Promise<void> => {
      const context = admit(call);
      try {
        const requests = readRequests(call, spec);
        for await (const response of handler(requests, context)) {
          await writeWithBackpressure(
            call,
            encodeMessage(spec.response, response, spec.path),
            context.signal,
          );
        }
      } finally {
        context.end();
      }
    };
    answer().then(
      () => call.end(),
      (error: unknown) => {
        report(log, spec.path, error);
        // grpc-js takes the status of a stream from its error event.
        if (!call.destroyed) call.emit("error", toStatus(error));
      },
    );
  };
}

async function* readRequests(
  call: ServerDuplexStream<Buffer, Buffer>,
  spec: BidiSpec<object, object, object, object>,
): AsyncGenerator<object> {
  try {
    // A handler may stop reading early and still answer: the stream must live on.
    for await (const bytes of call.iterator({ destroyOnReturn: false })) {
      yield decodeMessage(spec.request, bytes as Buffer, spec.path);
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("rpc.cancelled", { detail: spec.path, cause });
  }
}

function report(log: Logger, method: string, thrown: unknown): void {
  const error = asGatewayError(thrown);
  if (error.code === "internal.fault") log.error({ method, err: thrown }, "a call failed");
  else log.debug({ method, code: error.code, detail: error.detail }, "a call was refused");
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
