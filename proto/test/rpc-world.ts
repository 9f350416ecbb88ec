/**
 * Guarantee: two zones of service certificates and, for each test, policy servers and
 * clients of them, which are closed in the opposite order when the test is over.
 */
import { pino } from "pino";
import { afterAll, afterEach, beforeAll } from "vitest";
import { GatewayError } from "../src/errors/index.ts";
import type { lightferry } from "../src/gen/index.js";
import {
  bind,
  type CallContext,
  createClient,
  PolicyService,
  type RpcServer,
  startRpcServer,
} from "../src/rpc/index.ts";
import { type TestZone, testZone } from "../src/testing/index.ts";

export const log = pino({ level: "silent" });
export type StreamRequest = lightferry.policy.v1.DecideStreamRequest.$Properties;
export type StreamResponse = lightferry.policy.v1.DecideStreamResponse.$Properties;
type DecideStream = (
  requests: AsyncIterable<StreamRequest>,
  call: CallContext,
) => AsyncIterable<StreamResponse>;

export interface PolicyOptions {
  decide?: (
    request: lightferry.policy.v1.DecideRequest.$Properties,
    call: CallContext,
  ) => Promise<lightferry.policy.v1.DecideResponse.$Properties>;
  decideStream?: DecideStream;
  port?: number;
}

const echo: DecideStream = async function* (requests) {
  for await (const request of requests) yield { chunk: request.chunk ?? new Uint8Array() };
};

export let zone: TestZone;
export let other: TestZone;
/** What ends with the test, last come first. */
export const closers: (() => unknown)[] = [];

/** Registers the hooks; a test file calls it once. */
export function rpcWorld(): void {
  beforeAll(async () => {
    [zone, other] = await Promise.all([testZone("extranet"), testZone("business")]);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await Promise.all([zone.cleanup(), other.cleanup()]);
  });
}

export async function policyServer(options: PolicyOptions = {}): Promise<RpcServer> {
  const server = await startRpcServer({
    listen: { host: "127.0.0.1", port: options.port ?? 0 },
    tls: zone.tls.policy,
    zone: "extranet",
    log,
    services: [
      bind(
        PolicyService,
        {
          decide: options.decide ?? (async () => ({ policyVersion: "7" })),
          decideStream: options.decideStream ?? echo,
          getRegistry: async (_request, call) => ({ policyVersion: call.peer }),
        },
        {
          decide: ["front-proxy"],
          decideStream: ["front-proxy"],
          getRegistry: ["front-proxy", "seal", "ferry-tx", "ferry-rx", "audit"],
        },
      ),
    ],
  });
  closers.push(() => server.close());
  return server;
}

export function policyClient(port: number, tls = zone.tls["front-proxy"], inZone = "extranet") {
  const client = createClient(PolicyService, {
    address: `127.0.0.1:${port}`,
    tls,
    zone: inZone,
    peer: "policy",
  });
  closers.push(() => client.close());
  return client;
}

/** Code of the GatewayError that `promise` fails with; other errors as their text. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "no error",
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  );
}
