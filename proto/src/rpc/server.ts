/**
 * Guarantee: a server listens with the zone's certificate and serves exactly
 * what was bound. Closing lets running calls finish, then ends them.
 */
import { Server, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { GatewayError } from "../errors/index.ts";
import type { Handler, ServiceBinding } from "./binding.ts";
import { healthBinding } from "./health.ts";
import { CLOSE_GRACE_MS, SERVER_OPTIONS } from "./limits.ts";
import {
  type Admissible,
  type Admitted,
  admitCall,
  type Running,
  serveBidi,
  serveUnary,
} from "./serve.ts";
import { serverCredentials, type TlsFiles } from "./tls.ts";

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
    const admit = (call: Admissible): Admitted =>
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

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
