/**
 * Guarantee: a handler runs only for a peer of this zone that its method
 * allows, with a message that could be read. What it throws reaches the caller
 * as the same GatewayError.
 *
 * admit → decode → handler → encode → answer, or a status for whatever was thrown
 */
import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { asGatewayError, GatewayError } from "../errors/index.ts";
import type { CallContext } from "./binding.ts";
import { identityOf, identityUri, type ServiceName } from "./identity.ts";
import { type BidiSpec, decodeMessage, encodeMessage, type UnarySpec } from "./spec.ts";
import { toStatus } from "./status.ts";
import { writeWithBackpressure } from "./write.ts";

/** What both kinds of call have. */
export interface Admissible
  extends Pick<ServerUnaryCall<Buffer, Buffer>, "getAuthContext" | "getPath"> {
  on(event: "cancelled", listener: () => void): unknown;
}
type Admit = (call: Admissible) => Admitted;

/** A call that may run; `end` takes it off the list of running ones. */
export type Admitted = CallContext & { readonly end: () => void };

/** What a server knows of the calls under way. */
export interface Running {
  readonly closing: AbortController;
  readonly calls: Set<AbortController>;
}

/** @throws GatewayError `rpc.peer-not-allowed` */
export function admitCall(
  call: Admissible,
  allowed: readonly ServiceName[],
  zone: string,
  running: Running,
): Admitted {
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

/** The function grpc-js calls for a unary method. */
export function serveUnary(
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

/** The function grpc-js calls for a method that streams both ways. */
export function serveBidi(
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
